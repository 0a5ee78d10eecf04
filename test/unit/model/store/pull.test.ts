import assert from 'node:assert/strict';
import { access, mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ModelError, OptionError, StorageError } from '../../../../src/contract/failures.js';
import { resolveModel } from '../../../../src/model/catalogue.js';
import { type PullRequest, pullModel } from '../../../../src/model/store/pull.js';
import { readModelRecord } from '../../../../src/model/store/record.js';
import { startCli } from '../../../support/cli.js';
import { FakeHub, breakOffAfter, sendFrom } from '../../../support/fake-hub.js';
import { writeSmallEsm2 } from '../../../support/small-esm2.js';
import { MODELS, temporaryFolder } from '../../../support/tiny-models.js';

const REPO = 'facebook/esm2_t6_8M_UR50D';
const WEIGHTS = 'model.safetensors';
const PATIENCE = { tries: 3, firstMs: 1, longestMs: 1 };

describe('pullModel', () => {
  let source: string;
  let hub: FakeHub;
  let root: string;
  let env: NodeJS.ProcessEnv;

  before(async () => {
    source = await writeSmallEsm2(await temporaryFolder());
  });
  beforeEach(async () => {
    hub = await FakeHub.open(REPO, source);
    root = await temporaryFolder();
    env = { VIRNUCPRO_CACHE_DIR: root, XDG_CACHE_HOME: path.join(root, 'shared'), HF_ENDPOINT: hub.endpoint };
  });
  afterEach(() => hub.close());

  const pull = (request: Partial<PullRequest> = {}): ReturnType<typeof pullModel> =>
    pullModel({ name: 'esm2-8m', env, patience: PATIENCE, ...request });
  const target = (): string => path.join(root, 'models/esm2-8m');
  const part = (file = WEIGHTS): string => path.join(root, 'models/.pull-esm2-8m', hub.revision, `${file}.part`);
  const isThere = (file: string): Promise<boolean> =>
    access(file).then(
      () => true,
      () => false,
    );

  /** Pulls, expecting a ModelError (or another class), and that no model appeared. */
  async function refused(
    pattern: RegExp,
    request: Partial<PullRequest> = {},
    type: unknown = ModelError,
  ): Promise<void> {
    await assert.rejects(pull(request), (error: Error) => {
      assert.ok(error instanceof (type as typeof Error), error.stack);
      assert.match(error.message, pattern);
      return true;
    });
    assert.equal(await isThere(target()), false);
    assert.equal(await isThere(path.join(root, 'models/.esm2-8m.lock')), false);
  }

  it('downloads what loading takes and no more, byte for byte; then it is here and nobody is asked', async () => {
    const pulled = await pull({ name: REPO.toUpperCase() });
    assert.deepEqual(pulled, { name: 'esm2-8m', path: target(), revision: hub.revision, already: false });
    assert.deepEqual(hub.filesAsked, ['config.json', 'vocab.txt', WEIGHTS]);
    assert.deepEqual(await readdir(path.join(root, 'models')), ['esm2-8m']);
    for (const name of hub.filesAsked) {
      assert.ok((await readFile(path.join(target(), name))).equals(hub.files.get(name)!), name);
    }
    const record = await readModelRecord(target());
    assert.equal(record?.revision, hub.revision);
    assert.equal(record.asked, 'main');
    assert.equal(record.source, `${hub.endpoint}/${REPO}`);
    assert.deepEqual(
      record.files.map(({ name, sha256 }) => [name, sha256?.length]),
      [
        ['config.json', undefined],
        ['vocab.txt', undefined],
        [WEIGHTS, 64],
      ],
    );
    assert.equal((await resolveModel('esm2-8m', env)).path, target());
    const before = hub.asked.length;
    env['HF_HUB_OFFLINE'] = '1';
    for (const revision of [undefined, 'main', hub.revision, hub.revision.slice(0, 8)]) {
      assert.equal((await pull(revision === undefined ? {} : { revision })).already, true);
    }
    assert.equal(hub.asked.length, before);
  });

  it('goes on by range when the server breaks off, as long as bytes come', async () => {
    const size = hub.files.get(WEIGHTS)!.length;
    const step = Math.ceil(size / 8);
    hub.serve = (request, response) =>
      request.name === WEIGHTS ? breakOffAfter(step, request, response) : sendFrom(request, response);
    const troubles: string[] = [];
    await pull({ onTrouble: (trouble) => troubles.push(trouble) });
    assert.ok(troubles.length >= 7 && troubles.every((trouble) => /^terminated: other side closed$/.test(trouble)));
    const ranges = hub.filesAsked.filter((asked) => asked.startsWith(WEIGHTS));
    assert.equal(ranges[0], WEIGHTS);
    // A broken connection may lose what was on its way.
    const starts = ranges.slice(1).map((asked) => Number(/^\S+ bytes=(\d+)-$/.exec(asked)![1]));
    assert.ok(starts.length >= 7, String(starts));
    starts.forEach((start, i) => assert.ok(start > (starts[i - 1] ?? 0) && start < size, String(starts)));
    assert.ok((await readFile(path.join(target(), WEIGHTS))).equals(hub.files.get(WEIGHTS)!));
  });

  it('a pull that was stopped goes on where it stopped, in another process too', async () => {
    const stop = new AbortController();
    hub.serve = (request, response) => {
      if (request.name !== WEIGHTS) return sendFrom(request, response);
      response.writeHead(200, { 'content-length': request.content.length });
      response.write(request.content.subarray(0, 4_000_000));
    };
    const onBytes: PullRequest['onBytes'] = ({ name }, done) => {
      if (name === WEIGHTS && done === 4_000_000) stop.abort(new Error('enough'));
    };
    await assert.rejects(pull({ signal: stop.signal, onBytes }), /enough/);
    assert.equal(await isThere(target()), false);
    assert.equal((await stat(part())).size, 4_000_000);
    hub.serve = sendFrom;
    hub.asked.length = 0;
    const seen: number[] = [];
    await pull({ onBytes: (file, done) => file.name === WEIGHTS && seen.push(done) });
    assert.deepEqual(hub.filesAsked, [`${WEIGHTS} bytes=4000000-`]);
    assert.equal(seen[0], 4_000_000);
    assert.equal(seen.at(-1), hub.files.get(WEIGHTS)!.length);
  });

  it('starts a file again when the server knows no ranges, or has less of it than is here', async () => {
    await mkdir(path.dirname(part()), { recursive: true });
    await writeFile(part(), hub.files.get(WEIGHTS)!.subarray(0, 1000));
    hub.serve = (request, response) => sendFrom({ ...request, from: 0, range: undefined }, response);
    await pull();
    assert.deepEqual(hub.filesAsked.slice(-1), [`${WEIGHTS} bytes=1000-`]);

    root = env['VIRNUCPRO_CACHE_DIR'] = await temporaryFolder();
    hub.asked.length = 0;
    let first = true;
    hub.serve = (request, response) => {
      if (request.range === undefined || !first) return sendFrom(request, response);
      first = false;
      response.writeHead(416).end();
    };
    await mkdir(path.dirname(part()), { recursive: true });
    await writeFile(part(), hub.files.get(WEIGHTS)!.subarray(0, 1000));
    await pull();
    assert.deepEqual(hub.filesAsked.slice(-2), [`${WEIGHTS} bytes=1000-`, WEIGHTS]);
  });

  it('forgets what earlier pulls left of another commit', async () => {
    const old = path.join(root, 'models/.pull-esm2-8m', 'f'.repeat(40));
    await mkdir(old, { recursive: true });
    await pull();
    assert.equal(await isThere(old), false);
  });

  it('refuses a file of another size than the list says, and keeps nothing of it', async () => {
    for (const lie of [-1, 1]) {
      hub.list = (siblings) =>
        siblings.map((entry) => (entry.rfilename === WEIGHTS ? { ...entry, size: entry.size! + lie } : entry));
      await refused(/the server has \d+ bytes for model\.safetensors, the hub lists/);
      assert.equal(await isThere(part()), false);
    }
    // Without a content length it shows only as the bytes come, or end.
    hub.list = (siblings) =>
      siblings.map((entry) => (entry.rfilename === WEIGHTS ? { ...entry, size: entry.size! - 1 } : entry));
    hub.serve = ({ content }, response) => response.write(content, () => response.end());
    await refused(/the server has \d+ bytes for model\.safetensors/);
    hub.list = (siblings) =>
      siblings.map((entry) => (entry.rfilename === WEIGHTS ? { ...entry, size: entry.size! + 1 } : entry));
    await refused(/download fails: the server (ended after \d+ of \d+ bytes|.*416).*tried \d times/);
  });

  it('refuses wrong bytes of the right size, of weights and of small files', async () => {
    for (const wrong of ['config.json', WEIGHTS]) {
      hub.serve = (request, response) => {
        const content = Buffer.from(request.content);
        if (request.name === wrong) content[content.length - 2]! ^= 1;
        sendFrom({ ...request, content }, response);
      };
      await refused(new RegExp(`what came for ${wrong} has not the digest`));
      assert.equal(await isThere(part(wrong)), false);
    }
    hub.serve = sendFrom;
    await pull();
  });

  it('refuses the bytes of another model, whatever the list says', async () => {
    for (const name of await readdir(`${MODELS}/esm2-tiny-bf16`)) {
      hub.files.set(name, await readFile(`${MODELS}/esm2-tiny-bf16/${name}`));
    }
    await refused(/checkpoint is esm2, hidden 80, 3 layers, 20 heads, expected esm2, hidden 320, 6 layers, 20 heads/);
  });

  it('refuses weights that the list has no SHA-256 of', async () => {
    hub.list = (siblings) => siblings.map(({ rfilename, size }) => ({ rfilename, size: size! }));
    await refused(/lists no checkpoint with size and SHA-256/);
  });

  it('says what the server answers: 401, 403, 404, garbage; and tries again only what may pass', async () => {
    const status = (code: number, body = ''): void => {
      hub.asked.length = 0;
      hub.answer = (_, response) => {
        response.writeHead(code).end(body);
        return true;
      };
    };
    for (const [code, next] of [
      [401, /HTTP 401 .*HF_TOKEN/],
      [403, /HTTP 403 .*HF_TOKEN/],
      [404, /HTTP 404: no such repository, revision or file .*--revision/],
    ] as const) {
      status(code);
      await refused(next);
      assert.equal(hub.asked.length, 1);
    }
    status(200, '<html>log in to the network</html>');
    await refused(/not a description of a model/);
    status(500);
    await refused(/download fails: the server answers HTTP 500 \(tried 3 times\) .*goes on where it stopped/);
    assert.equal(hub.asked.length, 3);
    let left = 2;
    hub.answer = (_, response) => {
      if (left === 0) return false;
      left -= 1;
      response.writeHead(503).end();
      return true;
    };
    await pull();
  });

  it('says that nobody listens', async () => {
    env['HF_ENDPOINT'] = 'http://127.0.0.1:1';
    await refused(/download fails: fetch failed/);
  });

  it('is silent when HF_HUB_OFFLINE is set, and says how else to get the model', async () => {
    for (const yes of ['1', 'true', 'ON', 'Yes']) {
      await refused(/HF_HUB_OFFLINE .*virnucpro models import/, { env: { ...env, HF_HUB_OFFLINE: yes } });
    }
    assert.deepEqual(hub.asked, []);
    await pull({ env: { ...env, HF_HUB_OFFLINE: '0' } });
  });

  it('asks the endpoint named, with the token, for uncompressed bytes', async () => {
    env['HF_TOKEN'] = 'hf_secret';
    env['HF_ENDPOINT'] = `${hub.endpoint}/`;
    await pull({ revision: 'refs/pr/1' });
    assert.equal(hub.asked[0], `/api/models/${REPO}/revision/refs%2Fpr%2F1?blobs=true`);
    assert.ok(hub.headers.every(({ authorization }) => authorization === 'Bearer hf_secret'));
    assert.ok(hub.headers.every((headers) => headers['accept-encoding'] === 'identity'));
    env['HF_ENDPOINT'] = 'mirror.example.org';
    root = env['VIRNUCPRO_CACHE_DIR'] = await temporaryFolder();
    await refused(/HF_ENDPOINT is 'mirror.example.org'/, {}, OptionError);
  });

  it('follows the hub to its storage, with the range and without the token', async () => {
    const storage = await FakeHub.open(REPO, source);
    try {
      env['HF_TOKEN'] = 'hf_secret';
      let broken = false;
      storage.serve = (request, response) => {
        if (request.name !== WEIGHTS || broken) return sendFrom(request, response);
        broken = true;
        breakOffAfter(4_000_000, request, response);
      };
      hub.answer = (url, response) => {
        if (!url.endsWith(WEIGHTS)) return false;
        response.writeHead(302, { location: storage.endpoint + url }).end();
        return true;
      };
      await pull();
      assert.match(storage.filesAsked.join(), /^model\.safetensors,model\.safetensors bytes=[1-9]\d*-$/);
      assert.deepEqual(
        storage.headers.map(({ authorization }) => authorization),
        [undefined, undefined],
      );
    } finally {
      await storage.close();
    }
  });

  it('looks for room before it asks for a file, naming both numbers', async () => {
    hub.list = (siblings) => siblings.map((entry) => (entry.rfilename === WEIGHTS ? { ...entry, size: 5e15 } : entry));
    await refused(/needs 5000 TB of disk space, [\d.]+ [kMGT]B are free/, {}, StorageError);
    assert.deepEqual(hub.filesAsked, []);
  });

  it('takes shards by their index, and pickled weights only where there are no others', async () => {
    const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
    for (const name of [...shards, 'model.safetensors.index.json', 'pytorch_model.bin']) {
      hub.files.set(name, Buffer.from('no checkpoint'));
    }
    hub.files.delete(WEIGHTS);
    await refused(/JSON that is not the index|not a checkpoint/);
    assert.deepEqual(hub.filesAsked, ['config.json', 'vocab.txt', 'model.safetensors.index.json', ...shards]);
  });

  it('keeps to what is here: no second copy of what the hub cache has, no other revision under the same name', async () => {
    const repository = path.join(root, `shared/huggingface/hub/models--${REPO.replace('/', '--')}`);
    await mkdir(path.join(repository, 'refs'), { recursive: true });
    await writeFile(path.join(repository, 'refs/main'), 'abc');
    const snapshot = path.join(repository, 'snapshots/abc');
    await writeSmallEsm2(snapshot, 2);
    assert.deepEqual(await pull(), { name: 'esm2-8m', path: snapshot, revision: 'abc', already: true });
    assert.deepEqual(hub.asked, []);
    // Half a model of the hub's tools is none; ours is looked up before it.
    await writeFile(path.join(snapshot, WEIGHTS), '');
    assert.equal((await pull()).path, target());
    await assert.rejects(pull({ revision: 'other' }), /is here at revision 0123\w+, not other .*models rm esm2-8m/);
    await writeFile(path.join(target(), WEIGHTS), '');
    await assert.rejects(pull(), /empty file .*virnucpro models rm esm2-8m, then pull it again/);
  });

  it('two processes pull at once: one downloads, the other waits and finds it there', async () => {
    hub.serve = (request, response) => {
      setTimeout(() => sendFrom(request, response), 700);
    };
    const state = await temporaryFolder();
    const calls = [1, 2].map(() => startCli(['models', 'pull', 'esm2-8m'], state, '', env));
    const ends = await Promise.all(calls.map(({ ended }) => ended));
    for (const { code, stdout, stderr } of ends) {
      assert.equal(code, 0, stderr);
      assert.equal(stdout, `${target()}\n`);
    }
    assert.deepEqual(hub.filesAsked, ['config.json', 'vocab.txt', WEIGHTS]);
    const said = ends.map(({ stderr }) => stderr).join('');
    assert.match(said, /Waiting for process \d+ on \S+, which is at work on this model/);
    assert.match(said, /esm2-8m is complete and checked, revision 0123/);
    assert.match(said, /esm2-8m is already here, revision 0123/);
    assert.match(said, /model\.safetensors: 10\.\d MB of 10\.\d MB\n/);
  });

  it('Ctrl-C keeps what came; a killed pull leaves its lock, too, which the next takes over at once', async () => {
    hub.serve = (request, response) => {
      if (request.name !== WEIGHTS) return sendFrom(request, response);
      response.writeHead(request.range === undefined ? 200 : 206, {
        'content-length': request.content.length - request.from,
        'content-range': `bytes ${request.from}-/*`,
      });
      response.write(request.content.subarray(request.from, 4_000_000 + request.from / 2));
    };
    const stopped = async (signal: NodeJS.Signals, seen: RegExp): Promise<number | null> => {
      const { child, output, ended } = startCli(['models', 'pull', 'esm2-8m'], root, '', env);
      while (!seen.test(output())) await new Promise((resolve) => setTimeout(resolve, 20));
      child.kill(signal);
      return (await ended).code;
    };
    const lock = path.join(root, 'models/.esm2-8m.lock');
    assert.equal(await stopped('SIGINT', /safetensors: [34]/), 130);
    assert.equal(await isThere(lock), false);
    const kept = (await stat(part())).size;
    assert.ok(kept > 3_000_000);
    assert.equal(await stopped('SIGKILL', /safetensors: 5/), null);
    assert.equal(await isThere(lock), true);
    hub.serve = sendFrom;
    const started = Date.now();
    await pull();
    assert.ok(Date.now() - started < 5_000);
    assert.match(hub.filesAsked.at(-1)!, /^model.safetensors bytes=\d{7}-$/);
  });
});

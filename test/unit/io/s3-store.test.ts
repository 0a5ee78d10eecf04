import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { S3_PATIENCE } from '../../../src/contract/defaults.js';
import { ArtifactInvalid, InternalError, OptionError, StorageError } from '../../../src/contract/failures.js';
import { connectToS3 } from '../../../src/io/s3-client.js';
import { S3Objects } from '../../../src/io/s3-objects.js';
import { S3Store } from '../../../src/io/s3-store.js';
import { Scratch } from '../../../src/io/scratch.js';
import { FaultProxy } from '../../support/fault-proxy.js';
import { S3Server, S3_KEYS, describeWithS3 } from '../../support/s3-server.js';
import { temporaryFolder } from '../../support/tiny-models.js';

const QUICK = { ...S3_PATIENCE, firstMs: 10, longestMs: 50, connectMs: 2_000, silentMs: 1_500 };

const KEYS = {
  accessKeyId: S3_KEYS.AWS_ACCESS_KEY_ID as string,
  secretAccessKey: S3_KEYS.AWS_SECRET_ACCESS_KEY as string,
};

/** Over the least size of a part, so that it is sent in three. */
const LARGE = randomBytes((16 << 20) + 1);

const MEDIUM = randomBytes(2 << 20);

describeWithS3('an S3 store', () => {
  let dir: string;
  let server: S3Server;
  let proxy: FaultProxy;
  let hosts = 0;

  before(async () => {
    dir = await temporaryFolder();
    server = await S3Server.start(path.join(dir, 's3'));
    proxy = await FaultProxy.start(server.port);
  });

  afterEach(() => proxy.heal());

  after(async () => {
    await proxy?.close();
    await server?.kill();
    await rm(dir, { recursive: true, force: true });
  });

  /** The store as one more host sees it, through the proxy. */
  function store(
    uri = 's3://runs/out',
    keys: Partial<typeof KEYS> = {},
    { endpoint }: { endpoint: string } = proxy,
  ): S3Store {
    const scratch = new Scratch(path.join(dir, `scratch-${++hosts}`));
    const connection = connectToS3({ endpoint, credentials: { ...KEYS, ...keys } }, QUICK);
    return new S3Store(uri, new S3Objects(() => connection), scratch);
  }

  const bytes = (content: string | Buffer) => async (file: string) => {
    await writeFile(file, content);
    return 3;
  };

  it('publishes, describes, lists and removes', async () => {
    const one = store('s3://runs/first');
    const ref = await one.put('a/b.txt', bytes('hello\n'));
    const sha256 = createHash('sha256').update('hello\n').digest('hex');
    assert.deepEqual(ref, { uri: 's3://runs/first/a/b.txt', sha256, bytes: 6, records: 3 });
    assert.equal(String(await server.read('first/a/b.txt')), 'hello\n');
    await one.put('a/c d/ü%20.txt', bytes(''));
    await one.put('ab.txt', bytes('other'));

    const other = store('s3://runs/first/');
    assert.equal(await readFile(await other.get(ref), 'utf8'), 'hello\n');
    assert.equal(await readFile((await other.peek('a/c d/ü%20.txt'))!, 'utf8'), '');
    assert.equal(await other.peek('a/none'), undefined);
    assert.deepEqual(await other.describe('a/b.txt', 3), ref);
    assert.equal(await other.holds('a/b.txt', ref), true);
    assert.equal(await other.holds('a/b.txt', { ...ref, bytes: 7 }), false);
    assert.deepEqual(await other.list(''), ['a/b.txt', 'a/c d/ü%20.txt', 'ab.txt']);
    assert.deepEqual(await other.list('a'), ['a/b.txt', 'a/c d/ü%20.txt']);
    await other.remove('a');
    assert.deepEqual(await one.list(''), ['ab.txt']);
    await other.remove('a');
    await assert.rejects(one.describe('a/b.txt', 3), ArtifactInvalid);
  });

  it('publishes a folder when it is written', async () => {
    const one = store('s3://runs/folder');
    const said = await one.putFolder('sample/', async (folder) => {
      await writeFile(path.join(folder, 'x.tsv'), 'x');
      assert.deepEqual(await one.list(''), []);
      return 'done';
    });
    assert.equal(said, 'done');
    assert.deepEqual(await one.list(''), ['sample/x.tsv']);
    const failing = one.putFolder('sample/', async (folder) => {
      await writeFile(path.join(folder, 'y.tsv'), 'y');
      throw new Error('no');
    });
    await assert.rejects(failing, /no/);
    assert.deepEqual(await one.list(''), ['sample/x.tsv']);
  });

  it('lists and removes more than an answer holds', async () => {
    const keys = Array.from({ length: 1001 }, (_, i) => `many/${String(i).padStart(4, '0')}`);
    await mkdir(server.file('out/many'), { recursive: true });
    await Promise.all(keys.map((key) => writeFile(server.file(`out/${key}`), 'x')));
    const one = store();
    assert.deepEqual(await one.list('many'), keys);
    // The rest goes as the first ones do.
    for (const key of keys.slice(20)) await rm(server.file(`out/${key}`));
    await one.remove('many');
    assert.deepEqual(await one.list('many'), []);
  });

  it('ends uploads that killed writers left, of this folder alone', async () => {
    const { client } = await connectToS3({ endpoint: server.endpoint, credentials: KEYS });
    const { CreateMultipartUploadCommand, ListMultipartUploadsCommand } = await import('@aws-sdk/client-s3');
    for (const Key of ['left/work/a', 'left/workshop/b']) {
      await client.send(new CreateMultipartUploadCommand({ Bucket: 'runs', Key }));
    }
    await store('s3://runs/left').removeUnpublished('work/');
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: 'runs' }));
    assert.deepEqual(
      Uploads.map(({ Key }) => Key),
      ['left/workshop/b'],
    );
  });

  it('sends large files in parts, and reads them back', async () => {
    const ref = await store().put('large', bytes(LARGE));
    assert.deepEqual(await server.read('out/large'), LARGE);
    assert.deepEqual(await readFile(await store().get(ref)), LARGE);
    assert.equal(proxy.requests.filter((line) => /^PUT \S+partNumber=/.test(line)).length, 3);
  });

  it('keeps to its root', async () => {
    const one = store('s3://runs/inner');
    const ref = await store('s3://runs').put('secret', bytes('x'));
    for (const key of ['../secret', 'a/../../secret', '/secret', 'a//b', './a', '']) {
      await assert.rejects(one.put(key, bytes('y')), InternalError);
    }
    await assert.rejects(one.remove('..'), InternalError);
    await assert.rejects(one.get(ref), InternalError);
    await assert.rejects(one.get({ ...ref, uri: 's3://runs/inner/../secret' }), OptionError);
    await assert.rejects(one.get({ ...ref, sha256: '../../x' }), InternalError);
    assert.equal(String(await server.read('secret')), 'x');
  });

  it('takes nothing for whole whose bytes differ, and removes it, so that no host does', async () => {
    for (const damage of ['wrong', 'sho']) {
      const maker = store();
      const ref = await maker.put('soon-wrong', bytes('right'));
      await writeFile(server.file('out/soon-wrong'), damage);
      await assert.rejects(store().get(ref), (error) => {
        assert.ok(error instanceof ArtifactInvalid);
        assert.equal(error.what, `artifact has sha256 no whole object, expected ${ref.sha256}`);
        return true;
      });
      assert.equal(await maker.peek('soon-wrong'), undefined);
      await maker.put('soon-wrong', bytes('right'));
      assert.equal(await readFile(await store().get(ref), 'utf8'), 'right');
      await writeFile(server.file('out/soon-wrong'), damage);
      assert.equal(await store().peek('soon-wrong'), undefined);
    }
    const ref = await store().put('replaced', bytes('old'));
    await store().put('replaced', bytes('new'));
    await assert.rejects(store().get(ref), /artifact has sha256 [0-9a-f]{64}, expected [0-9a-f]{64}/);
    assert.equal(String(await server.read('out/replaced')), 'new', 'one that is whole stays');
  });

  it('notices a local copy that is damaged, and reads again', async () => {
    const one = store();
    const ref = await one.put('copied', bytes('right'));
    await writeFile(await one.get(ref), 'wrong');
    assert.equal(await readFile(await one.get(ref), 'utf8'), 'right');
  });

  it('reads again when a bit turned on the way', async () => {
    const ref = await store().put('turned', bytes(MEDIUM));
    proxy.harm(/^GET /, { kind: 'flip', at: 1 << 20 });
    assert.deepEqual(await readFile(await store().get(ref)), MEDIUM);
    assert.equal(proxy.left, 0);
  });

  it('bears with a reading that breaks, from where it broke', async () => {
    const ref = await store().put('broken', bytes(MEDIUM));
    proxy.harm(/^GET /, { kind: 'reset' });
    proxy.harm(/^GET /, { kind: 'busy' });
    proxy.harm(/^GET /, { kind: 'cut', of: 'answer', after: 1 << 20 });
    proxy.harm(/^GET /, { kind: 'silent', after: 100_000 });
    proxy.harm(/^GET /, { kind: 'cut', of: 'answer', after: 100 });
    proxy.harm(/^GET /, { kind: 'silent' });
    const copy = await store().get(ref);
    assert.deepEqual(await readFile(copy), MEDIUM);
    assert.equal(proxy.left, 0);
  });

  it('bears with a writing that breaks, and leaves nothing half done', async () => {
    proxy.harm(/^PUT /, { kind: 'reset' });
    proxy.harm(/^PUT /, { kind: 'cut', of: 'request', after: 3 << 20 });
    proxy.harm(/^PUT /, { kind: 'busy' });
    proxy.harm(/^PUT /, { kind: 'silent' });
    proxy.harm(/^POST /, { kind: 'cut', of: 'answer', after: 1 }, 1);
    const ref = await store().put('hard', bytes(LARGE));
    assert.equal(proxy.left, 0);
    assert.deepEqual(await server.read('out/hard'), LARGE);

    proxy.harm(/^PUT /, { kind: 'cut', of: 'request', after: 1 << 20 }, 100);
    const one = store();
    await assert.rejects(one.put('hard', bytes(randomBytes(2 << 20))), StorageError);
    proxy.heal();
    // The old one, whole.
    assert.deepEqual(await readFile(await store().get(ref)), LARGE);
  });

  it('goes on when only the answer to the last request of a writing was lost', async () => {
    // Its parts cannot be put together twice.
    proxy.harm(/^POST \S+uploadId=/, { kind: 'cut', of: 'answer', after: 0 });
    const ref = await store().put('lost', bytes(LARGE));
    assert.equal(proxy.left, 0);
    assert.equal(await store().holds('lost', ref), true);
  });

  it('says what is wrong: where, and what to do, without the secret', async () => {
    const rejects = async (work: Promise<unknown>, what: RegExp, next: RegExp): Promise<void> => {
      await assert.rejects(work, (error) => {
        assert.ok(error instanceof StorageError);
        assert.match(error.what, what);
        assert.match(error.where!, /^s3:\/\/\S+ at http:\/\/127\.0\.0\.1:\d+$/);
        assert.match(error.next, next);
        const all = JSON.stringify([error.message, error.stack, (error.cause as Error).message]);
        assert.doesNotMatch(all, /not-so-secret|another-secret/);
        return true;
      });
    };
    await rejects(store('s3://nowhere/x').put('a', bytes('x')), /^there is no such bucket$/, /Create it/);
    const wrongKey = store('s3://runs/x', { accessKeyId: 'nobody' });
    await rejects(wrongKey.put('a', bytes('x')), /^the credentials are not valid here$/, /AWS_ACCESS_KEY_ID/);
    const wrongSecret = store('s3://runs/x', { secretAccessKey: 'another-secret' });
    await rejects(wrongSecret.put('a', bytes('x')), /^the credentials are not valid here$/, /AWS_SECRET_ACCESS_KEY/);
    await rejects(
      wrongSecret.peek('a'),
      /^the store refuses the credentials, and does not say why$/,
      /AWS_ACCESS_KEY_ID/,
    );
    proxy.harm(/^PUT /, { kind: 'busy' }, 10);
    await rejects(
      store().put('a', bytes('x')),
      /^the store answers 503 ServiceUnavailable: Please try/,
      /^If it stays so, check the store/,
    );
    proxy.heal();
    await server.kill();
    try {
      const direct = store('s3://runs/x', {}, server);
      await rejects(direct.put('a', bytes('x')), /^the store cannot be reached: .*ECONNREFUSED/, /check the store/);
    } finally {
      await server.resume();
    }
  });

  it('leaves no working folder behind', async () => {
    for (const name of await readdir(dir)) {
      if (!name.startsWith('scratch-')) continue;
      assert.deepEqual(await readdir(path.join(dir, name, 'work')).catch(() => []), [], name);
    }
  });
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { type CliCall, startCli } from '../support/cli.js';
import { type ShellBlock, shellBlocks } from '../support/docs-commands.js';
import { goldenCases, goldenModels } from '../support/golden.js';
import { eventually } from '../support/processes.js';
import { describeWithTemporal } from '../support/temporal-cli.js';

/** The order in which a reader comes by them: a page may use what an earlier one made. */
const FIRST = ['README.md', 'docs/quickstart.md'];

/** The tiny classifier in the published ones' format. */
const CLASSIFIER = 'test/fixtures/golden/models/classifier-tiny/tiny_model.pth';

const pages = [...new Set([...FIRST, ...readdirSync('docs').map((name) => `docs/${name}`)])].filter((name) =>
  name.endsWith('.md'),
);

const blocks = pages.flatMap((page) => shellBlocks(page, readFileSync(page, 'utf8')));

describeWithTemporal('commands in README.md and docs', (temporalCli) => {
  let dir: string;
  let env: NodeJS.ProcessEnv;
  let server: CliCall;

  before(async function () {
    this.timeout(120_000);
    dir = await mkdtemp(path.join(tmpdir(), 'vnp-docs-'));
    env = await makeReadersMachine(dir, temporalCli);
    server = startCli(['server', 'start', '--lanes', '2'], path.join(dir, 'state'), '', env);
    await eventually(() => server.output().includes('Web UI'), 60_000);
  });
  after(async () => {
    server?.child.kill('SIGTERM');
    await server?.ended;
    await rm(dir, { recursive: true, force: true });
  });

  for (const block of blocks) {
    const title = `${block.page}:${block.line} ${firstCommand(block)}`;
    if (block.skip !== undefined) it.skip(`${title} (not run: ${block.skip})`);
    else it(title, () => assertRuns(block, path.join(dir, 'work'), env)).timeout(180_000);
  }
});

describe('the pages', () => {
  it('fence what runs virnucpro as sh, so that it is tested', async () => {
    for (const page of pages) {
      const prose = (await readFile(page, 'utf8')).replaceAll(/^( *)```.*?^\1```$/gms, '');
      assert.doesNotMatch(prose, /^ {4,}(\$ )?(npx )?virnucpro /m, `${page} has commands that are only indented`);
    }
  });

  it('say why a block is not run, and how it is indented does not matter', () => {
    const text = 'a\n```sh\nls\n```\n1. b\n\n   ```sh no-test=needs-a-cluster\n   srun x\n   ```\n```json\n{}\n```\n';
    assert.deepEqual(shellBlocks('p.md', text), [
      { page: 'p.md', line: 2, commands: 'ls\n' },
      { page: 'p.md', line: 7, commands: 'srun x\n', skip: 'needs a cluster' },
    ]);
    assert.throws(() => shellBlocks('p.md', '```sh notest\nls\n```\n'), /p\.md:1: "notest"/);
  });
});

function firstCommand({ commands }: ShellBlock): string {
  return commands
    .split('\n')
    .find((line) => !line.startsWith('#'))!
    .replace(/ {2,}#.*/, '');
}

async function assertRuns({ commands }: ShellBlock, cwd: string, env: NodeJS.ProcessEnv): Promise<void> {
  const shell = spawn('bash', ['-eu', '-o', 'pipefail', '-c', commands], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [shell.stdout, shell.stderr]) stream.on('data', (data: Buffer) => (output += data.toString()));
  const [code] = (await once(shell, 'close')) as [number | null];
  assert.equal(code, 0, `${commands}${output}`);
}

/** A folder `work` with the files that the pages name, `virnucpro` on the PATH, and tiny models under the real ones' names. */
async function makeReadersMachine(dir: string, temporalCli: string): Promise<NodeJS.ProcessEnv> {
  const at = (...parts: string[]): string => path.join(dir, ...parts);
  for (const folder of ['bin', 'models', 'work/reads']) await mkdir(at(folder), { recursive: true });
  await writeFile(
    at('bin', 'virnucpro'),
    `#!/bin/sh\nexec '${process.execPath}' '${path.resolve('dist/src/cli/main.js')}' "$@"\n`,
  );
  await chmod(at('bin', 'virnucpro'), 0o755);
  await symlink(path.resolve(goldenModels.dnaModel), at('models', 'dnabert-s'));
  await symlink(path.resolve(goldenModels.proteinModel), at('models', 'esm2-3b'));
  for (const name of ['300_model.pth', '500_model.pth']) await copyFile(CLASSIFIER, at('work', name));
  const [first, second] = goldenCases as [(typeof goldenCases)[0], (typeof goldenCases)[0]];
  const contigs = await readFile('examples/contigs.fa');
  await writeFile(at('work', 'contigs.fa'), contigs);
  await writeFile(at('work', 'contigs.fa.gz'), gzipSync(contigs));
  for (const [plain, packed] of [
    ['A.fa', 'B.fa.gz'],
    ['reads/C.fa', 'reads/D.fa.gz'],
  ] as const) {
    await copyFile(`${first.dir}/input.fa`, at('work', plain));
    await writeFile(at('work', packed), gzipSync(await readFile(`${second.dir}/input.fa`)));
  }
  await writeFile(at('work', 'sheet.csv'), 'sample,path\ngut_1,A.fa\ngut_2,contigs.fa\n');
  return {
    ...process.env,
    PATH: `${at('bin')}:${process.env['PATH']}`,
    VIRNUCPRO_MODELS: at('models'),
    VIRNUCPRO_STATE_DIR: at('state'),
    VIRNUCPRO_CACHE_DIR: at('cache'),
    VIRNUCPRO_TEMPORAL_CLI: temporalCli,
  };
}

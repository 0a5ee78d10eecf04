/**
 * Makes a clone ready to use: packages, build, Temporal CLI. Does only what is missing; says nothing when nothing is.
 * Plain Node, because it runs before anything is installed.
 */
import { spawnSync } from 'node:child_process';
import { lstatSync, readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
process.chdir(root);

checkNode();
if (packagesAreStale()) installPackages();
if (buildIsStale()) build();
await ensureTemporalCli();

function checkNode() {
  const wanted = JSON.parse(readFileSync('package.json', 'utf8')).engines.node.replace('>=', '');
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [wantedMajor, wantedMinor] = wanted.split('.').map(Number);
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return;
  stop(`Node ${process.versions.node} is too old: VirNucPro needs ${wanted} or newer.`);
}

/** A linked folder belongs to whoever linked it and is taken as it is. */
function packagesAreStale() {
  if (lstatSync('node_modules', { throwIfNoEntry: false })?.isSymbolicLink()) return false;
  return modified('node_modules/.package-lock.json') < modified('package-lock.json');
}

function installPackages() {
  say('Installing packages (about a minute) ...');
  // onnxruntime-node would fetch its CUDA libraries (hundreds of MB); the CPU ones are in the package.
  run('npm', ['ci', '--no-fund', '--no-audit'], { ONNXRUNTIME_NODE_INSTALL: 'skip', ...process.env });
}

/** The workflow bundle is the last thing that a build writes. */
function buildIsStale() {
  const sources = ['src', 'test', 'tsconfig.json', 'package-lock.json'];
  return modified('dist/src/workflow-bundle.js') < Math.max(...sources.map(newestIn));
}

/** From nothing, so that no compiled test of a deleted source is left behind. */
function build() {
  say('Building ...');
  run('npm', ['run', '--silent', 'clean']);
  run('npm', ['run', '--silent', 'build']);
}

async function ensureTemporalCli() {
  const { locateTemporalCli } = await import('../dist/src/server/temporal-cli.js');
  const { cacheFolderPath } = await import('../dist/src/io/user-folders.js');
  if (await locateTemporalCli({ cacheDir: cacheFolderPath() }).catch(printAndStop)) return;
  say(
    'Getting the Temporal CLI, which holds the embedded server: a download, or else a build with Go.\n' +
      'The build takes about 5 minutes, once: the result is kept in ' +
      `${cacheFolderPath()} ...`,
  );
  run(process.execPath, ['dist/src/cli/main.js', 'server', 'install']);
}

function newestIn(file) {
  const found = statSync(file);
  if (!found.isDirectory()) return found.mtimeMs;
  return Math.max(found.mtimeMs, ...readdirSync(file).map((name) => newestIn(path.join(file, name))));
}

function modified(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Runs a program on this terminal and stops when it fails; it has said why. */
function run(program, args, env = process.env) {
  const { status, error } = spawnSync(program, args, { env, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0)
    stop(`${error ? `${error.message}\n` : ''}Set-up stopped: \`${program} ${args.join(' ')}\` failed.`);
}

function printAndStop({ message }) {
  stop(message);
}

function say(text) {
  process.stderr.write(`${text}\n`);
}

function stop(message) {
  say(message);
  process.exit(1);
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { mkdir, readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cacheFolderPath } from '../../src/io/user-folders.js';
import { freePort } from './free-port.js';

/** A Go program that scripts/setup-tests.mjs builds where Go is. */
export const S3_SERVER = { module: 'github.com/versity/versitygw/cmd/versitygw', version: '1.8.0' } as const;

/** Where it is kept. */
export const S3_PROGRAM = path.join(cacheFolderPath(), 'versitygw', S3_SERVER.version, 'versitygw');

const PATIENCE_MS = 10_000;

export const S3_KEYS = { AWS_ACCESS_KEY_ID: 'virnucpro-test', AWS_SECRET_ACCESS_KEY: 'not-so-secret' } as const;

/** `describe` for tests that need the S3 server: elsewhere one skip that says why. */
export function describeWithS3(title: string, tests: () => void): void {
  if (isExecutable(S3_PROGRAM)) describe(title, tests);
  else
    describe.skip(`${title} (skipped: no S3 server here; install Go; node scripts/setup-tests.mjs builds one)`, tests);
}

/** versitygw on loopback: objects are files in `<folder>/objects/<bucket>`, digests and the like beside them. */
export class S3Server {
  private child: ChildProcess | undefined;

  private constructor(
    private readonly folder: string,
    readonly port: number,
  ) {}

  /** Starts a server with one empty bucket, `runs`. */
  static async start(folder: string): Promise<S3Server> {
    await mkdir(path.join(folder, 'objects', 'runs'), { recursive: true });
    await mkdir(path.join(folder, 'facts'), { recursive: true });
    const server = new S3Server(folder, await freePort());
    await server.resume();
    return server;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** What a process needs to use it. */
  get env(): Record<string, string> {
    return { ...S3_KEYS, AWS_ENDPOINT_URL_S3: this.endpoint, AWS_REGION: 'us-east-1' };
  }

  /** The file that holds an object's bytes. */
  file(key: string): string {
    return path.join(this.folder, 'objects', 'runs', key);
  }

  /** Keys of all objects, sorted. */
  async keys(): Promise<string[]> {
    const root = path.join(this.folder, 'objects', 'runs');
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
      .filter((key) => !key.startsWith('.sgwtmp'))
      .sort();
  }

  read(key: string): Promise<Buffer> {
    return readFile(this.file(key));
  }

  async kill(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  /** Starts it again where it was. */
  async resume(): Promise<void> {
    const args = ['--port', `127.0.0.1:${this.port}`, '--quiet', 'posix', '--sidecar', path.join(this.folder, 'facts')];
    this.child = spawn(S3_PROGRAM, [...args, path.join(this.folder, 'objects')], {
      stdio: 'ignore',
      env: { ROOT_ACCESS_KEY: S3_KEYS.AWS_ACCESS_KEY_ID, ROOT_SECRET_KEY: S3_KEYS.AWS_SECRET_ACCESS_KEY },
    });
    for (const startedAt = Date.now(); ; await sleep(20)) {
      if (await fetch(this.endpoint).catch(() => undefined)) return;
      if (Date.now() - startedAt > PATIENCE_MS) throw new Error(`the S3 server does not answer at ${this.endpoint}`);
    }
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

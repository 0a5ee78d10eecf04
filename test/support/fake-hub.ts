import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile, readdir } from 'node:fs/promises';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

/** An entry of the hub's list of files. */
export interface Sibling {
  rfilename: string;
  size?: number;
  blobId?: string;
  lfs?: { sha256: string };
}

/** A request for a file's content. */
export interface FileRequest {
  name: string;
  content: Buffer;
  /** First byte asked for. */
  from: number;
  range: string | undefined;
}

/** A hub on this machine with one repository at one commit. Its habits can be made bad. */
export class FakeHub {
  readonly revision = '0123456789abcdef0123456789abcdef01234567';
  /** What was asked, in order: path and query, with the range if one was asked for. */
  readonly asked: string[] = [];
  readonly headers: IncomingMessage['headers'][] = [];
  /** Changes the list of files. */
  list = (siblings: Sibling[]): Sibling[] => siblings;
  /** Answers a request for the list or, before {@link serve}, for anything: true when it did. */
  answer = (_url: string, _response: ServerResponse): boolean => false;
  /** Answers a request for a file. */
  serve = (request: FileRequest, response: ServerResponse): void => sendFrom(request, response);

  private readonly server = createServer((request, response) => this.handle(request, response));

  private constructor(
    readonly repo: string,
    readonly files: Map<string, Buffer>,
  ) {}

  /** Serves the files of a folder, and what else a repository has. */
  static async open(repo: string, folder: string): Promise<FakeHub> {
    const files = new Map<string, Buffer>([
      ['README.md', Buffer.from('# a model\n')],
      ['tf_model.h5', Buffer.from('other weights')],
      ['onnx/model.safetensors', Buffer.from('not at the top')],
      ['modeling_code.py', Buffer.from('raise SystemExit\n')],
    ]);
    for (const name of await readdir(folder)) files.set(name, await readFile(path.join(folder, name)));
    const hub = new FakeHub(repo, files);
    hub.server.listen(0, '127.0.0.1');
    await once(hub.server, 'listening');
    return hub;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Names of the files that were asked for, with the ranges. */
  get filesAsked(): string[] {
    const prefix = `/${this.repo}/resolve/${this.revision}/`;
    return this.asked.filter((url) => url.startsWith(prefix)).map((url) => url.slice(prefix.length));
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private handle(request: IncomingMessage, response: ServerResponse): void {
    const { url = '', headers } = request;
    this.asked.push(headers.range === undefined ? url : `${url} ${headers.range}`);
    this.headers.push(headers);
    if (this.answer(url, response)) return;
    if (url.startsWith(`/api/models/${this.repo}/revision/`)) {
      response.end(JSON.stringify({ id: this.repo, sha: this.revision, siblings: this.list(this.siblings()) }));
      return;
    }
    const name = url.slice(`/${this.repo}/resolve/${this.revision}/`.length);
    const content = this.files.get(name);
    if (content === undefined) {
      response.writeHead(404).end();
      return;
    }
    const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
    this.serve({ name, content, from, range: headers.range }, response);
  }

  private siblings(): Sibling[] {
    return [...this.files].map(([rfilename, content]) => {
      const entry = { rfilename, size: content.length };
      return /\.(safetensors|bin|h5)$/.test(rfilename)
        ? { ...entry, blobId: 'a pointer, not the file', lfs: { sha256: sha256(content) } }
        : { ...entry, blobId: gitOid(content) };
    });
  }
}

/** A good server's answer. */
export function sendFrom({ content, from, range }: FileRequest, response: ServerResponse): void {
  if (from >= content.length && range !== undefined) {
    response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
    return;
  }
  response.writeHead(range === undefined ? 200 : 206, {
    'content-length': content.length - from,
    ...(range !== undefined && { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` }),
  });
  response.end(content.subarray(from));
}

/** Time in which what was sent arrives, on a busy machine, too. */
const BREAK_OFF_MS = 300;

/** Promises all that is asked for, and breaks the connection off after `bytes`. */
export function breakOffAfter(bytes: number, { content, from, range }: FileRequest, response: ServerResponse): void {
  response.writeHead(range === undefined ? 200 : 206, {
    'content-length': content.length - from,
    ...(range !== undefined && { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` }),
  });
  // What is on its way when a connection breaks is lost: without a pause that may be all of it.
  response.write(content.subarray(from, from + bytes), () => setTimeout(() => response.destroy(), BREAK_OFF_MS));
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function gitOid(content: Buffer): string {
  return createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
}

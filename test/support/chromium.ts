import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';

const CHROMIUM = process.env['VIRNUCPRO_TEST_CHROMIUM'] ?? 'chromium';

/** Whether this machine has a Chromium. */
export function hasChromium(): boolean {
  return spawnSync(CHROMIUM, ['--version']).status === 0;
}

interface Message {
  id?: number;
  method?: string;
  params?: Record<string, unknown>;
  result?: Record<string, unknown>;
  error?: { message: string };
}

/** How a page is shown. */
export interface Look {
  width: number;
  scheme?: 'light' | 'dark';
}

/** What happened while a page was shown. */
export interface Visit {
  /** Console errors and warnings, exceptions, violations of the page's policy. */
  complaints: string[];
  /** Everything that was asked for, the page itself included. */
  requests: string[];
  /** Value of an expression in the page. */
  ask<T>(expression: string): Promise<T>;
  /** A picture of the whole page. */
  picture(file: string): Promise<void>;
}

/** A headless Chromium without network, driven over the DevTools protocol by a pipe. */
export class Browser {
  private last = 0;
  private readonly waiting = new Map<number, (message: Message) => void>();
  private listen: (message: Message) => void = () => {};
  private rest = '';

  private constructor(
    private readonly child: ChildProcess,
    private readonly profile: string,
  ) {
    (child.stdio[4] as Readable).setEncoding('utf8').on('data', (text: string) => this.take(text));
  }

  static async open(): Promise<Browser> {
    const profile = await mkdtemp(path.join(tmpdir(), 'vnp-chromium-'));
    const args = ['--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--remote-debugging-pipe'];
    const child = spawn(CHROMIUM, [...args, `--user-data-dir=${profile}`, '--no-first-run', 'about:blank'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    });
    return new Browser(child, profile);
  }

  /** Shows a file and waits until it is loaded. One page at a time. */
  async visit(file: string, { width, scheme = 'light' }: Look): Promise<Visit> {
    const { targetId } = await this.call('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.call('Target.attachToTarget', { targetId, flatten: true });
    const call = (method: string, params: object = {}) => this.call(method, params, sessionId as string);
    const complaints: string[] = [];
    const requests: string[] = [];
    let loaded = (): void => {};
    const load = new Promise<void>((resolve) => (loaded = resolve));
    this.listen = ({ method, params }) => {
      if (method === 'Page.loadEventFired') loaded();
      if (method === 'Network.requestWillBeSent') requests.push((params!['request'] as { url: string }).url);
      if (method === 'Runtime.exceptionThrown' || method === 'Log.entryAdded') complaints.push(JSON.stringify(params));
      if (method === 'Runtime.consoleAPICalled') complaints.push(JSON.stringify(params!['args']));
    };
    for (const domain of ['Page', 'Network', 'Runtime', 'Log']) await call(`${domain}.enable`);
    await call('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
    await call('Emulation.setDeviceMetricsOverride', { width, height: 900, deviceScaleFactor: 1, mobile: width < 600 });
    await call('Page.navigate', { url: pathToFileURL(file).href });
    await load;
    return {
      complaints,
      requests,
      ask: async <T>(expression: string) => {
        const { result } = await call('Runtime.evaluate', { expression, returnByValue: true });
        return (result as { value: T }).value;
      },
      picture: async (target) => {
        const { data } = await call('Page.captureScreenshot', { captureBeyondViewport: true });
        await writeFile(target, Buffer.from(data as string, 'base64'));
      },
    };
  }

  async close(): Promise<void> {
    const closed = once(this.child, 'close');
    await this.call('Browser.close').catch(() => this.child.kill('SIGKILL'));
    await closed;
    await rm(this.profile, { recursive: true, force: true, maxRetries: 5 });
  }

  private async call(method: string, params: object = {}, sessionId?: string): Promise<Record<string, unknown>> {
    const id = ++this.last;
    const answer = new Promise<Message>((resolve) => this.waiting.set(id, resolve));
    const message = { id, method, params, ...(sessionId === undefined ? {} : { sessionId }) };
    (this.child.stdio[3] as Writable).write(`${JSON.stringify(message)}\0`);
    const { result, error } = await answer;
    if (error) throw new Error(`${method}: ${error.message}`);
    return result ?? {};
  }

  private take(text: string): void {
    const messages = (this.rest + text).split('\0');
    this.rest = messages.pop()!;
    for (const one of messages) {
      const message = JSON.parse(one) as Message;
      if (message.id === undefined) this.listen(message);
      else {
        this.waiting.get(message.id)?.(message);
        this.waiting.delete(message.id);
      }
    }
  }
}

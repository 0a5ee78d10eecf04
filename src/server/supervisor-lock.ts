import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { z } from 'zod';
import { ServerError } from '../contract/failures.js';
import { LOOPBACK } from './ports.js';
import { stateFile, type StateFolder } from './state-folder.js';
import { settledWithin } from './timing.js';

/** Changes when supervisors and followers of two versions would not understand each other. */
const PROTOCOL = 'virnucpro-supervisor/1';

/** A supervisor on a busy machine answers within milliseconds; a suspended one never. */
const GREETING_MS = 5_000;

const messageSchema = z.object({
  protocol: z.string(),
  /** {@link StateFolder.id}. */
  state: z.string(),
  pid: z.number().int(),
  phase: z.enum(['starting', 'ready', 'restarting', 'stopping']),
  /** Why it is not ready. */
  detail: z.string().optional(),
  /** Everybody is to leave: somebody stops the server. */
  leave: z.literal(true).optional(),
});

/** What a process says that wants server and members stopped. */
const stopSchema = z.object({ stop: z.string() });

/** What a supervisor says to each follower when it connects and at every change: one JSON line. */
export type SupervisorMessage = z.infer<typeof messageSchema>;

/** How far a supervisor is with its server. */
export type Phase = SupervisorMessage['phase'];

/**
 * The right to run the server of a state folder: a listening socket, which the kernel gives to one process only and
 * takes back when that process ends in any way.
 */
export class SupervisorLock {
  readonly #followers = new Set<Socket>();
  #message: SupervisorMessage;

  private constructor(
    private readonly listener: Server,
    private readonly folder: StateFolder,
    private readonly onStop: () => void,
  ) {
    this.#message = { protocol: PROTOCOL, state: folder.id, pid: process.pid, phase: 'starting' };
    listener.on('connection', (socket) => this.#greet(socket));
  }

  /**
   * The lock, or undefined when some process holds the port.
   * @param onStop called when the folder's owner asks for the end ({@link SupervisorLink.askToStop}); followers know then.
   */
  static async take(folder: StateFolder, onStop: () => void): Promise<SupervisorLock | undefined> {
    const listener = createServer();
    const lock = new SupervisorLock(listener, folder, onStop);
    listener.listen({ host: LOOPBACK, port: folder.ports.supervisor, exclusive: true });
    try {
      await once(listener, 'listening');
      return lock;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
      throw error;
    }
  }

  /** Tells every follower, also those to come. */
  announce(phase: Phase, detail?: string): void {
    this.#message = { ...this.#message, phase, ...{ detail } };
    for (const follower of this.#followers) this.#send(follower, this.#message);
  }

  /** Lets one of the followers take over. */
  async release(): Promise<void> {
    const closed = once(this.listener, 'close');
    this.listener.close();
    for (const follower of this.#followers) follower.destroy();
    await closed;
  }

  #greet(socket: Socket): void {
    this.#followers.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.#followers.delete(socket));
    onLines(socket, (line) => void this.#stopIfAsked(line));
    this.#send(socket, this.#message);
  }

  /** Any process of this machine may connect; only the folder's owner can have put the word into its file. */
  async #stopIfAsked(line: string): Promise<void> {
    const asked = parsed(stopSchema, line)?.stop;
    const word = await readFile(stateFile(this.folder.dir, 'stop'), 'utf8').catch(() => undefined);
    if (asked === undefined || asked !== word) return;
    for (const follower of this.#followers) this.#send(follower, { ...this.#message, leave: true });
    this.onStop();
  }

  #send(follower: Socket, message: SupervisorMessage): void {
    follower.write(JSON.stringify(message) + '\n');
  }
}

/** A follower's connection to the supervisor. */
export class SupervisorLink {
  /** Settles when the supervisor is gone, or after {@link disconnect}. */
  readonly closed: Promise<void>;

  private constructor(
    private readonly socket: Socket,
    /** The last message. */
    public message: SupervisorMessage,
  ) {
    this.closed = socket.closed ? Promise.resolve() : once(socket, 'close').then(() => {});
  }

  /**
   * Connects and waits for the greeting; undefined when nobody listens (any more).
   * @param onMessage hears every message, the greeting too.
   * @throws ServerError when what listens is not the supervisor of this folder.
   */
  static async connect(
    folder: StateFolder,
    onMessage: (message: SupervisorMessage) => void = () => {},
  ): Promise<SupervisorLink | undefined> {
    const socket = connect({ host: LOOPBACK, port: folder.ports.supervisor });
    socket.on('error', () => {});
    let link: SupervisorLink | undefined;
    let foreign: string | undefined;
    const settled = new Promise<void>((resolve) => {
      socket.once('close', () => resolve());
      onLines(socket, (line) => {
        const message = parsed(messageSchema, line);
        if (message?.protocol !== PROTOCOL || message.state !== folder.id) {
          foreign = whoIsIt(message);
          socket.destroy();
        } else {
          if (link) link.message = message;
          else link = new SupervisorLink(socket, message);
          onMessage(message);
        }
        resolve();
      });
    });
    if (!(await settledWithin(settled, GREETING_MS))) foreign = 'a program that does not answer';
    if (foreign !== undefined) {
      socket.destroy();
      throw foreignListener(folder, foreign);
    }
    return link;
  }

  /** Asks the supervisor to end the server and to send every member away. Older versions take no notice. */
  async askToStop(folder: StateFolder): Promise<void> {
    const stop = randomUUID();
    await writeFile(stateFile(folder.dir, 'stop'), stop, { mode: 0o600 });
    this.socket.write(JSON.stringify({ stop }) + '\n');
  }

  disconnect(): void {
    this.socket.destroy();
  }
}

function onLines(socket: Socket, onLine: (line: string) => void): void {
  let text = '';
  socket.setEncoding('utf8').on('data', (piece: string) => {
    const lines = (text + piece).split('\n');
    text = lines.pop() ?? '';
    // No message is that long: let it be refused as it is.
    if (text.length > 65_536) lines.push(text);
    for (const line of lines) onLine(line);
  });
}

function parsed<T>(schema: z.ZodType<T>, line: string): T | undefined {
  try {
    return schema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}

function whoIsIt(message: SupervisorMessage | undefined): string {
  if (message === undefined) return 'a program that is not VirNucPro';
  if (message.protocol !== PROTOCOL)
    return `another version of VirNucPro (${message.protocol}, process ${message.pid})`;
  return `VirNucPro with another state folder (process ${message.pid})`;
}

function foreignListener(folder: StateFolder, who: string): ServerError {
  return new ServerError({
    what: `port ${folder.ports.supervisor} on ${LOOPBACK}, the embedded Temporal's supervisor port, is held by ${who}`,
    where: stateFile(folder.dir, 'ports.json'),
    next:
      'Resume a virnucpro command that you have suspended (fg), or end that program, ' +
      'or delete this file while no virnucpro command runs; new ports are chosen then',
  });
}

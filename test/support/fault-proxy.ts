import { once } from 'node:events';
import { type Server, type Socket, connect, createServer } from 'node:net';

/** What happens to one connection. Bytes count from the connection's start, headers too. */
export type Fault =
  /** Closed before an answer. */
  | { kind: 'reset' }
  /** Closed after so many bytes of the answer, or of the request. */
  | { kind: 'cut'; after: number; of: 'answer' | 'request' }
  /** Nothing comes back, and nothing is closed; with `after`, from that byte of the answer on. */
  | { kind: 'silent'; after?: number }
  /** A server that is too busy. */
  | { kind: 'busy' }
  /** One bit of the answer is wrong. */
  | { kind: 'flip'; at: number };

const BUSY_BODY = '<Error><Code>ServiceUnavailable</Code><Message>Please try again later.</Message></Error>';
const BUSY =
  'HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/xml\r\nconnection: close\r\n' +
  `content-length: ${BUSY_BODY.length}\r\n\r\n${BUSY_BODY}`;

/** Stands between a client and a server that closes each connection after one request, and does harm when asked. */
export class FaultProxy {
  private faults: { fault: Fault; request: RegExp }[] = [];
  private readonly sockets = new Set<Socket>();
  /** First lines of the requests so far. */
  readonly requests: string[] = [];

  private constructor(
    private readonly server: Server,
    private readonly port: number,
  ) {
    server.on('connection', (client) => this.serve(client));
  }

  static async start(port: number): Promise<FaultProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FaultProxy(server, port);
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.server.address() as { port: number }).port}`;
  }

  /** The next `times` requests whose first line is such meet the fault. */
  harm(request: RegExp, fault: Fault, times = 1): void {
    this.faults.push(...Array.from({ length: times }, () => ({ fault, request })));
  }

  /** Faults that no request has met. */
  get left(): number {
    return this.faults.length;
  }

  heal(): void {
    this.faults = [];
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private serve(client: Socket): void {
    const server = connect(this.port, '127.0.0.1');
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.sockets.add(one);
      one.on('error', () => {});
      one.once('close', () => {
        this.sockets.delete(one);
        other.destroySoon();
      });
    }
    const close = (): void => {
      client.resetAndDestroy();
      server.destroy();
    };
    let fault: Fault | undefined;
    let asked = 0;
    client.on('data', (piece) => {
      if (asked === 0) fault = this.faultFor(piece.toString('latin1').split('\r\n')[0]!);
      asked += piece.length;
      if (fault?.kind === 'reset') return close();
      if (fault?.kind === 'busy') return void client.end(BUSY);
      if (fault?.kind === 'silent' && fault.after === undefined) return;
      if (fault?.kind === 'cut' && fault.of === 'request' && asked > fault.after) return close();
      server.write(piece);
    });
    let answered = 0;
    server.on('data', (piece) => {
      const from = answered;
      answered += piece.length;
      if (fault?.kind === 'cut' && fault.of === 'answer' && answered > fault.after) {
        client.write(piece.subarray(0, fault.after - from), close);
        fault = { kind: 'silent' };
      } else if (fault?.kind === 'silent' && answered > (fault.after ?? 0)) {
        client.write(piece.subarray(0, Math.max(0, (fault.after ?? 0) - from)));
      } else {
        const at = fault?.kind === 'flip' ? fault.at - from : -1;
        if (at >= 0 && at < piece.length) piece[at]! ^= 1;
        client.write(piece);
      }
    });
  }

  private faultFor(line: string): Fault | undefined {
    this.requests.push(line);
    const index = this.faults.findIndex(({ request }) => request.test(line));
    return index === -1 ? undefined : this.faults.splice(index, 1)[0]!.fault;
  }
}

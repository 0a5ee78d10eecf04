import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';

/** A node's only way to a server on this machine: containers share its network, so what is cut is this. */
export class Cable {
  private readonly ends = new Set<Socket>();
  private isCut = false;

  private constructor(
    private readonly server: Server,
    private readonly port: number,
  ) {
    server.on('connection', (node) => this.connect(node));
  }

  /** @param port of the server, on loopback. */
  static async lay(port: number): Promise<Cable> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Cable(server, port);
  }

  /** What the node takes for the server. */
  get address(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** From now on nothing arrives, in either direction, and nobody is told. */
  cut(): void {
    this.isCut = true;
    for (const end of this.ends) end.pause();
  }

  /** New connections work again; those of before have lost too much, and break. */
  mend(): void {
    this.isCut = false;
    this.breakAll();
  }

  close(): void {
    this.breakAll();
    this.server.close();
  }

  private connect(node: Socket): void {
    this.keep(node);
    if (this.isCut) return void node.pause();
    const server = this.keep(connect(this.port, '127.0.0.1'));
    for (const [one, other] of [
      [node, server],
      [server, node],
    ] as const) {
      // Not by pipe, which would have a paused end flow again.
      one.on('data', (piece) => other.write(piece));
      one.on('close', () => (this.isCut ? undefined : other.destroySoon()));
    }
  }

  private keep(end: Socket): Socket {
    this.ends.add(end);
    end.on('error', () => {});
    end.on('close', () => this.ends.delete(end));
    return end;
  }

  private breakAll(): void {
    for (const end of this.ends) end.destroy();
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Connection } from '@temporalio/client';
import { embeddedConnectionOptions } from '../../src/server/dev-server.js';
import { eventually } from './processes.js';
import { freePort } from './free-port.js';

/** A Temporal server as somebody else has it: in memory, and it knows nothing of VirNucPro, no search attribute either. */
export class OwnServer {
  readonly address: string;
  private readonly child: ChildProcess;

  private constructor(temporalCli: string, port: number) {
    this.address = `127.0.0.1:${port}`;
    const place = ['--ip', '127.0.0.1', '--port', `${port}`, '--headless', '--log-level', 'error'];
    this.child = spawn(temporalCli, ['server', 'start-dev', '--disable-config-env', ...place], { stdio: 'ignore' });
  }

  /** Returns once it serves. */
  static async start(temporalCli: string, port?: number): Promise<OwnServer> {
    const server = new OwnServer(temporalCli, port ?? (await freePort()));
    const connection = Connection.lazy(embeddedConnectionOptions(server.address));
    const serves = (): Promise<boolean> =>
      connection.workflowService.describeNamespace({ namespace: 'default' }).then(
        () => true,
        () => false,
      );
    await eventually(serves, 60_000).finally(() => connection.close());
    return server;
  }

  async stop(): Promise<void> {
    const exited = once(this.child, 'exit');
    if (this.child.kill('SIGKILL')) await exited;
  }
}

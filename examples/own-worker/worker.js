import { fileURLToPath } from 'node:url';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection, Worker } from '@temporalio/worker';
import { VirnucproPlugin } from 'virnucpro-temporal';
import * as activities from './activities.js';

const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
const connection = await NativeConnection.connect(connectionOptions);

const worker = await Worker.create({
  connection,
  namespace,
  taskQueue: 'own-queue',
  workflowsPath: fileURLToPath(new URL('./workflows.js', import.meta.url)),
  activities,
  // Adds VirNucPro's activities to this worker and serves two CPU lanes on this machine while it runs.
  plugins: [new VirnucproPlugin({ lanes: { count: 2 } })],
});

await worker.run();
await connection.close();

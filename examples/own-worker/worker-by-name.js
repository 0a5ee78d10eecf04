import { fileURLToPath } from 'node:url';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection, Worker } from '@temporalio/worker';
import { VirnucproPlugin } from 'virnucpro-temporal';

const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
const connection = await NativeConnection.connect(connectionOptions);

const worker = await Worker.create({
  connection,
  namespace,
  taskQueue: 'by-name',
  workflowsPath: fileURLToPath(new URL('./workflows-by-name.js', import.meta.url)),
  // Beside this worker it runs VirNucPro's workflows and activities on their own queues, and one CPU lane.
  plugins: [new VirnucproPlugin({ roles: ['control', 'cpu'], lanes: { count: 1 } })],
});

await worker.run();
await connection.close();

/** A host of another build, with all roles and two CPU lanes: an agent in a process of its own. Its argument: the host's name. */
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';
import { parentGone } from '../../../src/server/managed-child.js';
import { connectWorker } from '../../../src/workers/connection.js';
import { cpuDevices } from '../../../src/workers/cpu-devices.js';
import { HostAgent } from '../../../src/workers/host-agent.js';
import { createLog, installRuntime } from '../../../src/workers/log.js';
import { ROLES } from '../../../src/workers/roles.js';

const log = createLog({ role: 'agent' });
installRuntime(log);
void parentGone().then(() => process.kill(process.pid, 'SIGKILL'));
const agent = await HostAgent.create({
  roles: ROLES,
  devices: cpuDevices(2, 2),
  connection: await connectWorker(log),
  log,
  host: process.argv[2]!,
  workflowBundle: await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('./other-build.js', import.meta.url)),
  }),
});
process.on('SIGTERM', () => agent.shutdown());
await agent.run();
process.disconnect();

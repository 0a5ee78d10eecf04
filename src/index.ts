/**
 * The entry `virnucpro-temporal`: the worker side, for a host's own workers. Workflows are in
 * `virnucpro-temporal/workflows`, activities in `virnucpro-temporal/activities`.
 */
export { VirnucproPlugin, type VirnucproPluginOptions } from './plugin.js';

export { type WorkerConnection, connectWorker } from './workers/connection.js';
export { cpuDevices } from './workers/cpu-devices.js';
export { HostAgent, type HostAgentOptions } from './workers/host-agent.js';
export { type Logger, createLog, sdkLog } from './workers/log.js';
export { ROLES, type Role } from './workers/roles.js';
export { workflowBundle } from './workers/workflow-bundle.js';

export { DEVICE_KINDS, type Device, type DeviceKind } from './contract/devices.js';
export {
  ArtifactInvalid,
  Declined,
  DeviceError,
  InputError,
  InternalError,
  LaneLost,
  LaneSick,
  ModelError,
  NonFiniteEmbedding,
  OptionError,
  OutOfMemory,
  type Problem,
  RunFailed,
  ServerError,
  StorageError,
  VirnucproError,
} from './contract/failures.js';
export { CONTROL_QUEUE, CPU_QUEUE, leaseQueue } from './contract/queues.js';
export { STAGES, type Stage } from './contract/stages.js';
export { version } from './version.js';

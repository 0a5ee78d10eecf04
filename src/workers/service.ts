import type { ConnectionOptions } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { OptionError } from '../contract/failures.js';

/** A Temporal service by what tells it from others; a run's record names its own. */
export interface ServiceName {
  address: string;
  namespace: string;
}

/** A Temporal service and how it is reached. */
export interface Service extends ServiceName {
  connectionOptions: ConnectionOptions;
  /** In which an agent reaches it in the same way. */
  env: NodeJS.ProcessEnv;
  /** The variable for all that uses Temporal that chose it; none: somebody did, for VirNucPro. */
  variable?: string;
}

/** What Temporal's own command line takes when nothing names an address. */
const DEFAULT_ADDRESS = 'localhost:7233';

/** `temporal.example.org:7233 (namespace viromes)`. */
export function serviceText({ address, namespace }: ServiceName): string {
  return `${address} (namespace ${namespace})`;
}

/**
 * The service that Temporal's own environment configuration names: variables, and the file and profile that they name.
 * @throws OptionError when that cannot be read.
 */
export function configuredService(env: NodeJS.ProcessEnv): Service {
  try {
    const { connectionOptions, namespace = 'default' } = loadClientConnectConfig({
      overrideEnvVars: env as Record<string, string>,
    });
    const address = connectionOptions.address ?? DEFAULT_ADDRESS;
    return {
      address,
      namespace,
      connectionOptions: { ...(connectionOptions as ConnectionOptions), address },
      env: { ...env, TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace },
    };
  } catch (error) {
    throw new OptionError({
      what: `Temporal's environment configuration cannot be read: ${(error as Error).message}`,
      next: 'Check the TEMPORAL_ variables and the file that TEMPORAL_CONFIG_FILE names; predict --no-service does without',
      cause: error,
    });
  }
}

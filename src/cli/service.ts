import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { ConnectionOptions } from '@temporalio/client';
import { OptionError } from '../contract/failures.js';
import { yesOrNo } from './options/value-types.js';

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

/**
 * The service that runs are on, undefined for this machine's embedded server: a service when `asked` for, or when
 * TEMPORAL_ADDRESS or TEMPORAL_PROFILE is set. A configuration file alone, which other programs have, chooses nothing.
 * @param asked `--service` or `--no-service`; without, VIRNUCPRO_SERVICE.
 * @throws OptionError when Temporal's environment configuration cannot be read.
 */
export function chooseService(asked: boolean | undefined, env: NodeJS.ProcessEnv): Service | undefined {
  const explicit = asked ?? askedByVariable(env);
  if (explicit !== undefined) return explicit ? configured(env) : undefined;
  const variable = ['TEMPORAL_ADDRESS', 'TEMPORAL_PROFILE'].find((name) => env[name]);
  return variable === undefined ? undefined : { ...configured(env), variable };
}

/**
 * The service that a folder's run is on, with the environment's credentials if its configuration is for that very service.
 * Else without any: a file in a folder shall not have them sent elsewhere.
 */
export function recordedService(name: ServiceName, env: NodeJS.ProcessEnv): Service {
  const ofEnvironment = configured(env);
  if (isSame(ofEnvironment, name)) return ofEnvironment;
  const { address } = name;
  return { ...name, connectionOptions: { address }, env: environmentOf(name, env) };
}

/** An environment for a server without credentials: nothing of another's configuration is for it. */
export function environmentOf({ address, namespace }: ServiceName, env = process.env): NodeJS.ProcessEnv {
  const others = Object.entries(env).filter(([name]) => !name.startsWith('TEMPORAL_'));
  return {
    ...Object.fromEntries(others),
    TEMPORAL_ADDRESS: address,
    TEMPORAL_NAMESPACE: namespace,
    TEMPORAL_CONFIG_FILE: '/nonexistent',
  };
}

/** Whether two names are of one service, or both of none. */
export function isSame(a: ServiceName | undefined, b: ServiceName | undefined): boolean {
  return a?.address === b?.address && a?.namespace === b?.namespace;
}

/** `temporal.example.org:7233 (namespace viromes)`. */
export function serviceText({ address, namespace }: ServiceName): string {
  return `${address} (namespace ${namespace})`;
}

/** A service, or the embedded server, in words. */
export function placeText(service: ServiceName | undefined): string {
  return service === undefined ? "this machine's own server" : `the Temporal service ${serviceText(service)}`;
}

function askedByVariable(env: NodeJS.ProcessEnv): boolean | undefined {
  const value = env['VIRNUCPRO_SERVICE'];
  if (!value) return undefined;
  const parsed = yesOrNo().safeParse(value);
  if (parsed.success) return parsed.data;
  throw new OptionError({
    what: `VIRNUCPRO_SERVICE is ${JSON.stringify(value)}, ${parsed.error.issues[0]!.message}`,
    next: 'Set it to one of them, or unset it',
  });
}

function configured(env: NodeJS.ProcessEnv): Service {
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
      next: 'Check the TEMPORAL_ variables and the file that TEMPORAL_CONFIG_FILE names; --no-service does without',
      cause: error,
    });
  }
}

import { OptionError } from '../contract/failures.js';
import { type Service, type ServiceName, configuredService, serviceText } from '../workers/service.js';
import { yesOrNo } from './options/value-types.js';

export { type Service, type ServiceName, serviceText };

/**
 * The service that runs are on, undefined for this machine's embedded server: a service when `asked` for, or when
 * TEMPORAL_ADDRESS or TEMPORAL_PROFILE is set. A configuration file alone, which other programs have, chooses nothing.
 * @param asked `--service` or `--no-service`; without, VIRNUCPRO_SERVICE.
 * @throws OptionError when Temporal's environment configuration cannot be read.
 */
export function chooseService(asked: boolean | undefined, env: NodeJS.ProcessEnv): Service | undefined {
  const explicit = asked ?? askedByVariable(env);
  if (explicit !== undefined) return explicit ? configuredService(env) : undefined;
  const variable = ['TEMPORAL_ADDRESS', 'TEMPORAL_PROFILE'].find((name) => env[name]);
  return variable === undefined ? undefined : { ...configuredService(env), variable };
}

/**
 * The service that a folder's run is on, with the environment's credentials if its configuration is for that very service.
 * Else without any: a file in a folder shall not have them sent elsewhere.
 */
export function recordedService(name: ServiceName, env: NodeJS.ProcessEnv): Service {
  const ofEnvironment = configuredService(env);
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

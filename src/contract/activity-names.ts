/**
 * Our activities are registered as `virnucpro.<name>`, so that a host's own activities are never overwritten when our
 * plugin adds ours to its workers.
 */
export const ACTIVITY_PREFIX = 'virnucpro.';

/** `T` with every key prefixed. */
export type Prefixed<T> = { [K in keyof T & string as `${typeof ACTIVITY_PREFIX}${K}`]: T[K] };

/** Activities under the names they are registered with. */
export function prefixed<T extends object>(activities: T): Prefixed<T> {
  return Object.fromEntries(
    Object.entries(activities).map(([name, run]) => [ACTIVITY_PREFIX + name, run]),
  ) as Prefixed<T>;
}

/** The same activities seen under their short names: turns a `proxyActivities<Prefixed<T>>` back into a `T`. */
export function unprefixed<T extends object>(activities: object): T {
  return new Proxy(activities, { get: (target, name) => Reflect.get(target, ACTIVITY_PREFIX + String(name)) }) as T;
}

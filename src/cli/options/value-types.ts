import { isIP } from 'node:net';
import { z } from 'zod';
import { DEVICE_WORDS, type NamedDevice, deviceNamed } from '../device-names.js';

/** What an option takes: text from the command line or a variable, or a value of the configuration file. */
export type ValueType<T> = z.ZodType<T>;

const UNITS: Readonly<Record<string, number>> = { '': 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12 };

/** A whole number within bounds. */
export function wholeNumber({ min, max }: { min: number; max: number }): ValueType<number> {
  const error = `allowed are whole numbers from ${min} to ${max}`;
  return z
    .union([z.number(), z.string().regex(/^\d+$/, error)], { error })
    .transform(Number)
    .pipe(z.number(error).int(error).min(min, error).max(max, error));
}

/** A number within bounds. */
export function numberWithin({ min, max }: { min: number; max: number }): ValueType<number> {
  const error = `allowed are numbers from ${min} to ${max}`;
  return z
    .union([z.number(), z.string().regex(/^[\d.]+(e[+-]?\d+)?$/, error)], { error })
    .transform(Number)
    .pipe(z.number(error).min(min, error).max(max, error));
}

/** Bytes: `50GB`, `800 MB`, `1e9`. */
export function byteSize(): ValueType<number> {
  return z.union([z.number(), z.string()]).transform((value, context) => {
    const [, number, unit] = /^([\d.e+]+)\s*(|[kmgt]b)$/i.exec(String(value).trim()) ?? [];
    const bytes = Number(number) * (UNITS[unit?.toLowerCase() ?? ''] ?? NaN);
    if (!(bytes > 0 && bytes <= Number.MAX_SAFE_INTEGER)) context.addIssue('allowed are sizes such as 50GB');
    return bytes;
  });
}

/** Yes or no; as text `true`, `1`, `yes` and their opposites. */
export function yesOrNo(): ValueType<boolean> {
  const error = 'allowed are true and false';
  return z.union([z.boolean(), z.stringbool()], { error });
}

/** Any text but none. */
export function text(): ValueType<string> {
  const error = 'allowed is any text that is not empty';
  return z.union([z.string(), z.number().transform(String)], { error }).pipe(z.string().min(1, error));
}

/** One of some words. */
export function oneOf<const T extends string>(...words: [T, ...T[]]): ValueType<T> {
  const error = `allowed are ${words.join(', ')}`;
  return z.union([z.string(), z.number().transform(String)], { error }).pipe(z.enum(words, error));
}

/** Words separated by commas, each read by `item`. */
export function listOf<T>(item: ValueType<T>): ValueType<T[]> {
  const words = (list: unknown): unknown => (typeof list === 'string' ? list.split(',') : list);
  return z.preprocess(words, z.array(item, 'allowed is a list, separated by commas'));
}

/** A device by name: `cpu`, `cuda`, `cuda:N`, `N`, `webgpu:N`. */
export function device(): ValueType<NamedDevice> {
  return z.union([z.string(), z.number().transform(String)]).transform((word, context) => {
    const named = deviceNamed(word);
    if (named !== undefined) return named;
    context.addIssue(`allowed are ${DEVICE_WORDS}; virnucpro devices lists what there is`);
    return z.NEVER;
  });
}

/** Where to listen: `127.0.0.1:9464`, `[::1]:9464`. */
export function ipAndPort(): ValueType<string> {
  const error = 'allowed are an IP address and a port, e.g. 127.0.0.1:9464, or 0.0.0.0:9464 for all networks';
  return z.string(error).refine((address) => {
    const [, v6, v4, port] = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(address) ?? [];
    return isIP(v6 ?? v4 ?? '') !== 0 && Number(port) >= 1 && Number(port) <= 65_535;
  }, error);
}

/** All words that a type of {@link oneOf} takes; undefined for the others. */
export function wordsOf(type: ValueType<unknown>): string[] | undefined {
  return type instanceof z.ZodPipe && type.out instanceof z.ZodEnum ? type.out.options.map(String) : undefined;
}

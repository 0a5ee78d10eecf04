import { InvalidArgumentError } from 'commander';

/** Parser for options that take a whole number from 1 up. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('Give a whole number from 1 up.');
  return value;
}

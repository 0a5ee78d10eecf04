import { OptionError } from '../contract/failures.js';

/** A parser for an option that takes a whole number within bounds. It throws OptionError naming flag, value and bounds. */
export function wholeNumber(flag: string, bounds: { min: number; max: number }): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= bounds.min && value <= bounds.max) return value;
    throw new OptionError({
      what: `${flag} is ${JSON.stringify(text)}, allowed are whole numbers from ${bounds.min} to ${bounds.max}`,
      next: `Give a number, for example ${flag} ${bounds.min}`,
    });
  };
}

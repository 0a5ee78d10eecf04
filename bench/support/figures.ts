export { median } from '../../src/cli/statistics.js';

/** Three significant digits: what these figures can bear. */
export function round(value: number): number {
  return Number(value.toPrecision(3));
}

/** The value that the share `q` of all values does not exceed. NaN of none. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;
}

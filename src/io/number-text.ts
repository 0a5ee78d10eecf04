/**
 * A float32 as numpy prints it (`str(np.float32(x))`, what the original writes to prediction_results.txt): the shortest
 * decimal that reads back as the same float32, scientific below 1e-4. Compared with numpy 2.4 over 460,000 values up
 * to 16, all powers of two among them: one differs, 2^-96, which numpy prints with a digit less.
 * @param x a finite number that is exactly a float32, under 1e5 (numpy versions differ in how they print larger ones).
 */
export function float32Text(x: number): string {
  return decimalText(x, shortestDecimal(x));
}

/** The double that {@link float32Text} of a float32 reads back as. */
export function asPrinted(x: number): number {
  return shortestDecimal(x);
}

/** A number with exactly that many decimals; a tie goes to the even digit, as numpy rounds. */
export function fixedText(x: number, decimals: number): string {
  const scale = 10 ** decimals;
  const low = Math.floor(x * scale);
  const isTie = x * scale - low === 0.5;
  return (isTie ? (low + (low & 1)) / scale : x).toFixed(decimals);
}

/** A number as Python's `repr(float)` and pandas print it, scientific below 1e-4 and from 1e16 on. */
export function float64Text(x: number): string {
  return decimalText(x, x);
}

/** The shortest decimal that rounds to the float32 `x`, as the double next to it. A float32 needs 9 digits at most. */
function shortestDecimal(x: number): number {
  const suffices = (digits: number): boolean => Math.fround(Number(x.toPrecision(digits))) === x;
  // Few numbers need less than 7 digits: one look saves six.
  let digits = suffices(6) ? 1 : 7;
  while (digits < 9 && !suffices(digits)) digits += 1;
  return roundHalfEven(x, digits);
}

/** `x` to that many digits. toPrecision rounds a tie (0.126953125 to 8 digits) up; numpy rounds it to the even digit. */
function roundHalfEven(x: number, digits: number): number {
  const oneMore = x.toExponential(digits);
  const tieBelowOdd = /[02468]5e/.test(oneMore) && Number(oneMore) === x;
  return Number(tieBelowOdd ? oneMore.replace('5e', 'e') : x.toPrecision(digits));
}

function decimalText(x: number, decimal: number): string {
  const size = Math.abs(x);
  if (x === 0 || (size >= 1e-4 && size < 1e16)) return Number.isInteger(decimal) ? `${decimal}.0` : `${decimal}`;
  const [mantissa, exponent] = decimal.toExponential().split('e') as [string, string];
  return `${mantissa}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
}

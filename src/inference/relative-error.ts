/** How far a vector is from the one wanted: length of the difference over the length of the wanted one. */
export function relativeError(found: Float32Array, wanted: Float32Array): number {
  return Math.hypot(...found.map((value, i) => value - wanted[i]!)) / Math.hypot(...wanted);
}

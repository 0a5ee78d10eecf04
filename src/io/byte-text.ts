/** Bytes for people, in decimal units as disks and hubs count them: `980 bytes`, `31 MB`, `11.4 GB`. */
export function byteText(bytes: number): string {
  if (bytes < 1e3) return `${bytes} bytes`;
  const [unit, size] =
    bytes < 1e6 ? ['kB', 1e3] : bytes < 1e9 ? ['MB', 1e6] : bytes < 1e12 ? ['GB', 1e9] : ['TB', 1e12];
  const value = bytes / (size as number);
  return `${value < 100 ? Number(value.toPrecision(3)) : Math.round(value)} ${unit}`;
}

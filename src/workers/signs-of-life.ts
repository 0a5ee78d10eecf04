import { writeFileSync } from 'node:fs';

/** A container's health check takes a file that is a minute old for the end of the agent. */
const EVERY_MS = 10_000;

/**
 * Writes `file` anew every ten seconds while the event loop of this process turns: what a container's health check looks
 * at, since it needs no port and no service. Without a file nothing happens.
 */
export function giveSignsOfLife(file = process.env.VIRNUCPRO_ALIVE_FILE): void {
  if (!file) return;
  const write = (): void => {
    try {
      writeFileSync(file, `${process.pid}\n`);
    } catch {
      // The health check finds it out.
    }
  };
  write();
  setInterval(write, EVERY_MS).unref();
}

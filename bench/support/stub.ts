/** Environment variable with a {@link Stub} as JSON; read by stub-backend.ts. */
export const STUB = 'VIRNUCPRO_BENCH_STUB';

/** What lanes do instead of computing. */
export interface Stub {
  /** A model call blocks its thread for this long, then gives zeros. */
  callMs: number;
  /** Folder for a file `<stage> <device> <pid>.tsv` a lane: start and end of every call, in epoch milliseconds. */
  callsDir?: string;
}

/** Has every lane below this process follow `stub`. */
export function stubEnvironment(stub: Stub): NodeJS.ProcessEnv {
  const backend = new URL('./stub-backend.js', import.meta.url);
  return { NODE_OPTIONS: `--import=${backend.href}`, [STUB]: JSON.stringify(stub) };
}

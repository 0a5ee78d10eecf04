import { availableParallelism, cpus, release, totalmem } from 'node:os';

/** Where something was measured. */
export interface Machine {
  cpu: string;
  cores: number;
  memoryGB: number;
  kernel: string;
}

/** This machine, as reports of benchmarks name it. */
export function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
  };
}

import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** CUDA devices of a test host, which the CPU stands in for. */
export interface FakeCuda {
  /** How many. */
  devices: number;
  /** Those that compute wrongly. */
  wrong?: number[];
}

/**
 * The environment of processes that find such devices, with their nvidia-smi, in `dir`. Called again, it changes what
 * later sessions of these processes find.
 */
export async function fakeCudaHost(dir: string, cuda: FakeCuda): Promise<NodeJS.ProcessEnv> {
  const bin = path.join(dir, 'fake-cuda');
  const file = path.join(bin, 'devices.json');
  const tool = path.join(bin, 'nvidia-smi');
  const rows = Array.from({ length: cuda.devices }, (_, i) => `${i}, GPU-${i}${i}, 24576, Test GPU ${i}\n`);
  await mkdir(bin, { recursive: true });
  await writeFile(file, JSON.stringify(cuda));
  await writeFile(tool, `#!${process.execPath}\nprocess.stdout.write(${JSON.stringify(rows.join(''))})\n`);
  await chmod(tool, 0o755);
  const hook = new URL('./fake-cuda.js', import.meta.url).href;
  const inherited = process.env['NODE_OPTIONS'] ?? '';
  return {
    FAKE_CUDA_FILE: file,
    NODE_OPTIONS: `${inherited} --import=${hook}`.trim(),
    PATH: `${bin}${path.delimiter}${process.env['PATH']}`,
  };
}

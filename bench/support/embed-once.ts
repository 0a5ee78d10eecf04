/** Embeds once and prints the largest resident memory that took, in MB: for {@link peakMemoryOf}. */
import { readFile } from 'node:fs/promises';
import { Embedder, type EmbedderOptions } from '../../src/inference/embedder.js';

const { options, sequences } = JSON.parse(process.argv[2]!) as { options: EmbedderOptions; sequences: string[] };
const embedder = await Embedder.open(options);
await embedder.embed(sequences);
await embedder.close();
// Linux. resourceUsage() starts from what the parent had.
const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(await readFile('/proc/self/status', 'utf8'))!;
console.log(Number(kilobytes) / 1000);

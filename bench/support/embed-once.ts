/** Embeds once and prints the largest resident memory that took, in MB: for {@link peakMemoryOf}. */
import { Embedder, type EmbedderOptions } from '../../src/inference/embedder.js';

const { options, sequences } = JSON.parse(process.argv[2]!) as { options: EmbedderOptions; sequences: string[] };
const embedder = await Embedder.open(options);
await embedder.embed(sequences);
await embedder.close();
console.log(process.resourceUsage().maxRSS / 1000);

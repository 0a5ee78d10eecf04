import { createHash } from 'node:crypto';
import { writeEmbeddings } from '../io/embeddings-file.js';
import { writeAtomically } from '../io/local-store.js';
import { openEmbedder } from './open-embedder.js';
import type { EmbedOptions } from './options/embed-table.js';
import { readSequences } from './read-sequences.js';

/**
 * Embeds a FASTA file's sequences in this process and writes them as one Arrow file.
 * @throws ModelError, InputError, StorageError.
 */
export async function embed(input: string, options: EmbedOptions): Promise<void> {
  let ids: string[] = [];
  let sequences: string[] = [];
  const embedder = await openEmbedder({
    ...options,
    sequences: async (kind) => {
      ({ ids, sequences } = await readSequences(input, kind));
      return new Set(sequences).size;
    },
  });
  try {
    const { facts } = embedder;
    const started = performance.now();
    const cpu = process.cpuUsage();
    let tokens = 0;
    const vectors = await embedder.embed(sequences, { onProgress: (progress) => (tokens = progress.tokens) });
    const runSeconds = (performance.now() - started) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    const madeBy = digest([facts.digest, facts.precision, facts.provider, ...sequences]);
    await writeAtomically(options.output, (file) =>
      writeEmbeddings(file, madeBy, { ids, vectors, width: facts.hidden }),
    );
    const done = {
      model: options.model,
      kind: facts.kind,
      hidden: facts.hidden,
      layers: facts.layers,
      parameters: facts.parameters,
      precision: facts.precision,
      provider: facts.provider,
      tokens_per_call: facts.tokensPerCall,
      threads: options.threads,
      sequences: ids.length,
      tokens,
      load_seconds: facts.loadSeconds,
      run_seconds: runSeconds,
      run_cpu_seconds: (user + system) / 1e6,
      tokens_per_second: tokens / runSeconds,
      output: options.output,
    };
    console.log(
      options.json
        ? JSON.stringify(done)
        : `${ids.length} sequences, ${tokens} tokens: loaded in ${facts.loadSeconds.toFixed(1)} s, ` +
            `embedded in ${runSeconds.toFixed(1)} s (${Math.round(done.tokens_per_second)} tokens/s)\n${options.output}`,
    );
  } finally {
    await embedder.close();
  }
}

/** Hex SHA-256 over texts; the separator cannot be part of one. */
function digest(texts: string[]): string {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(text).update('\0');
  return hash.digest('hex');
}

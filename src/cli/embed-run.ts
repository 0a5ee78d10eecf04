import { createHash } from 'node:crypto';
import { InputError } from '../contract/failures.js';
import { Embedder, type EmbedderFacts } from '../inference/embedder.js';
import { pinnedEnvironment } from '../inference/pinned-environment.js';
import { AMINO_ACIDS, NUCLEOTIDES } from '../io/alphabet.js';
import { writeEmbeddings } from '../io/embeddings-file.js';
import { readFasta } from '../io/fasta.js';
import { inputName, readInput } from '../io/input.js';
import { writeAtomically } from '../io/local-store.js';
import { cacheFolderPath } from '../io/user-folders.js';
import { resolveModel } from '../model/catalogue.js';
import { encoderDigest } from '../model/content-digest.js';
import type { NamedDevice } from './choose-devices.js';
import type { EmbedOptions } from './embed.js';
import { assertPrecisionFits, warnIfUnverified } from './precision.js';

/**
 * Embeds a FASTA file's sequences in this process and writes them as one Arrow file.
 * @throws ModelError, InputError, StorageError.
 */
export async function embed(input: string, options: EmbedOptions): Promise<void> {
  const { kind: device, index = 0 }: NamedDevice = options.device ?? { kind: 'cpu' };
  assertPrecisionFits(options.precision, device);
  // Before a driver looks at it.
  if (device !== 'cpu') Object.assign(process.env, pinnedEnvironment(process.env, { kind: device, index }));
  const { path, expected } = await resolveModel(options.model, process.env);
  const { precision } = options;
  if (precision !== 'fp32') {
    await warnIfUnverified(options.model, await encoderDigest(path, cacheFolderPath()), precision);
  }
  const embedder = await Embedder.open({
    model: path,
    precision,
    cacheDir: cacheFolderPath(),
    device,
    threads: options.threads,
    ...(expected && { expected }),
  });
  try {
    const { facts } = embedder;
    const { ids, sequences } = await readSequences(input, facts);
    const started = performance.now();
    let tokens = 0;
    const vectors = await embedder.embed(sequences, { onProgress: (progress) => (tokens = progress.tokens) });
    const runSeconds = (performance.now() - started) / 1000;
    const madeBy = digest([facts.digest, precision, facts.provider, ...sequences]);
    await writeAtomically(options.output, (file) =>
      writeEmbeddings(file, madeBy, { ids, vectors, width: facts.hidden }),
    );
    const done = {
      model: path,
      kind: facts.kind,
      hidden: facts.hidden,
      layers: facts.layers,
      parameters: facts.parameters,
      precision,
      provider: facts.provider,
      threads: options.threads,
      sequences: ids.length,
      tokens,
      load_seconds: facts.loadSeconds,
      run_seconds: runSeconds,
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

async function readSequences(input: string, { kind }: EmbedderFacts): Promise<{ ids: string[]; sequences: string[] }> {
  const alphabet = kind === 'dnabert2' ? NUCLEOTIDES : AMINO_ACIDS;
  const ids: string[] = [];
  const sequences: string[] = [];
  for await (const { id, sequence, line } of readFasta(readInput(input), inputName(input), { alphabet })) {
    if (sequence.length === 0) {
      throw new InputError({
        what: 'record without a sequence',
        where: `${inputName(input)}, line ${line}, record ${id}`,
        next: 'Take it out: there is nothing to embed',
      });
    }
    ids.push(id);
    sequences.push(Buffer.from(sequence).toString('latin1').toUpperCase());
  }
  return { ids, sequences };
}

/** Hex SHA-256 over texts; the separator cannot be part of one. */
function digest(texts: string[]): string {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(text).update('\0');
  return hash.digest('hex');
}

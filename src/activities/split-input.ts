import { stat } from 'node:fs/promises';
import { Context } from '@temporalio/activity';
import type { ManifestEntry, RunOptions, SampleSpec, SplitOutput } from '../contract/run.js';
import { writeJsonLines } from '../io/json-lines.js';
import { openStore } from '../io/open-store.js';
import { withInput } from '../io/sample-input.js';
import { splitSample } from '../io/split-sample.js';
import { startHeartbeat } from './heartbeat.js';
import { checkNames, workPrefix } from './keys.js';

/** Argument of the `splitInput` activity. */
export interface SplitInputInput {
  sample: SampleSpec;
  options: Pick<RunOptions, 'outputDir' | 'chunkSize' | 'batchSequences' | 'renameDuplicates'>;
}

/**
 * Checks a sample and cuts it into file batches of frames, published with a manifest that lists them.
 * @throws InputError for a bad input, before any model is loaded; StorageError.
 */
export async function splitInput({ sample, options }: SplitInputInput): Promise<SplitOutput> {
  checkNames(sample);
  const startedAt = performance.now();
  const heartbeat = startHeartbeat({ state: 'splitting' });
  try {
    const store = openStore(options.outputDir);
    const { cancellationSignal: signal } = Context.current();
    const splitFile = async (input: string): Promise<SplitOutput> => {
      const { batches, ...output } = await splitSample({
        input,
        chunkSize: options.chunkSize,
        ...(options.batchSequences === undefined ? {} : { batchSequences: options.batchSequences }),
        renameDuplicates: options.renameDuplicates ?? false,
        store,
        prefix: workPrefix(sample),
        signal,
        onProgress: (progress) => heartbeat.details({ state: 'splitting', ...progress }),
      });
      const entries = batches.map((frames, i): ManifestEntry => ({
        sample: sample.name,
        prefix: sample.prefix,
        batch: i + 1,
        frames,
      }));
      const manifest = await store.put(`${workPrefix(sample)}batches.jsonl`, (file) => writeJsonLines(file, entries));
      const seconds = (performance.now() - startedAt) / 1000;
      return { manifest, inputBytes: (await stat(input)).size, seconds, ...output };
    };
    return await withInput(sample.input, splitFile, { signal });
  } finally {
    heartbeat.stop();
  }
}

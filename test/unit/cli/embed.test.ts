import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { embedCommand } from '../../../src/cli/embed.js';
import { InputError, OptionError } from '../../../src/contract/failures.js';
import { readEmbeddings } from '../../../src/io/embeddings-file.js';
import { goldenEmbeddings, MODELS, temporaryFolder } from '../../support/tiny-models.js';

/** Runs the command in this process and gives back what it prints. */
async function embed(args: string[]): Promise<string> {
  const lines: string[] = [];
  const { log } = console;
  console.log = (line: string) => lines.push(line);
  try {
    await (await embedCommand().addTable()).parseAsync(args, { from: 'user' });
  } finally {
    console.log = log;
  }
  return lines.join('\n');
}

describe('cli/embed', () => {
  let folder: string;
  let input: string;
  let output: string;
  beforeEach(async () => {
    folder = await temporaryFolder();
    input = path.join(folder, 'in.fa');
    output = path.join(folder, 'out.arrow');
  });

  for (const [model, name] of [
    ['dnabert2-tiny', 'dnabert2'],
    ['esm2-tiny', 'esm2'],
  ] as const) {
    it(`writes the vectors of ${model} in input order and says what it did`, async () => {
      const golden = (await goldenEmbeddings(name)).filter(({ sequence }) => sequence.length < 600);
      await writeFile(input, golden.map(({ sequence }, i) => `>s${i} text\n${sequence.toLowerCase()}\n`).join(''));
      const printed = await embed([
        '-m',
        `${MODELS}/${model}`,
        input,
        '-o',
        output,
        '--json',
        '--threads',
        '1',
        '--tokens-per-call',
        '300',
      ]);

      const { ids, vectors, width } = await readEmbeddings(output);
      assert.deepEqual(
        ids,
        golden.map((_, i) => `s${i}`),
      );
      golden.forEach(({ mean }, i) => {
        const norm = Math.hypot(...mean);
        mean.forEach((value, j) => assert.ok(Math.abs(value - vectors[i * width + j]!) < 1e-5 * norm));
      });
      assert.equal((JSON.parse(printed) as { tokens_per_call: number }).tokens_per_call, 300);
      const { load_seconds, run_seconds, run_cpu_seconds, tokens_per_second, ...rest } = JSON.parse(printed) as Record<
        string,
        number
      >;
      const tokens = golden.reduce((sum, { input_ids }) => sum + input_ids.length, 0);
      assert.equal(tokens_per_second, tokens / run_seconds!);
      assert.ok(load_seconds! > 0 && run_cpu_seconds! > 0);
      assert.deepEqual(
        { kind: rest['kind'], sequences: rest['sequences'], tokens: rest['tokens'], output: rest['output'] },
        { kind: name, sequences: golden.length, tokens, output },
      );
    });
  }

  it('refuses sequences of the other alphabet and empty ones, and leaves no file', async () => {
    for (const [model, fasta, words] of [
      ['dnabert2-tiny', '>a\nACGT\n>p\nMKVLF\n', /line 4, record p/],
      ['esm2-tiny', '>p\nMKVL*\n', /letter \* is no amino acid/],
      ['esm2-tiny', '>p\nMK\n>q\n', /line 3, record q/],
    ] as const) {
      await writeFile(input, fasta);
      await assert.rejects(embed(['-m', `${MODELS}/${model}`, input, '-o', output]), (error: Error) => {
        assert.ok(error instanceof InputError);
        assert.match(error.message, words);
        return true;
      });
    }
    assert.deepEqual(await readdir(folder), ['in.fa']);
  });

  it('takes int8 on the CPU only', async () => {
    const asked = embed(['-m', `${MODELS}/esm2-tiny`, input, '-o', output, '-d', 'webgpu:0', '--precision', 'int8']);
    await assert.rejects(asked, (error: Error) => {
      assert.ok(error instanceof OptionError);
      assert.match(error.message, /int8 is for CPU lanes, --device is webgpu/);
      return true;
    });
  });
});

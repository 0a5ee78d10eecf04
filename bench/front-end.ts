/**
 * `virnucpro split` beside the original's way in Python with Biopython, and seqkit: whole processes, files written.
 * `node dist/bench/front-end.js GENOME.fa[.gz] [--runs 5] [--megabases 1000] [--without biopython]`
 *
 * Two inputs: the genome as it is, and contigs of 300 to 300,000 bases cut from it, `--megabases` in all. Biopython's way
 * takes a quarter of an hour for a thousand of them: `--without` leaves a peer out there.
 */
import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { readFasta } from '../src/io/fasta.js';
import { readInput } from '../src/io/input.js';
import { LocalStore, sha256OfFile } from '../src/io/local-store.js';
import { splitToFasta } from '../src/io/split-fasta.js';
import { splitSample } from '../src/io/split-sample.js';
import { createRandom } from '../test/support/random-sequences.js';
import { measureCommand, peerPython } from './support/peer-python.js';
import { type Cost, costOf, report, type Row, sideBySide, type Sides } from './support/side-by-side.js';

const CHUNK_SIZE = 500;
const BIOPYTHON = 'biopython==1.85';
const FILES = [`chunked${CHUNK_SIZE}.fa`, 'identified_nucleotide.fa', 'identified_protein.faa'];
const run = promisify(execFile);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '5' },
    megabases: { type: 'string', default: '1000' },
    without: { type: 'string', multiple: true, default: [] },
  },
});
const genome = positionals[0];
if (genome === undefined) throw new Error('name a FASTA file of a genome');

const python = await peerPython([BIOPYTHON]);
const seqkit = (await run('seqkit', ['version'])).stdout.trim();
const dir = await mkdtemp(path.join(tmpdir(), 'virnucpro-bench-'));
try {
  const plain = path.join(dir, 'genome.fa');
  await writeContigs(plain, genome, Infinity);
  const contigs = path.join(dir, 'contigs.fa');
  const megabases = Number(values.megabases);
  await writeContigs(contigs, genome, 1e6 * megabases);

  const rows: Row[] = [];
  const sameFiles: Record<string, unknown> = {};
  for (const input of [plain, contigs]) {
    const without = input === contigs ? values.without : [];
    const sides = Object.entries(sidesOf(input)).filter(([name]) => !without.includes(name));
    rows.push(...(await sideBySide(path.basename(input), Number(values.runs), Object.fromEntries(sides))));
    sameFiles[path.basename(input)] = await compare(input, without);
  }
  await report(`front-end-${megabases}`, rows, {
    megabases,
    peers: { biopython: BIOPYTHON, seqkit },
    checks: sameFiles,
  });
} finally {
  await rm(dir, { recursive: true });
}

function outputOf(input: string, side: string): string {
  return path.join(dir, `${path.basename(input, '.fa')}-${side}`);
}

function sidesOf(input: string): Sides {
  const measure = async (...command: string[]): Promise<Cost> => (await measureCommand(python, command)).cost;
  const [ours, biopython] = [outputOf(input, 'ours'), outputOf(input, 'biopython')];
  const bySeqkit = outputOf(input, 'seqkit');
  const windows = `seqkit sliding -s ${CHUNK_SIZE} -W ${CHUNK_SIZE} '${input}'`;
  return {
    ours: () => measure(process.execPath, 'dist/src/cli/main.js', 'split', input, '-o', ours),
    biopython: async () => {
      await mkdir(biopython, { recursive: true });
      const prefix = path.join(biopython, path.basename(input, '.fa'));
      return measure(python, 'bench/peers/split_with_biopython.py', input, String(CHUNK_SIZE), prefix);
    },
    seqkit: async () => {
      await mkdir(bySeqkit, { recursive: true });
      const translate = `seqkit translate -f 6 -o '${bySeqkit}/proteins.faa'`;
      return measure('sh', '-c', `${windows} | tee '${bySeqkit}/chunks.fa' | ${translate}`);
    },
    // Without the start of a process, by code that has run before.
    'ours, running': () => costOf(() => splitToFasta({ input, stem: 'again', outputDir: ours, chunkSize: CHUNK_SIZE })),
    // Checks and counts all, then the same frames as artifacts.
    'as in predict': async () => {
      const store = new LocalStore(await mkdtemp(path.join(dir, 'store-')));
      return costOf(() => splitSample({ input, store, prefix: '', chunkSize: CHUNK_SIZE }));
    },
  };
}

/**
 * Whether all sides did the same work: equal bytes, or for seqkit the right counts. Its windows do not overlap, and it drops
 * what is left at a record's end, so it has a little less to do.
 */
async function compare(input: string, without: readonly string[]): Promise<object> {
  const file = (side: string, name: string): string =>
    path.join(outputOf(input, side), `${path.basename(input, '.fa')}_${name}`);
  const sha256 = await Promise.all(FILES.map((name) => sha256OfFile(file('ours', name))));
  if (!without.includes('biopython')) {
    const theirs = await Promise.all(FILES.map((name) => sha256OfFile(file('biopython', name))));
    if (theirs.join() !== sha256.join()) throw new Error(`other bytes than Biopython's: ${input}`);
  }
  const chunks = await countRecords(file('ours', FILES[0]!));
  if (without.includes('seqkit')) return { sha256, chunks };
  const windows = await countWindows(input);
  const seqkitChunks = await countRecords(path.join(outputOf(input, 'seqkit'), 'chunks.fa'));
  const seqkitProteins = await countRecords(path.join(outputOf(input, 'seqkit'), 'proteins.faa'));
  if (seqkitChunks !== windows || seqkitProteins !== 6 * windows)
    throw new Error(`other counts than seqkit's: ${input}`);
  return { sha256, chunks, seqkitChunks, seqkitProteins };
}

/** Windows of a chunk's size that lie side by side in the records. */
async function countWindows(input: string): Promise<number> {
  let windows = 0;
  for await (const { sequence } of readFasta(readInput(input), input)) {
    windows += Math.floor(sequence.length / CHUNK_SIZE);
  }
  return windows;
}

async function countRecords(file: string): Promise<number> {
  let count = 0;
  for await (const piece of createReadStream(file)) for (const byte of piece as Buffer) if (byte === 62) count += 1;
  return count;
}

/** Contigs cut from a genome's first record, `bases` in all; the record as it is when that is infinite. */
async function writeContigs(target: string, genome: string, bases: number): Promise<void> {
  const random = createRandom(7);
  const file = await open(target, 'w');
  for await (const { sequence } of readFasta(readInput(genome), genome)) {
    const text = Buffer.from(sequence).toString('latin1');
    let number = 0;
    for (let written = 0; written < bases && (number === 0 || bases !== Infinity);) {
      const length = bases === Infinity ? text.length : Math.min(text.length, Math.floor(300 * 1000 ** random()));
      const start = Math.floor(random() * (text.length - length + 1));
      const lines = text.slice(start, start + length).replace(/.{1,80}/g, '$&\n');
      await file.write(`>contig${++number} of ${length} bases\n${lines}`);
      written += length;
    }
    break;
  }
  await file.close();
}

import { copyFile, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { readScores } from '../../../src/cli/compare/score-tables.js';
import { readConfig } from '../../../src/cli/options/config-file.js';
import { readOptions } from '../../../src/cli/options/option-table.js';
import { PREDICT_OPTIONS } from '../../../src/cli/options/predict-table.js';
import { readRunRecord } from '../../../src/cli/run-record.js';
import { resolveSamples } from '../../../src/cli/samples.js';
import { readEmbeddings, writeEmbeddings } from '../../../src/io/embeddings-file.js';
import { readFasta } from '../../../src/io/fasta.js';
import { readInput } from '../../../src/io/input.js';
import { withCheckpointFile } from '../../../src/model/checkpoint/checkpoint-file.js';
import { openCheckpoint } from '../../../src/model/checkpoint/open.js';
import { readTensor } from '../../../src/model/checkpoint/read-tensor.js';
import { readRecord, readZipRecords } from '../../../src/model/checkpoint/zip.js';
import { openModel } from '../../../src/model/model.js';
import { floats, pickle, safetensors, stateDict, tensor, torchZip } from '../../unit/model/checkpoint/support.js';
import { GOLDEN_CASES, GOLDEN_MODELS } from '../golden.js';

/** A parser, with inputs that it reads and words of its format. */
export interface Target {
  name: string;
  /** Where its input lies in a folder of its own. */
  file: string;
  seeds: Buffer[];
  words: string[];
  /** Wraps a damaged input, so that the damage gets past what lies around it. */
  wrap?: (bytes: Buffer) => Buffer;
  parse(file: string): Promise<unknown>;
}

const FASTA_WORDS = ['>', '>a\n', '\r', '\n', '\0', '\t', '@', 'ACGT', 'RYKM-*', '\xff\xfe', '>\xc3\x28 x\n', ';', ' '];
const CHECKPOINT_WORDS = [
  '"dtype":"F32"',
  '"shape":[',
  '"data_offsets":[0,4]',
  '9007199254740993',
  '-1',
  '1e99',
  '[',
  '{',
];
const PICKLE_WORDS = [
  ...[
    '(',
    ')',
    't',
    ']',
    '}',
    'R',
    'b',
    'u',
    's',
    'Q',
    'h\0',
    'q\0',
    '0',
    '1',
    '2',
    '.',
    '\x80\x02',
    '\x85',
    '\x86',
    '\x94',
    '\x93',
  ],
  ...[
    'cos\nsystem\n',
    'ccollections\nOrderedDict\n',
    'ctorch._utils\n_rebuild_tensor_v2\n',
    'K\x01',
    'X\x01\0\0\0w',
    'N',
    '\x88',
  ],
  ...[
    '\x8a\xff',
    '\x8b\xff\xff\xff\x7f',
    'T\xff\xff\xff\x7f',
    '\x95\0\0\0\0\0\0\0\x80',
    'I9\n',
    'L9L\n',
    'V\\u0000\n',
    'P1\n',
    'j\xff\xff\xff\xff',
  ],
];
const YAML_WORDS = [
  ...[
    '&a [*a,*a]',
    '*a',
    '&b ',
    '<<: *b',
    '- ',
    '? ',
    ': ',
    '{',
    '[',
    '!!binary ',
    '!!js/function ',
    '!!set ',
    '|\n',
    '>-\n',
    '---\n',
    '...\n',
  ],
  ...[
    '%YAML 9.9\n',
    '"\\x',
    "'",
    '0x',
    '.inf',
    '~',
    '__proto__: 1\n',
    'constructor: {}\n',
    '\t',
    '\0',
    '# ',
    'lanes: 1\n',
    '1e999',
    '\u0085',
  ],
];
const CSV_WORDS = [
  ',',
  '"',
  '""',
  '\n',
  '\r\n',
  '\xef\xbb\xbf',
  'sample,path\n',
  'a,x.fa\n',
  '..',
  '/',
  '\\',
  '\0',
  '../x.fa',
  '"a\nb"',
];
const JSON_WORDS = [
  '{',
  '[',
  '"',
  '":',
  ',',
  '1e999',
  'null',
  'true',
  '"__proto__":{}',
  '\\u0000',
  '\\ud800',
  '-',
  '"model":',
  '[]',
];

/** All parsers of what comes from outside, or from a disk. `folder` is for what they need beside their input. */
export async function fuzzTargets(folder: string): Promise<Target[]> {
  const fasta = await readFile(path.join(GOLDEN_CASES, 'edge-500', 'input.fa'));
  const short = fasta.subarray(0, 3000);
  const tiny = (name: string): Promise<Buffer> => readFile(path.join(GOLDEN_MODELS, 'classifier-tiny', name));
  const [torchFile, moduleFile, safetensorsFile] = [
    await tiny('tiny_state_dict.pth'),
    await tiny('tiny_model.pth'),
    await tiny('tiny.safetensors'),
  ];
  const storages = { '0': floats(1, 2, 3, 4), '1': floats(1, 2) };
  const small = safetensors({ a: { dtype: 'F32', shape: [2, 2], data_offsets: [0, 16] } }, floats(1, 2, 3, 4));
  const scores = (name: string): Promise<Buffer> => readFile(path.join(GOLDEN_CASES, 'mixed-300', name));

  const readRecords = async (file: string): Promise<void> => {
    for await (const record of readFasta(readInput(file), file)) void record.sequence.length;
  };
  const reader = (name: string, file: string, seeds: Buffer[]): Target => ({
    name,
    file,
    seeds,
    words: FASTA_WORDS,
    parse: readRecords,
  });
  const openTensors = async (file: string): Promise<void> => {
    const { tensors } = await openCheckpoint(file);
    for (const tensor of tensors.values()) if (tensor.dtype !== 'I64') await readTensor(tensor);
  };

  const shards = path.join(folder, 'index');
  await mkdir(shards);
  for (const shard of ['a.safetensors', 'b.safetensors'])
    await writeFile(path.join(shards, shard), small.toString('latin1').replace('"a"', `"${shard[0]}"`), 'latin1');
  const index = JSON.stringify({
    metadata: { total_size: 32 },
    weight_map: { a: 'a.safetensors', b: 'b.safetensors' },
  });

  return [
    reader('FASTA', 'a.fa', [fasta, short, Buffer.from('>a\nACGT\n>b desc\r\nacgtn\r\n>c\n')]),
    {
      ...reader('FASTA that is renamed', 'a.fa', [short, Buffer.from('>a\nAC\n>a\nAC\n>a_2\nAC\n')]),
      parse: async (file) => {
        for await (const { id } of readFasta(readInput(file), file, { renameDuplicates: true, onProblem: () => {} }))
          void id;
      },
    },
    reader('gzip', 'a.fa.gz', [
      gzipSync(short),
      Buffer.concat([gzipSync(short), gzipSync(short)]),
      gzipSync(Buffer.alloc(1 << 22, 65)),
    ]),
    reader('bgzf', 'a.fa.gz', [bgzf(short)]),
    reader('zstd', 'a.fa.zst', [
      ZSTD,
      Buffer.concat([ZSTD, ZSTD]),
      Buffer.concat([Buffer.from('5f2a4d1805000000000000fd2f', 'hex'), ZSTD]),
    ]),
    {
      name: 'safetensors',
      file: 'a.safetensors',
      seeds: [safetensorsFile, small],
      words: CHECKPOINT_WORDS,
      parse: openTensors,
    },
    {
      name: 'safetensors header',
      file: 'a.safetensors',
      seeds: [headerOf(safetensorsFile), headerOf(small)],
      words: [...JSON_WORDS, ...CHECKPOINT_WORDS],
      wrap: withLength,
      parse: openTensors,
    },
    {
      name: 'index',
      file: 'index/model.safetensors.index.json',
      seeds: [Buffer.from(index)],
      words: [...JSON_WORDS, '../', 'a.safetensors', '/etc/passwd'],
      parse: openTensors,
    },
    {
      name: 'torch zip',
      file: 'a.pth',
      seeds: [torchFile, moduleFile, torchZip(pickle(stateDict({ w: tensor() })), storages)],
      words: [
        'PK\x01\x02',
        'PK\x03\x04',
        'PK\x05\x06',
        'PK\x06\x06',
        'PK\x06\x07',
        'data.pkl',
        '../x',
        '\xff\xff\xff\xff',
      ],
      parse: openTensors,
    },
    {
      name: 'pickle',
      file: 'a.pth',
      seeds: [
        await pickleOf(folder, torchFile),
        await pickleOf(folder, moduleFile),
        pickle(stateDict({ w: tensor() })),
      ],
      words: PICKLE_WORDS,
      wrap: (bytes) => torchZip(bytes, storages),
      parse: openTensors,
    },
    await modelTarget(folder, 'dnabert2-tiny', 'tokenizer.json'),
    await modelTarget(folder, 'dnabert2-tiny', 'config.json'),
    await modelTarget(folder, 'esm2-tiny', 'vocab.txt'),
    await modelTarget(folder, 'esm2-tiny', 'config.json'),
    {
      name: 'artifact',
      file: 'a.arrow',
      seeds: [await arrowFile(folder)],
      words: ['ARROW1', 'VNP-SHA2', '\xff\xff\xff\xff', '\0\0\0\0', '\xff\xff\xff\x7f'],
      parse: (file) => readEmbeddings(file),
    },
    {
      name: 'configuration',
      file: 'a.yaml',
      seeds: [
        Buffer.from('lanes: 2\nexpected-length: 300\nprecision: fp32\nsamples: x.csv\n'),
        Buffer.from('a: &a [1, 2]\nb: {c: d, e: "f\\n"}\n'),
      ],
      words: YAML_WORDS,
      parse: async (file) => {
        const config = await readConfig(file);
        return readOptions(PREDICT_OPTIONS, { flags: {}, env: {}, command: 'virnucpro predict', config });
      },
    },
    {
      name: 'sample sheet',
      file: 'sheet.csv',
      seeds: [Buffer.from('sample,path\na,a.fa\nb,"a.fa"\n'), Buffer.from('path,sample,note\r\na.fa,"x ""y""",z\r\n')],
      words: CSV_WORDS,
      parse: (file) => resolveSamples([], file),
    },
    {
      name: 'run record',
      file: '.virnucpro/run.json',
      seeds: [
        Buffer.from(
          JSON.stringify({
            workflowId: 'w',
            outputDir: '/o',
            request: { lanes: 1 },
            samples: [{ name: 's', input: 'i', sha256: 'x' }],
            state: 'done',
          }),
        ),
      ],
      words: JSON_WORDS,
      parse: (file) => readRunRecord(path.dirname(path.dirname(file))),
    },
    {
      name: 'score tables',
      file: 'scores.tsv',
      seeds: [await scores('prediction_results.txt'), await scores('prediction_results_highestscore.csv')],
      words: ['\t', '\n', '"', '0.5', 'nan', '1e999', 'Sequence_ID', '\0'],
      parse: async (file) => {
        for await (const { scores } of readScores(file, 'frames')) void scores;
      },
    },
  ];
}

/** One file of a model folder; the others are as they should be. */
async function modelTarget(folder: string, model: string, file: string): Promise<Target> {
  const from = path.join(GOLDEN_MODELS, model);
  const to = path.join(folder, `${model}-${file}`);
  await mkdir(to);
  for (const name of await readdir(from))
    if (!name.includes('pytorch')) await copyFile(path.join(from, name), path.join(to, name));
  return {
    name: `${model} ${file}`,
    file: `${model}-${file}/${file}`,
    seeds: [await readFile(path.join(from, file))],
    words: file.endsWith('.txt') ? ['\n', 'A', '<cls>', '\0', '\xff'] : JSON_WORDS,
    parse: (changed) => openModel(path.dirname(changed), path.join(folder, 'cache')),
  };
}

async function arrowFile(folder: string): Promise<Buffer> {
  const file = path.join(folder, 'seed.arrow');
  await writeEmbeddings(file, 'x', { ids: ['a', 'b'], vectors: Float32Array.of(1, 2, 3, 4), width: 2 });
  return readFile(file);
}

/** `zstd -19` of a FASTA file of 432 bytes. */
const ZSTD = Buffer.from(
  'KLUv/WSwAOUDABZQGxGwGYYDQGGcyAufz7SQSRdWThkAEwAWAL9rmZ3ku91OHnVjdzrRzFAkEAUCYGA4BALRzGgsejFXtb4TS0z7GfOl8x8DVZf2' +
    '8jFpy11xHBaKwNgySk6ayyprE0MwrGz+s+kuT4vx95xJ6eb7kwsDQBnia2CZlxqLUAHKMfsb',
  'base64',
);

/** As bgzip writes it: gzip members that name their own size, and an empty one at the end. */
function bgzf(text: Buffer): Buffer {
  const block = (part: Buffer): Buffer => {
    const deflated = deflateRawSync(part);
    const head = Buffer.from('1f8b08040000000000ff060042430200ffff', 'hex');
    head.writeUInt16LE(head.length + deflated.length + 7, 16);
    const tail = Buffer.alloc(8);
    tail.writeUInt32LE(crc32(part));
    tail.writeUInt32LE(part.length, 4);
    return Buffer.concat([head, deflated, tail]);
  };
  return Buffer.concat([block(text.subarray(0, 1000)), block(text.subarray(1000)), block(Buffer.alloc(0))]);
}

/** The header of a safetensors file, without its length. */
function headerOf(file: Buffer): Buffer {
  return file.subarray(8, 8 + Number(file.readBigUInt64LE()));
}

function withLength(header: Buffer): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, Buffer.alloc(4096)]);
}

/** The pickle inside a torch file. */
async function pickleOf(folder: string, torchFile: Buffer): Promise<Buffer> {
  const file = path.join(folder, 'seed.pth');
  await writeFile(file, torchFile);
  return withCheckpointFile(file, async (opened) => {
    const [, record] = [...(await readZipRecords(opened))].find(([name]) => name.endsWith('data.pkl'))!;
    return readRecord(opened, record);
  });
}

import { BATCH_SEQUENCES, HEARTBEAT_MS, KEEP_WARM_SECONDS, PRIORITY, WAVE_BYTES } from '../../contract/defaults.js';
import { PRECISIONS } from '../../contract/models.js';
import { CHUNK_SIZE } from '../../sequence/chunk.js';
import type { OptionTable, OptionValues } from './option-table.js';
import {
  BY_MODEL,
  CALL_TOKENS,
  CPU_BIND,
  LANE_COUNT,
  MODEL_PATH,
  PRECISION,
  RENAME_DUPLICATES,
  TEMPORAL_CLI,
  THREADS,
} from './shared-options.js';
import { byteSize, numberWithin, oneOf, text, wholeNumber, yesOrNo } from './value-types.js';

/** In seconds. */
const HOUR = 3_600;
const DAY = 24 * HOUR;

const INPUT = 'Input and output:';
const MODELS = 'Models:';
const MACHINE = 'This machine:';
const RUN = 'The run:';
const SERVICE = 'A Temporal service:';
const SCREEN = 'Screen and logs:';

/** Every option of `predict`. */
export const PREDICT_OPTIONS = {
  outputDir: {
    short: '-o',
    takes: '<dir>',
    group: INPUT,
    help: 'where results go',
    type: text(),
    defaultText: '<stem>_predictions, for several inputs virnucpro_predictions',
  },
  samples: {
    takes: '<sheet>',
    group: INPUT,
    help: 'CSV file with columns sample,path: more inputs, with names',
    type: text(),
  },
  renameDuplicates: { ...RENAME_DUPLICATES, group: INPUT },
  keepIntermediate: {
    short: '-k',
    group: INPUT,
    help: "keep the original tool's FASTA files",
    type: yesOrNo(),
    default: false,
  },
  keepEmbeddings: {
    group: INPUT,
    help: 'keep the embeddings (13 KB a frame with the real models)',
    type: yesOrNo(),
    default: false,
  },
  modelType: {
    short: '-m',
    takes: '<type>',
    group: MODELS,
    help: 'classifier for chunks of that length; custom: your own, with -p and -e',
    type: oneOf('300', '500', 'custom'),
    defaultText: "500, or by the classifier's file name",
  },
  expectedLength: {
    short: '-e',
    takes: '<bases>',
    group: MODELS,
    help: 'chunks that contigs are cut into; must fit the classifier',
    type: wholeNumber(CHUNK_SIZE),
    defaultText: 'as --model-type says',
  },
  modelPath: { ...MODEL_PATH, group: MODELS, defaultText: '<model type>_model.pth here' },
  dnaModel: { takes: '<name|dir>', group: MODELS, help: 'DNA encoder', type: text(), default: 'dnabert-s' },
  proteinModel: { takes: '<name|dir>', group: MODELS, help: 'protein encoder', type: text(), default: 'esm2-3b' },
  precision: {
    ...PRECISION,
    group: MODELS,
    help: 'what both encoders compute in; int8 (CPU), fp16 (GPU): quicker and close, see docs/models.md',
  },
  dnabertPrecision: {
    takes: '<format>',
    group: MODELS,
    help: 'the same for the DNA encoder alone',
    type: oneOf(...PRECISIONS),
    defaultText: 'as --precision says',
  },
  esmPrecision: {
    takes: '<format>',
    group: MODELS,
    help: 'the same for the protein encoder alone',
    type: oneOf(...PRECISIONS),
    defaultText: 'as --precision says',
  },
  device: {
    short: '-d',
    takes: '<device>',
    group: MACHINE,
    help: 'auto, cpu, cuda, cuda:N, N or webgpu:N; one that is absent fails, nothing falls back',
    type: text(),
    default: 'auto',
  },
  gpus: { takes: '<list>', group: MACHINE, help: 'GPUs to use, e.g. 0,1', type: text() },
  lanes: { ...LANE_COUNT, group: MACHINE, help: 'CPU lanes: processes that each hold the model of one stage' },
  threads: { ...THREADS, group: MACHINE, help: 'CPU threads that all lanes share' },
  cpuBind: { ...CPU_BIND, group: MACHINE },
  dnabertBatchSize: {
    ...CALL_TOKENS,
    group: RUN,
    help: 'tokens of one call of the DNA encoder, padding included; virnucpro profile recommends it',
    defaultText: BY_MODEL,
  },
  esmBatchSize: {
    ...CALL_TOKENS,
    group: RUN,
    help: 'the same for the protein encoder',
    defaultText: BY_MODEL,
  },
  batchSequences: {
    takes: '<n>',
    group: RUN,
    help: 'frames in a file batch',
    type: wholeNumber(BATCH_SEQUENCES),
    defaultText: 'by the size of the sample, 200 to 10,000',
  },
  persistentModels: {
    negatable: true,
    group: RUN,
    help: 'load each model once a lane; --no-persistent-models: anew for every file batch',
    type: yesOrNo(),
    default: true,
    defaultText: 'on',
  },
  waveBytes: {
    takes: '<size>',
    group: RUN,
    help: 'embeddings that samples taken together may leave on disk',
    type: byteSize(),
    default: WAVE_BYTES,
    defaultText: '50GB',
  },
  keepWarm: {
    takes: '<seconds>',
    group: RUN,
    help: 'how long a released lane keeps its model',
    type: numberWithin({ min: 0, max: DAY }),
    default: KEEP_WARM_SECONDS,
  },
  priority: {
    takes: '<1-5>',
    group: RUN,
    help: 'among the runs that wait for lanes; 1 comes first',
    type: wholeNumber({ min: 1, max: 5 }),
    default: PRIORITY,
  },
  laneTimeout: {
    takes: '<seconds>',
    group: RUN,
    help: 'fail when no lane comes for so long',
    type: numberWithin({ min: 1, max: 30 * DAY }),
    defaultText: 'wait',
  },
  heartbeat: {
    takes: '<seconds>',
    group: RUN,
    help: 'silence after which a lane is taken for dead',
    type: numberWithin({ min: 1, max: HOUR }),
    default: HEARTBEAT_MS / 1000,
  },
  resume: {
    group: RUN,
    help: 'go on from what any earlier run finished in the output folder',
    type: yesOrNo(),
    default: false,
  },
  force: {
    short: '-f',
    group: RUN,
    help: 'start over, whatever the output folder holds',
    type: yesOrNo(),
    default: false,
  },
  service: {
    negatable: true,
    group: SERVICE,
    help: "run on the service of Temporal's environment configuration; --no-service: on this machine's own server",
    type: yesOrNo(),
    defaultText: 'on if TEMPORAL_ADDRESS or TEMPORAL_PROFILE is set',
  },
  store: {
    takes: '<uri>',
    group: SERVICE,
    help: 's3://bucket/prefix, of this run alone, for hosts that share no folder: inputs go there, results come back',
    type: text(),
  },
  detach: { group: SERVICE, help: 'return when the run is submitted', type: yesOrNo(), default: false },
  withAgent: {
    group: SERVICE,
    help: 'serve the service with this machine, too, until the command ends',
    type: yesOrNo(),
    default: false,
  },
  connectTimeout: {
    takes: '<seconds>',
    group: SERVICE,
    help: 'fail when the service is away for so long at the start',
    type: numberWithin({ min: 0, max: 30 * DAY }),
    defaultText: 'wait',
  },
  progress: {
    negatable: true,
    group: SCREEN,
    help: 'bars on a terminal, lines elsewhere; --no-progress: neither',
    type: yesOrNo(),
    default: true,
    defaultText: 'on',
  },
  verbose: { short: '-v', group: SCREEN, help: 'log more', type: yesOrNo(), default: false },
  quiet: { short: '-q', group: SCREEN, help: 'no progress, and nothing but errors', type: yesOrNo(), default: false },
  logFile: { short: '-l', takes: '<file>', group: SCREEN, help: 'append the log to this file, too', type: text() },
  temporalCli: { ...TEMPORAL_CLI, group: SCREEN },
} as const satisfies OptionTable;

/** Checked options of `predict`. */
export type PredictOptions = OptionValues<typeof PREDICT_OPTIONS>;

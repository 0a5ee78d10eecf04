import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DeviceKind } from '../contract/devices.js';
import { InputError, LaneSick, ModelError, NonFiniteEmbedding, OutOfMemory } from '../contract/failures.js';
import type { Precision } from '../contract/models.js';
import { assertFinite } from '../model/finite.js';
import type { EncoderKind } from '../model/graph/encoder.js';
import { type ExpectedModel, type Model, openModel } from '../model/model.js';
import { type Call, CallQueue } from './call-queue.js';
import { encoderFeeds, pooledSpan } from './feeds.js';
import { loadableSegments } from './loadable-segments.js';
import { graphFormFor, proveDevice, toleranceOf } from './prove-device.js';
import { type RunOptions, SegmentedSession } from './segmented-session.js';
import { type Spread, spreadOver } from './spread.js';

/** Tokenizing blocks the thread: other work (the results of calls) gets a turn after this many letters, some 3 ms. */
const LETTERS_PER_TURN = 500;

export interface EmbedderOptions {
  /** Folder or file of a checkpoint. */
  model: string;
  /** Our cache folder. */
  cacheDir: string;
  /** What computes: of several devices of a kind the first that this process sees. Default: the CPU. */
  device?: DeviceKind;
  /** CPU threads that it may use; see spreadOver. */
  threads: number;
  /**
   * Says how many sequences there will be, if they may be few: those share all threads. Called before the weights are loaded,
   * so that bad input costs no load.
   */
  sequences?: (kind: EncoderKind) => Promise<number>;
  /** Idle threads spin: only for a process that has the machine to itself. Default false. */
  spinning?: boolean;
  /** What the checkpoint must turn out to be. */
  expected?: ExpectedModel;
  /** What its products are computed in. Default fp32. */
  precision?: Precision;
  /** Tokens of one call, padding included. Default: calls of up to about a second. */
  tokensPerCall?: number;
}

/** What a loaded embedder says about itself. */
export interface EmbedderFacts {
  kind: EncoderKind;
  /** Floats of a vector. */
  hidden: number;
  layers: number;
  heads: number;
  /** Width of the feed-forward block. */
  intermediate: number;
  parameters: number;
  precision: Precision;
  /** Hex SHA-256 that tells the model from others. */
  digest: string;
  /** Provider and its version. */
  provider: string;
  /** Tokens of one call, padding included; becomes less when a call does not fit the memory. */
  tokensPerCall: number;
  spread: Spread;
  /** What {@link tokensPerCall} was before that. */
  reducedFrom?: number;
  /** From opening the checkpoint to the first vector. */
  loadSeconds: number;
}

/** How far an {@link Embedder.embed} is. Identical sequences are computed, and counted, once. */
export interface EmbedProgress {
  sequencesDone: number;
  sequences: number;
  tokensDone: number;
  /** Until the first call is done: those of the sequences that are tokenized by now. */
  tokens: number;
}

/** Options of {@link Embedder.embed}. */
export interface EmbedOptions {
  /** Looked at between calls, and between the segments of one; its reason is thrown. */
  signal?: AbortSignal;
  /** Called after each call, and now and then while the sequences are tokenized. */
  onProgress?: (progress: EmbedProgress) => void;
  /** Called after each segment of a call: the device is at work. */
  onSegment?: () => void;
  /** Called with each row as soon as its vector is known. */
  onVector?: (row: number, vector: Float32Array) => void;
  /** Takes a row that gives no finite vector or does not fit the memory alone: its vector stays zero. */
  onRefused?: (row: number, error: NonFiniteEmbedding | OutOfMemory) => void;
}

/** Sequences as {@link Embedder.prepare} made them ready: each different one once. */
export interface PreparedSequences {
  /** How many there are, alike ones counted. */
  sequences: number;
  tokens: Int32Array[];
  /** Which sequences have these tokens. */
  rows: number[][];
}

/** A loaded encoder: sequences in, one vector each out. Whoever opens it closes it. */
export class Embedder {
  /** The vector of a short sequence, computed at the start. */
  private reference: Float32Array = new Float32Array();

  private constructor(
    private readonly model: Model,
    private readonly session: SegmentedSession,
    readonly facts: EmbedderFacts,
  ) {}

  /**
   * Has the device prove itself, unless it is the CPU, loads a model and tries it on one short sequence. Below fp32, its
   * reduced weights are written if they are not there.
   * @throws ModelError when it is no encoder, is incomplete or holds NaN; DeviceError when the device is absent or computes
   *   other vectors than the CPU; LaneSick when it makes NaN of finite weights, ModelError when fp16 does; OutOfMemory when the model does not fit;
   *   StorageError when there is no room for reduced weights.
   */
  static async open(options: EmbedderOptions): Promise<Embedder> {
    let started = performance.now();
    const { cacheDir, device = 'cpu', threads, spinning = false } = options;
    const model = await openModel(options.model, cacheDir, options.expected, options.precision);
    const { kind, dims, parameters, precision } = model;
    const opened = performance.now();
    const sequences = await options.sequences?.(kind);
    // Reading them is no part of the load.
    started += performance.now() - opened;
    const spread = spreadOver(threads, { ...dims, parameters }, device, sequences);
    if (device !== 'cpu') await proveDevice(model, device, { threads, cacheDir });
    const graph = device === 'cpu' ? model.graph : await model.graphAs({ ...graphFormFor(device), precision });
    const segments = await loadableSegments(model, graph, cacheDir, spread.segments);
    const session = await SegmentedSession.open(
      segments,
      { device, threads: spread.threadsPerCall, spinning },
      spread.calls * spread.threadsPerCall,
    );
    const facts: EmbedderFacts = {
      kind,
      hidden: dims.hidden,
      layers: dims.layers,
      heads: dims.heads,
      intermediate: dims.intermediate,
      parameters,
      precision,
      digest: model.digest,
      provider: session.provider,
      tokensPerCall: options.tokensPerCall ?? spread.tokensPerCall,
      spread,
      loadSeconds: 0,
    };
    const embedder = new Embedder(model, session, facts);
    try {
      await embedder.tryOut();
    } catch (error) {
      await session.close();
      throw error;
    }
    facts.loadSeconds = (performance.now() - started) / 1000;
    return embedder;
  }

  /**
   * Tokenizes `sequences`, letting other work run now and then. Needs no device: do it while another batch computes.
   * @param sequences upper-case, not empty.
   * @throws InputError for a letter without token.
   */
  async prepare(
    sequences: readonly string[],
    { signal, onProgress }: Pick<EmbedOptions, 'signal' | 'onProgress'> = {},
  ): Promise<PreparedSequences> {
    const rowsOf = new Map<string, number[]>();
    sequences.forEach((sequence, row) => {
      const rows = rowsOf.get(sequence);
      if (rows === undefined) rowsOf.set(sequence, [row]);
      else rows.push(row);
    });
    const rows = [...rowsOf.values()];
    const progress: EmbedProgress = { sequencesDone: 0, sequences: rows.length, tokensDone: 0, tokens: 0 };
    const tokens: Int32Array[] = [];
    for await (const more of this.tokenize(rows.map(([row]) => [row!, sequences[row!]!]))) {
      tokens.push(...more);
      progress.tokens += countTokens(more);
      signal?.throwIfAborted();
      onProgress?.({ ...progress });
    }
    return { sequences: sequences.length, tokens, rows };
  }

  /**
   * The mean-pooled vectors of `sequences`, float32 [sequences, hidden], in their order. On a CPU a vector is a pure
   * function of sequence and model: not of the other sequences, threads or call sizes.
   * @param sequences upper-case, not empty; or what {@link prepare} made of them.
   * @throws NonFiniteEmbedding or OutOfMemory naming a sequence by its index, unless `onRefused` takes them; InputError
   *   for a letter without token.
   */
  async embed(sequences: readonly string[] | PreparedSequences, options: EmbedOptions = {}): Promise<Float32Array> {
    const { hidden } = this.facts;
    const prepared = 'rows' in sequences ? sequences : await this.prepare(sequences, options);
    const { tokens, rows } = prepared;
    const progress: EmbedProgress = {
      sequencesDone: 0,
      sequences: rows.length,
      tokensDone: 0,
      tokens: countTokens(tokens),
    };
    const vectors = new Float32Array(prepared.sequences * hidden);
    const refuse = (of: number[], toError: (row: number) => NonFiniteEmbedding | OutOfMemory): void => {
      if (options.onRefused === undefined) throw toError(of[0]!);
      for (const row of of) options.onRefused(row, toError(row));
    };
    const queue = new CallQueue(
      tokens.map(({ length }) => length),
      this.facts,
    );
    const underWay: { call: Call; result: Promise<unknown> }[] = [];
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, ...(options.signal ? [options.signal] : [])]);
    const send = (): void => {
      // Whoever waits for the session after an abort waits for the segments that compute.
      signal.throwIfAborted();
      for (let call = queue.next(underWay.length); call !== undefined; call = queue.next(underWay.length)) {
        const own = call.indices.map((i) => tokens[i]!);
        const result = this.runCall(own, { signal, onSegment: options.onSegment });
        underWay.push({ call, result: result.catch((error: unknown) => error) });
      }
    };
    try {
      for (send(); underWay.length > 0; send()) {
        const { call, result } = underWay.shift()!;
        const { indices } = call;
        const called = await result;
        if (called instanceof OutOfMemory) {
          if (indices.length > 1) this.reduceCalls(Math.ceil(indices.length / 2) * tokens[indices[0]!]!.length);
          if (!queue.takeBack(call)) refuse(rows[indices[0]!]!, (row) => locate(called, row));
          continue;
        }
        if (!(called instanceof Float32Array)) throw called;
        const broken: number[] = [];
        indices.forEach((i, n) => {
          const vector = called.subarray(n * hidden, (n + 1) * hidden);
          if (!vector.every(Number.isFinite)) {
            broken.push(i);
            return;
          }
          for (const row of rows[i]!) {
            vectors.set(vector, row * hidden);
            options.onVector?.(row, vector);
          }
          progress.sequencesDone += 1;
          progress.tokensDone += tokens[i]!.length;
        });
        // One sequence may have spoilt the others of its call: each shows by itself what it gives.
        if (indices.length > 1) queue.takeBackEach(broken);
        else for (const i of broken) refuse(rows[i]!, (row) => nonFinite(row, this.facts.precision));
        options.onProgress?.({ ...progress });
      }
    } finally {
      over.abort();
    }
    return vectors;
  }

  /** Sizes later calls: tokens of one, padding included. */
  resizeCalls(tokensPerCall: number): void {
    this.facts.tokensPerCall = tokensPerCall;
  }

  /** Waits for a call under way and gives the memory back. */
  close(): Promise<void> {
    return this.session.close();
  }

  /** Token ids of `sequences` (with their indices) in pieces, letting other work run between them. */
  private async *tokenize(sequences: [index: number, sequence: string][]): AsyncGenerator<Int32Array[]> {
    let piece: Int32Array[] = [];
    let letters = 0;
    for (const [index, sequence] of sequences) {
      if (sequence === '') throw emptySequence(index);
      piece.push(this.model.tokenizer.encode(sequence));
      letters += sequence.length;
      if (letters >= LETTERS_PER_TURN) {
        yield piece;
        piece = [];
        letters = 0;
        await nextTurn();
      }
    }
    yield piece;
  }

  /** A call did not fit the memory: this one and all later ones are to be no larger than that. */
  private reduceCalls(tokensPerCall: number): void {
    const { facts } = this;
    facts.reducedFrom ??= facts.tokensPerCall;
    facts.tokensPerCall = Math.min(facts.tokensPerCall, tokensPerCall);
  }

  private runCall(tokens: Int32Array[], options: RunOptions = {}): Promise<Float32Array> {
    const { graph, kind, dims } = this.model;
    const spans = tokens.map(({ length }) => pooledSpan(kind, length));
    return this.session.run(encoderFeeds(graph, tokens), { ...options, pooling: { spans, hidden: dims.hidden } });
  }

  /**
   * Embeds the short sequence of the start again: true when the device still gives the same vector, but for rounding.
   * @throws what the runtime throws when it does not even run.
   */
  async selfTest(): Promise<boolean> {
    const vector = await this.embedShortSequence();
    const most = toleranceOf(this.facts.precision) * Math.hypot(...this.reference);
    return vector.every((value, i) => Math.abs(value - this.reference[i]!) <= most);
  }

  private embedShortSequence(): Promise<Float32Array> {
    const { kind, tokenizer } = this.model;
    return this.runCall([tokenizer.encode(kind === 'esm2' ? 'MKV' : 'ATGAAAGTT')]);
  }

  /** NaN in any weight matrix reaches every vector, so one call shows it; only then are all weights read. */
  private async tryOut(): Promise<void> {
    const { graph, checkpoint, precision } = this.model;
    this.reference = await this.embedShortSequence();
    if (this.reference.every(Number.isFinite)) return;
    await assertFinite(graph.weights);
    // The device has proved itself: it is numbers of a deeper layer that fp16 does not hold, on any device.
    if (precision === 'fp16') {
      throw new ModelError({
        what: 'in fp16 the model gives NaN or infinity for a short sequence, though all its weights are finite',
        where: checkpoint.source,
        next: 'Give --precision fp32: it holds larger numbers',
      });
    }
    throw new LaneSick({
      what: 'the device gives NaN or infinity for a short sequence, though all weights of the model are finite',
      where: checkpoint.source,
      next: 'Check the device; if every device does so, check that the checkpoint is the model you meant',
    });
  }
}

function countTokens(tokens: readonly Int32Array[]): number {
  return tokens.reduce((sum, { length }) => sum + length, 0);
}

function emptySequence(index: number): InputError {
  return new InputError({ what: 'sequence is empty', where: `sequence ${index}`, next: 'Leave empty sequences out' });
}

function nonFinite(index: number, precision: Precision): NonFiniteEmbedding {
  const isHalf = precision === 'fp16';
  return new NonFiniteEmbedding({
    what: `embedding holds NaN or infinity${isHalf ? ' in fp16' : ''}`,
    where: `sequence ${index}`,
    next: `The sequence is tried on another lane, then quarantined${isHalf ? '; --precision fp32 holds larger numbers' : ''}`,
  });
}

function locate(error: OutOfMemory, index: number): OutOfMemory {
  return new OutOfMemory({ what: error.what, where: `sequence ${index}`, next: error.next, cause: error });
}

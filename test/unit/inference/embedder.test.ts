import assert from 'node:assert/strict';
import { InputError, ModelError, OutOfMemory } from '../../../src/contract/failures.js';
import type { Precision } from '../../../src/contract/models.js';
import { Embedder, type EmbedProgress } from '../../../src/inference/embedder.js';
import { relativeError } from '../../../src/inference/relative-error.js';
import { SegmentedSession } from '../../../src/inference/segmented-session.js';
import { SessionThread } from '../../../src/inference/session-thread.js';
import { compare } from '../../../src/inference/verify-model.js';
import { countSessionCalls } from '../../support/session-calls.js';
import { changedModel, goldenEmbeddings, MODELS, temporaryFolder } from '../../support/tiny-models.js';

let cacheDir: string;
before(async () => (cacheDir = await temporaryFolder()));

function open(
  model: string,
  options: { threads?: number; tokensPerCall?: number; precision?: Precision } = {},
): Promise<Embedder> {
  return Embedder.open({ model: `${MODELS}/${model}`, cacheDir, threads: 1, ...options });
}

function bits(vectors: Float32Array): Buffer {
  return Buffer.from(vectors.buffer, vectors.byteOffset, vectors.byteLength);
}

describe('Embedder', () => {
  for (const [model, name] of [
    ['dnabert2-tiny', 'dnabert2'],
    ['dnabert2-tiny/pytorch_model.bin', 'dnabert2'],
    ['esm2-tiny', 'esm2'],
    ['esm2-tiny/pytorch_model.bin.index.json', 'esm2'],
    ['esm2-tiny-fair/esm2_tiny.pt', 'esm2'],
    ['esm2-tiny-fair/esm2_tiny_half.pt', 'esm2_half'],
    ['esm2-tiny-bf16', 'esm2_bf16'],
  ] as const) {
    it(`gives the reference's vectors from ${model}`, async () => {
      const expected = await goldenEmbeddings(name);
      const embedder = await open(model);
      const vectors = await embedder.embed(expected.map(({ sequence }) => sequence));
      await embedder.close();
      const { hidden } = embedder.facts;
      assert.equal(vectors.length, expected.length * hidden);
      expected.forEach(({ mean }, i) => {
        const difference = relativeError(vectors.subarray(i * hidden, (i + 1) * hidden), Float32Array.from(mean));
        assert.ok(difference < 1e-5, `sequence ${i}: ${difference}`);
      });
    });
  }

  for (const [model, name, leastCosine] of [
    ['dnabert2-tiny', 'dnabert2', 0.997],
    ['esm2-tiny', 'esm2', 0.999],
  ] as const) {
    it(`gives vectors near the reference's in int8 from ${model}`, async () => {
      const expected = await goldenEmbeddings(name);
      const embedder = await open(model, { precision: 'int8' });
      const vectors = await embedder.embed(expected.map(({ sequence }) => sequence));
      await embedder.close();
      const { hidden, precision } = embedder.facts;
      assert.equal(precision, 'int8');
      expected.forEach(({ mean }, i) => {
        const vector = vectors.subarray(i * hidden, (i + 1) * hidden);
        const { cosine, relativeError } = compare('', vector, Float32Array.from(mean));
        // Beyond the rounding of fp32: it did compute in integers.
        assert.ok(cosine > leastCosine && relativeError > 1e-3, `sequence ${i}: ${cosine}`);
      });
    });
  }

  // On the CPU weights are rounded to fp16, and most of what is computed stays fp32: onnxruntime leaves its casts out.
  for (const [model, name] of [
    ['dnabert2-tiny', 'dnabert2'],
    ['esm2-tiny', 'esm2'],
    ['esm2-tiny-fair/esm2_tiny_half.pt', 'esm2_half'],
    ['esm2-tiny-bf16', 'esm2_bf16'],
  ] as const) {
    it(`gives the reference's vectors in fp16 from ${model}, at a cosine of 0.99999 and more`, async () => {
      const expected = await goldenEmbeddings(name);
      const embedder = await open(model, { precision: 'fp16' });
      const vectors = await embedder.embed(expected.map(({ sequence }) => sequence));
      await embedder.close();
      const { hidden, precision } = embedder.facts;
      assert.equal(precision, 'fp16');
      const worst = expected
        .map(({ mean }, i) =>
          compare(`sequence ${i}`, vectors.subarray(i * hidden, (i + 1) * hidden), Float32Array.from(mean)),
        )
        .reduce((a, b) => (b.cosine >= a.cosine ? a : b));
      assert.ok(worst.cosine > 0.99999, JSON.stringify(worst));
      // Beyond the rounding of fp32: it did compute in 16 bits.
      assert.ok(worst.relativeError > 1e-4, JSON.stringify(worst));
    });
  }

  it('blames fp16 for NaN of finite weights, and advises fp32; in fp32 it blames the device', async () => {
    // Beyond fp32, too: the CPU computes fp16 products in 32 bits, so nothing smaller overflows there.
    const model = await changedModel('esm2-tiny', (tensors) => {
      tensors.get('esm.encoder.layer.1.LayerNorm.weight')!.values.fill(3e38);
    });
    await assert.rejects(Embedder.open({ model, cacheDir, threads: 1 }), { name: 'LaneSick' });
    await assert.rejects(Embedder.open({ model, cacheDir, threads: 1, precision: 'fp16' }), {
      name: 'ModelError',
      what: /^in fp16 the model gives NaN or infinity for a short sequence/,
      next: 'Give --precision fp32: it holds larger numbers',
    });
  });

  for (const [model, name, precision] of [
    ['dnabert2-tiny', 'dnabert2', 'fp32'],
    ['dnabert2-tiny', 'dnabert2', 'fp16'],
    ['dnabert2-tiny', 'dnabert2', 'int8'],
    ['esm2-tiny', 'esm2', 'fp32'],
    ['esm2-tiny', 'esm2', 'fp16'],
    ['esm2-tiny', 'esm2', 'int8'],
  ] as const) {
    it(`gives the same bits whole and in segments, with 1, 2 and 3 threads, one or five a call, padded or not (${model}, ${precision})`, async () => {
      const golden = (await goldenEmbeddings(name)).map(({ sequence }) => sequence);
      // Five of one length (a call without padding), then the golden ones (calls with padding).
      const turned = [0, 1, 2, 3, 4].map((n) => golden[2]!.slice(n * 7) + golden[2]!.slice(0, n * 7));
      const sequences = [...turned, ...golden.filter(({ length }) => length < 600)];
      const alone = await open(model, { precision, tokensPerCall: 1 });
      const one = await alone.embed(sequences);
      const two = await open(model, { precision, threads: 2, tokensPerCall: 1 });
      assert.deepEqual(bits(await two.embed(sequences)), bits(one));
      const together = await open(model, { precision, threads: 3, tokensPerCall: 4000 });
      assert.deepEqual(bits(await together.embed(sequences)), bits(one));
      assert.deepEqual(bits(await together.embed(turned)), bits(one.slice(0, 5 * alone.facts.hidden)));
      assert.deepEqual(
        [alone, two, together].map(({ facts }) => facts.spread.segments),
        [1, 3, 3],
      );
      await Promise.all([alone.close(), two.close(), together.close()]);
    });
  }

  it('keeps the input order, computes copies once and tells how far it is', async () => {
    const embedder = await open('esm2-tiny', { tokensPerCall: 10 });
    const seen: EmbedProgress[] = [];
    const vectors = await embedder.embed(['MK', 'MKVLA', 'MK', 'W'], { onProgress: (p) => seen.push(p) });
    const rows = [0, 1, 2, 3].map((i) => bits(vectors.slice(i * 80, (i + 1) * 80)));
    assert.deepEqual(rows[0], rows[2]);
    assert.notDeepEqual(rows[0], rows[1]);
    assert.deepEqual(bits(await embedder.embed(['W'])), rows[3]);
    assert.deepEqual(seen, [
      { sequencesDone: 0, sequences: 3, tokensDone: 0, tokens: 14 },
      { sequencesDone: 1, sequences: 3, tokensDone: 7, tokens: 14 },
      { sequencesDone: 3, sequences: 3, tokensDone: 14, tokens: 14 },
    ]);
    assert.deepEqual(await embedder.embed([]), new Float32Array(0));
    await embedder.close();
  });

  describe('when it is aborted', () => {
    const sequences = [...'ACDEFG'].map((letter) => `M${letter}`);
    let embedder: Embedder;
    let calls: ReturnType<typeof countSessionCalls>;
    beforeEach(async () => {
      embedder = await open('esm2-tiny', { tokensPerCall: 1 });
      calls = countSessionCalls();
    });
    afterEach(() => {
      calls.stop();
      return embedder.close();
    });

    it('sends no further call, stops before the next, and can embed others', async () => {
      const abort = new AbortController();
      let done = 0;
      const onProgress = (): void => {
        done += 1;
        if (done === 3) abort.abort(new Error('enough'));
      };
      const prepared = await embedder.prepare(sequences);
      await assert.rejects(embedder.embed(prepared, { signal: abort.signal, onProgress }), /enough/);
      // The fourth was sent when the second was done, so that the device does not wait.
      assert.deepEqual([done, calls.sent], [3, 4]);
      assert.equal((await embedder.embed(['MA'])).length, 80);
    });

    it('sends none when that was before the first', async () => {
      const prepared = await embedder.prepare(sequences);
      await assert.rejects(embedder.embed(prepared, { signal: AbortSignal.abort(new Error('enough')) }), /enough/);
      assert.equal(calls.sent, 0);
    });
  });

  it('has no more calls computed at once than it has threads, however many segments there are', async () => {
    const { run } = SegmentedSession.prototype;
    const embedder = await open('esm2-tiny', { threads: 2, tokensPerCall: 1 });
    assert.deepEqual([embedder.facts.spread.segments, embedder.facts.spread.calls], [3, 2]);
    let underWay = 0;
    let most = 0;
    SegmentedSession.prototype.run = function (...call) {
      most = Math.max(most, (underWay += 1));
      return run.apply(this, call).finally(() => (underWay -= 1));
    };
    try {
      await embedder.embed([...'ACDEFGHIKLMN'].map((letter) => `MKV${letter}`));
      assert.equal(most, 2);
    } finally {
      SegmentedSession.prototype.run = run;
      await embedder.close();
    }
  });

  it('shares few sequences out among its segments, also where a call could hold them all', async () => {
    const embedder = await open('esm2-tiny', { threads: 2, tokensPerCall: 4000 });
    const done: number[] = [];
    await embedder.embed(
      [...'ACDEFG'].map((letter) => `MKV${letter}`),
      { onProgress: ({ sequencesDone }) => done.push(sequencesDone) },
    );
    assert.deepEqual(done.slice(-2), [3, 6]);
    await embedder.close();
  });

  it('reads the sequences before the weights: bad ones cost no load', async () => {
    const bad = Embedder.open({
      model: `${MODELS}/esm2-tiny`,
      cacheDir,
      threads: 1,
      sequences: (kind) => Promise.reject(new InputError({ what: `no ${kind}`, next: 'x' })),
    });
    const { open: load } = SessionThread;
    SessionThread.open = () => assert.fail('loaded');
    await assert.rejects(bad, { name: 'InputError', what: 'no esm2' }).finally(() => (SessionThread.open = load));
  });

  it('lets other work run meanwhile', async () => {
    const embedder = await open('esm2-tiny', { tokensPerCall: 4096 });
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 5);
    const started = performance.now();
    await embedder.embed(Array.from({ length: 40 }, (_, i) => 'M'.repeat(60 + i)));
    clearInterval(timer);
    assert.ok(turns >= (performance.now() - started) / 50, `${turns} turns`);
    await embedder.close();
  });

  it('refuses an empty sequence and a letter without token, naming them', async () => {
    const embedder = await open('esm2-tiny');
    await assert.rejects(embedder.embed(['MK', '']), (error: Error) => {
      assert.ok(error instanceof InputError);
      assert.match(error.message, /sequence 1/);
      return true;
    });
    await assert.rejects(embedder.embed(['MK', 'MJK']), /'J' is no residue .*position 2/);
    await embedder.close();
  });

  describe('on a device with the memory for 40 tokens a call', () => {
    const { run } = SessionThread.prototype;
    let calls: number[];
    beforeEach(() => {
      calls = [];
      SessionThread.prototype.run = function (feeds, pooling) {
        const { length } = feeds['input_ids']!.data;
        calls.push(length);
        if (length <= 40) return run.call(this, feeds, pooling);
        return Promise.reject(new OutOfMemory({ what: 'too large', next: 'x' }));
      };
    });
    afterEach(() => {
      SessionThread.prototype.run = run;
    });

    it('cuts what does not fit, remembers the size for all later calls, and gives the same bits', async () => {
      const sequences = [...'ACDEFGHIKLMNPQRSTVWY'].map((letter) => `MKVLAW${letter}`);
      const small = await open('esm2-tiny', { tokensPerCall: 9 });
      const expected = await small.embed(sequences);
      const embedder = await open('esm2-tiny', { tokensPerCall: 90 });
      calls = [];
      // 9 tokens each: 10 a call, so 90 and, already under way, 90; 45 (5 of 10) likewise, then 27 (3 of 5).
      assert.deepEqual(bits(await embedder.embed(sequences)), bits(expected));
      assert.deepEqual(calls, [90, 90, 45, 45, 27, 27, 18, 18, 27, 18, 27, 18]);
      assert.deepEqual([embedder.facts.tokensPerCall, embedder.facts.reducedFrom], [27, 90]);
      calls = [];
      await embedder.embed(sequences.slice(0, 6));
      assert.deepEqual(calls, [27, 27]);
      await Promise.all([small.close(), embedder.close()]);
    });

    it('in segments too; one sequence that did not fit beside others is tried by itself', async () => {
      const sequences = [...'ACDEFGHIKL'].map((letter) => `MKVLAW${letter}`);
      const expected = await (await open('esm2-tiny', { tokensPerCall: 9 })).embed(sequences);
      const embedder = await open('esm2-tiny', { tokensPerCall: 90, threads: 3 });
      assert.deepEqual(bits(await embedder.embed(sequences)), bits(expected));
      calls = [];
      const refused: number[] = [];
      const long = 'W'.repeat(39);
      await embedder.embed(['MKV', long, 'MKA'], { onRefused: (row) => refused.push(row) });
      assert.deepEqual(refused, [1]);
      assert.deepEqual([calls[0], calls.at(-1)], [41, 41], 'first as the longest, again when the others were done');
      await embedder.close();
    });

    it('refuses one sequence that does not fit alone, and keeps its calls for the others', async () => {
      const embedder = await open('esm2-tiny', { tokensPerCall: 40 });
      const refused: number[] = [];
      await embedder.embed(['MKV', 'W'.repeat(39), 'MKA'], { onRefused: (row) => refused.push(row) });
      assert.deepEqual(refused, [1]);
      assert.deepEqual([embedder.facts.tokensPerCall, embedder.facts.reducedFrom], [40, undefined]);
      await embedder.close();
    });
  });

  it('names the tensor that holds NaN, in the embeddings and in a layer', async () => {
    for (const tensor of ['esm.embeddings.word_embeddings.weight', 'esm.encoder.layer.2.output.dense.weight']) {
      const folder = await changedModel('esm2-tiny', (tensors) => {
        tensors.get(tensor)!.values[77] = NaN;
      });
      await assert.rejects(Embedder.open({ model: folder, cacheDir, threads: 1 }), (error: Error) => {
        assert.ok(error instanceof ModelError);
        assert.ok(error.message.includes(`tensor ${tensor} holds NaN at element 77`), error.message);
        return true;
      });
    }
  });

  for (const [precision, next] of [
    ['fp32', /quarantined$/],
    ['fp16', /quarantined; --precision fp32 holds larger numbers$/],
  ] as const) {
    it(`names the sequence whose embedding overflows (${precision})`, async () => {
      // Of all residues only tryptophan has the first feature: infinite after the first norm, and infinity x 0 is NaN.
      const model = await changedModel('esm2-tiny', (tensors) => {
        const words = tensors.get('esm.embeddings.word_embeddings.weight')!.values;
        words.fill(0, 22 * 80, 23 * 80);
        for (let row = 0; row < 33; row += 1) words[row * 80] = row === 22 ? 1 : 0;
        const attention = 'esm.encoder.layer.0.attention';
        tensors.get(`${attention}.LayerNorm.weight`)!.values[0] = 3e38;
        for (const part of ['query', 'key', 'value']) {
          const weights = tensors.get(`${attention}.self.${part}.weight`)!.values;
          for (let row = 0; row < 80; row += 1) weights[row * 80] = 0;
        }
      });
      const embedder = await Embedder.open({ model, cacheDir, threads: 1, precision });
      const where = 'sequence 2';
      await assert.rejects(embedder.embed(['MK', 'MKV', 'MWA']), { name: 'NonFiniteEmbedding', where, next });
      await embedder.close();
    });
  }
});

import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { RETIRED_FLAGS } from '../../src/cli/options/retired-flags.js';
import { PREDICT_OPTIONS } from '../../src/cli/options/predict-table.js';

/** A test by its file under `test` and its title there. */
type Shown = readonly [file: string, title: string];

/**
 * Defects of the Python command line and of the original scripts that reading them found, and the tests that show that they
 * are not ours. Those without a test of their own elsewhere have it below.
 */
const DEFECTS: Readonly<Record<string, readonly Shown[]>> = {
  'a resume gives vectors to other sequences than theirs, unseen by tests that count ids': [
    ['unit/activities/batch-parts.test.ts', 'a later attempt goes on from what earlier ones saved, and publishes all'],
    ['faults/random-kills.test.ts', 'of lanes, agent and server during a run of 30 batches: the same tables'],
  ],
  'what is in a corrupt checkpoint counts as done': [
    ['unit/activities/batch-parts.test.ts', 'passes over parts of another model, and over broken ones'],
    ['faults/corrupt-artifact.test.ts', 'a resume computes what is flipped, missing or unfinished, and nothing else'],
  ],
  'checkpoints are written only if the first command had --resume': [
    ['cli/resume.test.ts', 'goes on after the command was killed; with the database lost, from finished artifacts'],
  ],
  'the last part of a batch is never saved': [
    ['unit/activities/batch-parts.test.ts', 'is due when something has waited for so long, and not before'],
    ['faults/drain.test.ts', 'SIGTERM of its agent (a spot notice): batches are handed back at once'],
  ],
  'a resume without -t dies': [
    ['cli/resume.test.ts', 'goes on after the command was killed; with the database lost, from finished artifacts'],
  ],
  'a stage is skipped though its files are gone': [
    ['unit/io/split-sample.test.ts', 'uses what is there and whole, and makes the rest again to the same bytes'],
    ['unit/cli/resume.test.ts', 'takes a run for done only while all its tables are whole'],
  ],
  'a retry is a line in the log': [
    ['faults/lane-dies.test.ts', 'SIGKILL in mid-batch: its batches run elsewhere within heartbeat + 1 s'],
    ['unit/activities/hold-lane.test.ts', 'starts a process that died again, on the same queue'],
  ],
  'one worker that fails ends the stage': [
    ['faults/agent-dies.test.ts', 'SIGKILL in mid-batch: its lanes go with it, its batches run on another host'],
  ],
  '--gpus 2,3 runs on 0 and 1': [
    ['unit/workers/lane-handle.test.ts', 'cuda:${index} is ${pinned}'],
    ['unit/workers/lane-handle.test.ts', 'a device beyond them is absent, not some other'],
  ],
  "a process gets a task of another's device": [
    ['unit/workers/lane-handle.test.ts', 'one process serves queue after queue with one load'],
    ['unit/workers/lane-pool.test.ts', 'takes no lane of another model, precision or mode for its own'],
  ],
  'pools are closed only when all went well': [
    ['faults/run-ends.test.ts', 'cancel: no lane process after 15 s'],
    ['faults/run-ends.test.ts', 'terminate of every one of its workflows at once: no lane process after 15 s'],
  ],
  'finished features are not found again, under another name': [
    ['cli/resume.test.ts', 'goes on after the command was killed; with the database lost, from finished artifacts'],
  ],
  'nucleotide and protein files are paired by their place in a list': [
    ['unit/scoring/merge-features.test.ts', 'refuses sides in another order, with a frame missing, with one too many'],
  ],
  'a missing id shifts the rows behind it': [
    ['unit/scoring/merge-features.test.ts', 'leaves quarantined frames out, whichever side has them, and shifts no'],
    ['unit/inference/classify-sample.test.ts', 'accounts for quarantined frames and changes no other row'],
  ],
  'a resume does not look at the input': [
    ['unit/cli/run-record.test.ts', 'shows both values of options, and names the samples that changed, came or went'],
    ['unit/cli/resume.test.ts', 'refuses another run unless it is told what to do'],
  ],
  'another -b or -w discards everything': [['unit/predecessor-defects.test.ts', '-b and -w change nothing']],
  '--force uses old features again': [['cli/resume.test.ts', 'starts over with --force']],
  'padding makes a row depend on the others of its batch': [
    ['unit/inference/embedder.test.ts', 'with 1, 2 and 3 threads, one or five a call, padded or not'],
  ],
  'half of the results, without an error': [
    ['unit/scoring/accounting.test.ts', 'holds on random samples, and on none of them with one frame dropped'],
    ['unit/model/store/pull.test.ts', 'two processes pull at once: one downloads, the other waits and finds it there'],
  ],
  'checkpoints are programs that run': [
    ['unit/model/checkpoint/nothing-runs.test.ts', 'runs nothing and writes nothing'],
  ],
  'options that do nothing': [
    ['unit/predecessor-defects.test.ts', 'every option of predict is used'],
    [
      'unit/cli/options.test.ts',
      'every flag of the original works, or is taken with one line that says what replaces it',
    ],
  ],
  'chunks without an open frame vanish from every table': [
    ['unit/scoring/accounting.test.ts', 'has one row a contig, in input order, each called or with its reason'],
    [
      'cli/predict.test.ts',
      'gives header-only tables for an input without records, and a row for every record without',
    ],
  ],
};

describe('defects of the predecessors', () => {
  for (const [defect, tests] of Object.entries(DEFECTS)) {
    it(`not ours: ${defect}`, async () => {
      assert.ok(tests.length > 0);
      for (const [file, title] of tests) {
        const source = await readFile(path.join('test', file), 'utf8');
        const titles = [...source.matchAll(/\bit\(\s*(['"`])(.*?)\1,/gs)].map(([, , found]) => found!);
        assert.ok(
          titles.some((found) => found.includes(title)),
          `${file} has no test "${title}"`,
        );
      }
    });
  }

  it('-b and -w change nothing', () => {
    const retired = Object.keys(RETIRED_FLAGS).join(' ');
    for (const flag of ['-b, --batch-size', '-w, --num-workers']) assert.ok(retired.includes(flag));
    assert.ok(!('batchSize' in PREDICT_OPTIONS) && !('numWorkers' in PREDICT_OPTIONS));
  });

  it('every option of predict is used', async () => {
    const files = (await readdir('src/cli')).filter((name) => name.endsWith('.ts'));
    const sources = await Promise.all(files.map((name) => readFile(path.join('src/cli', name), 'utf8')));
    const source = sources.join('\n');
    for (const name of Object.keys(PREDICT_OPTIONS)) {
      // Read as a property, or taken apart.
      assert.match(source, new RegExp(`(options|screen)\\.${name}\\b|[{,] ${name}\\b[^:]`), name);
    }
  });
});

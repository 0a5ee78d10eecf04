/**
 * Many small samples as one campaign of `virnucpro predict` on two lanes: is every sample accounted for, how often are
 * models loaded, does memory stay flat, how long do histories get? Samples are cut from the given FASTA files, else
 * from test data.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { connectClient } from '../src/cli/embedded-run.js';
import { STAGES } from '../src/contract/stages.js';
import { joinSupervision } from '../src/server/supervisor.js';
import { startCli, tinyModels } from '../test/support/cli.js';
import { goldenCases } from '../test/support/golden.js';
import { childrenOf, rssMB } from '../test/support/processes.js';
import { temporalCli } from '../test/support/temporal-cli.js';
import { type Row, benchmark } from './support/benchmark.js';
import { median, round } from './support/figures.js';
import { type RunHistory, historyEvents } from './support/histories.js';
import type { Provenance } from '../src/io/provenance.js';
import { readProvenance } from './support/provenance.js';
import { cutSamples } from './support/samples.js';

const LANES = 2;
const SAMPLE_EVERY_MS = 2_000;

/** One frame a batch makes several slices of few samples. */
const ONE_FRAME = ['--batch-sequences', '1'];

await benchmark('campaign-of-samples', async ({ small, files, dir, row }) => {
  const sources = files.length > 0 ? files : goldenCases.map((golden) => `${golden.dir}/input.fa`);
  const campaign = async (samples: number, ...options: string[]): Promise<void> => {
    const work = path.join(dir, `${samples} ${options.join(' ')}`);
    const sheet = await cutSamples(sources, samples, path.join(work, 'samples'));
    row({ samples, options: options.join(' '), ...(await runCampaign(work, sheet, options)) });
  };
  await campaign(small ? 20 : 500);
  await campaign(small ? 20 : 200, ...ONE_FRAME);
  await campaign(small ? 20 : 200, ...ONE_FRAME, '--keep-warm', '0');
});

async function runCampaign(dir: string, sheet: string, options: string[]): Promise<Row> {
  const stateDir = path.join(dir, 'state');
  const out = path.join(dir, 'out');
  const startedAt = Date.now();
  const args = ['predict', '--samples', sheet, '-o', out, '--lanes', `${LANES}`, ...options, ...tinyModels];
  const { child, ended } = startCli(args, stateDir);
  const memory = watchMemory(child.pid!);
  const { code, stderr } = await ended;
  const seconds = (Date.now() - startedAt) / 1000;
  if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`);
  const rows = await readCampaign(path.join(out, 'campaign.tsv'));
  const sum = (column: string): number => rows.reduce((total, row) => total + Number(row[column]), 0);
  const histories = await recordedHistories(stateDir);
  return {
    done: rows.filter(({ status }) => status === 'done').length,
    'frames without a call': sum('frames') - sum('frames_called'),
    frames: sum('frames'),
    seconds: round(seconds),
    waves: histories.filter(({ type }) => type === 'predictCampaign').length,
    ...(await loads(
      out,
      rows.map(({ sample }) => sample!),
    )),
    ...Object.fromEntries(
      STAGES.map((stage) => [`slices ${stage}`, histories.filter(({ id }) => id.includes(`/${stage}/`)).length]),
    ),
    'longest history': Math.max(...histories.map(({ events }) => events)),
    ...(await memory),
  };
}

/** Rows of a campaign.tsv by column. */
async function readCampaign(file: string): Promise<Record<string, string>[]> {
  const [header, ...lines] = (await readFile(file, 'utf8')).trimEnd().split('\n');
  const columns = header!.split('\t');
  return lines.map((line) => Object.fromEntries(line.split('\t').map((cell, i) => [columns[i]!, cell])));
}

/** Model loads of all waves together: every sample knows those of its own. */
async function loads(out: string, samples: string[]): Promise<Row> {
  const waves = new Map<string, Provenance['stages']>();
  for (const sample of samples) {
    const { workflow, stages } = await readProvenance(path.join(out, sample));
    waves.set(workflow.runId, stages);
  }
  return Object.fromEntries(
    STAGES.map((stage) => [
      `loads ${stage}`,
      [...waves.values()].map((stages) => stages[stage].modelLoads).join(' + '),
    ]),
  );
}

/** The server of a finished command knows its runs' histories. */
async function recordedHistories(stateDir: string): Promise<RunHistory[]> {
  const supervision = await joinSupervision({
    stateDir,
    temporalCli: temporalCli!,
    startAgent: () => undefined,
    log: pino({ level: 'silent' }),
  });
  try {
    const { client, close } = await connectClient(supervision);
    return await historyEvents(client, 'virnucpro').finally(close);
  } finally {
    await supervision.close();
  }
}

/** Resident memory of a command and its agent over their life: medians of its first and last quarter, and the most. */
async function watchMemory(command: number): Promise<Row> {
  const seen: Record<string, number[]> = { command: [], agent: [] };
  for (;;) {
    const agent = childrenOf(command).find((child) => child.command.includes(' worker --roles'));
    const now = rssMB(command);
    if (now === undefined) break;
    seen['command']!.push(now);
    const agentNow = agent && rssMB(agent.pid);
    if (agentNow !== undefined) seen['agent']!.push(agentNow);
    await sleep(SAMPLE_EVERY_MS);
  }
  return Object.fromEntries(
    Object.entries(seen).map(([name, all]) => {
      const quarter = Math.ceil(all.length / 4);
      const [first, last, most] = [median(all.slice(0, quarter)), median(all.slice(-quarter)), Math.max(...all)];
      return [`${name} MB: first quarter, last, most`, [first, last, most].map(round).join(', ')];
    }),
  );
}

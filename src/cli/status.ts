import { OptionError } from '../contract/failures.js';
import { byteText, rateText } from '../io/figure-text.js';
import { STAGES } from '../contract/stages.js';
import { TableCommand } from './options/table-command.js';
import { plainLine, progressLines } from './progress-lines.js';
import type { NamedRun } from './named-run.js';
import type { RunView } from './runs.js';

/** `virnucpro status`: how far one run is. */
export function statusCommand(): TableCommand {
  return new TableCommand('status', async () => (await import('./options/run-tables.js')).STATUS_OPTIONS)
    .description('how far a run is: the newest open one, or the newest')
    .argument('[run]', 'its id, as predict and list print it, or its results folder')
    .runs(async ({ outputDir, json, temporalCli }, ...runs) => {
      const [run] = runs;
      if (run !== undefined && outputDir !== undefined) {
        throw new OptionError({ what: 'a run and --output-dir', next: 'Give one of them: both name a run' });
      }
      const [{ openLooker }, { describeRun, listRuns, unknownRun }, { namedRun, runIn }] = await Promise.all([
        import('./looker.js'),
        import('./runs.js'),
        import('./named-run.js'),
      ]);
      const word = outputDir ?? run;
      const named: Partial<NamedRun> = word === undefined ? {} : await (outputDir ? runIn(word) : namedRun(word));
      const { id } = named;
      const looker = await openLooker(named, temporalCli);
      try {
        const known = looker === undefined || id !== undefined ? [] : await listRuns(looker);
        const newest = known.find(({ open }) => open) ?? known[0];
        const chosen = id ?? newest?.id;
        const view = looker && chosen ? await describeRun(looker, chosen) : undefined;
        if (view === undefined) throw unknownRun(id ?? '(there is none)', looker?.service);
        console.log(json ? JSON.stringify(view) : statusText(view, (looker?.served && looker.runUrl?.(view.id)) || ''));
      } finally {
        await looker?.close();
      }
    });
}

/** What to do about a run that stands still. */
const NEXT_STEP: Readonly<Record<string, string[]>> = {
  interrupted: ['No virnucpro command serves it: the same predict command goes on with it.'],
  unknown: ['No agent answers for it: one with the role control must run (virnucpro worker).'],
};

/** What `status` prints of a run; `url`: its page in the Temporal UI, or empty. A lane that is starting has no process yet. */
export function statusText(run: RunView, url: string): string {
  const { done, failed, samples, progress, troubles = [] } = run;
  const lanes = STAGES.flatMap((stage) =>
    (progress?.stages[stage].lanes ?? []).map(
      ({ host, device, state, pid, done, framesPerSecond, peakBytes, tokensPerCall }) =>
        `  ${stage}  ${host}/${device}  ${state}  ${pid === 0 ? '' : `pid ${pid}  `}${done} batches done` +
        (framesPerSecond === undefined ? '' : `  ${rateText(framesPerSecond)} frames/s`) +
        (peakBytes === undefined ? '' : `  at most ${byteText(peakBytes)}, ${tokensPerCall} tokens a call`),
    ),
  );
  return [
    `${run.id}: ${run.state}`,
    `Started  ${run.started.slice(0, 19)}`,
    `Samples  ${samples}: ${done} done, ${failed} failed`,
    `Results  ${run.outputDir}`,
    ...(url === '' ? [] : [`UI       ${url}`]),
    ...(progress === undefined ? [] : progressLines(progress).map(plainLine)),
    ...(lanes.length === 0 ? [] : ['Lanes', ...lanes]),
    ...(progress?.warnings ?? []).map((warning) => `Warning  ${warning}`),
    ...troubles.map((trouble) => `Trouble  ${trouble}`),
    ...(NEXT_STEP[run.state] ?? []),
  ].join('\n');
}

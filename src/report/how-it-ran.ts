import { STAGES } from '../contract/stages.js';
import { byteText, rateText, timeText } from '../io/figure-text.js';
import type { Provenance } from '../io/provenance.js';
import { type LaneBar, laneTimeline, timeline } from './charts.js';
import { Html } from './html.js';
import { type Column, table, whole } from './page.js';
import type { SampleData } from './sample-data.js';
import { SHOWN } from './shown.js';

/** Steps, stages and lanes of a run: times, rates, loads, retries, losses. */
export async function howItRan({ provenance }: SampleData): Promise<Html> {
  const { timings, stages, lanes, options } = provenance;
  let at = 0;
  const steps = Object.entries(timings).map(([name, seconds]) => {
    const start = at;
    at += seconds;
    return { name, start, end: at };
  });
  const rows = STAGES.flatMap((stage) => (stages[stage] === undefined ? [] : [{ stage, ...stages[stage] }]));
  const lanesOf = (stage: string): number => lanes.filter((lane) => lane.stage === stage).length;
  return Html.of`<p>${timeText(at)} of work, models ${options['persistent-models'] === true ? 'loaded once a lane' : 'loaded for every batch'}.</p>
<div class="wide">${await timeline(steps, 'seconds of each step')}</div>
${table(
  rows,
  [
    { head: 'Stage', cell: ({ stage }) => stage },
    { head: 'Lanes', cell: ({ stage }) => whole(lanesOf(stage)), number: ({ stage }) => lanesOf(stage) },
    { head: 'Time', cell: ({ seconds }) => timeText(seconds), number: ({ seconds }) => seconds },
    {
      head: 'Batches (reused)',
      cell: (row) => `${whole(row.embedded + row.reused)} (${whole(row.reused)})`,
      number: (row) => row.embedded,
    },
    { head: 'Frames', cell: ({ frames }) => whole(frames), number: ({ frames }) => frames },
    rateColumn('Frames/s', ({ frames, seconds }) => frames / seconds),
    rateColumn('Tokens/s', ({ tokens, seconds }) => tokens / seconds),
    { head: 'Model loads', cell: ({ modelLoads }) => whole(modelLoads), number: ({ modelLoads }) => modelLoads },
    { head: 'Retries', cell: ({ retries }) => whole(retries), number: ({ retries }) => retries },
    { head: 'Quarantined', cell: (row) => whole(row.quarantined), number: (row) => row.quarantined },
  ],
  {
    caption:
      'Embedding stages, over all samples that were taken together with this one. Retries: work that a lane was given ' +
      'again because a call failed or a lane was lost.',
  },
)}
${await laneSection(provenance)}`;
}

function nameOf({ host, device }: Provenance['lanes'][number]): string {
  return `${host}/${device}`;
}

async function laneSection({ lanes, stages }: Provenance): Promise<Html> {
  if (lanes.length === 0) return Html.of`<p>No lane was needed: every file batch was there already.</p>`;
  const shown = STAGES.flatMap((stage) =>
    lanes
      .filter((lane) => lane.stage === stage)
      .sort((a, b) => b.batches - a.batches)
      .slice(0, SHOWN.lanesOfStage)
      .sort((a, b) => nameOf(a).localeCompare(nameOf(b), 'en', { numeric: true })),
  );
  const spans = shown.flatMap((lane) => {
    const { stage, spans } = lane;
    const start = Date.parse(stages[stage].started) / 1000;
    return spans.map(({ from, ready, to, lost = false }): LaneBar => {
      return { lane: `${stage} ${nameOf(lane)}`, from: start + from, ready: start + ready, to: start + to, lost };
    });
  });
  const start = Math.min(...spans.map(({ from }) => from));
  const bars = spans.map((bar) => ({ ...bar, from: bar.from - start, ready: bar.ready - start, to: bar.to - start }));
  const wall = (spans: Provenance['lanes'][number]['spans']): number =>
    spans.reduce((sum, { ready, to }) => sum + to - ready, 0);
  const busy = ({ busySeconds, spans }: Provenance['lanes'][number]): number =>
    Math.min(100, (100 * busySeconds) / (wall(spans) || 1));
  return Html.of`<h3>Lanes</h3>
<div class="wide">${await laneTimeline(bars, `when each of ${shown.length} lanes loaded its model and served`)}</div>
<div class="legend"><span class="key unsure">loading the model</span><span class="key other">serving</span>${
    bars.some(({ lost }) => lost) ? Html.of`<span class="key virus">lost</span>` : Html.empty
  }</div>
${table(
  shown,
  [
    { head: 'Stage', cell: ({ stage }) => stage },
    { head: 'Lane', cell: nameOf, text: true },
    { head: 'Batches', cell: ({ batches }) => whole(batches), number: ({ batches }) => batches },
    { head: 'Frames', cell: ({ frames }) => whole(frames), number: ({ frames }) => frames },
    rateColumn('Frames/s', ({ frames, busySeconds }) => frames / busySeconds),
    rateColumn('Tokens/s', ({ tokens, busySeconds }) => tokens / busySeconds),
    {
      head: 'Tokens a call',
      cell: ({ tokensPerCall }) => (tokensPerCall === undefined ? '' : whole(tokensPerCall)),
      number: ({ tokensPerCall = 0 }) => tokensPerCall,
    },
    {
      head: 'Peak memory',
      cell: ({ peakBytes }) => (peakBytes === undefined ? '' : byteText(peakBytes)),
      number: ({ peakBytes = 0 }) => peakBytes,
    },
    { head: 'Busy', cell: (row) => `${whole(busy(row))} %`, number: busy },
    { head: 'Model loads', cell: ({ modelLoads }) => whole(modelLoads), number: ({ modelLoads }) => modelLoads },
    { head: 'Lost', cell: ({ losses }) => whole(losses), number: ({ losses }) => losses },
  ],
  {
    caption:
      (lanes.length > shown.length
        ? `The ${shown.length} lanes that did most, of ${whole(lanes.length)}; provenance.json has all. `
        : '') + 'Rates are of the time in model calls; busy is its share of the time that the lane served.',
  },
)}`;
}

/** Empty where no time was spent. */
function rateColumn<T>(head: string, rate: (row: T) => number): Column<T> {
  const number = (row: T): number => (Number.isFinite(rate(row)) ? rate(row) : 0);
  return { head, cell: (row) => (Number.isFinite(rate(row)) ? rateText(rate(row)) : ''), number };
}

import { type Config, type TopLevelSpec, compile } from 'vega-lite';
import { None, View, parse } from 'vega';
import { Html } from './html.js';

/** Colours are CSS variables of the page, so that a chart follows its light and dark scheme. */
const COLOURS = { virus: 'var(--virus)', other: 'var(--other)', unsure: 'var(--unsure)', none: 'var(--none)' } as const;

/** What a mark stands for. */
export type Tone = keyof typeof COLOURS;

const CONFIG: Config = {
  background: 'transparent',
  font: 'system-ui, sans-serif',
  // Each mark would say its values, many times the size of the mark.
  aria: false,
  view: { stroke: null },
  axis: {
    labelColor: 'currentColor',
    titleColor: 'currentColor',
    titleFontWeight: 'normal',
    domainColor: 'var(--line)',
    tickColor: 'var(--line)',
    gridColor: 'var(--line)',
    gridOpacity: 0.6,
    labelFontSize: 11,
    titleFontSize: 11,
  },
};

const TONES = { domain: Object.keys(COLOURS), range: Object.values(COLOURS) };

async function draw(spec: TopLevelSpec, label: string): Promise<Html> {
  const { spec: vega } = compile(spec, { config: CONFIG });
  const view = new View(parse(vega), { renderer: 'none', logLevel: None });
  try {
    const svg = await view.toSVG();
    return Html.of`<div class="chart" role="img" aria-label="${label}">${Html.trusted(svg)}</div>`;
  } finally {
    view.finalize();
  }
}

/** One bar of a histogram. */
export interface Bin {
  from: number;
  to: number;
  count: number;
  tone: Tone;
}

/** Counts over a score, stacked by tone. */
export function histogram(bins: readonly Bin[], label: string, x: string, y: string): Promise<Html> {
  return draw(
    {
      width: 420,
      height: 170,
      data: { values: bins.filter(({ count }) => count > 0) },
      mark: { type: 'bar', binSpacing: 1 },
      encoding: {
        x: {
          field: 'from',
          bin: { binned: true },
          title: x,
          scale: { domain: domainOf(bins), nice: false },
          axis: { tickCount: 5, format: '.2~f' },
        },
        x2: { field: 'to' },
        y: {
          field: 'count',
          type: 'quantitative',
          stack: true,
          title: y,
          axis: { tickCount: 4, tickMinStep: 1, format: ',d' },
        },
        color: { field: 'tone', type: 'nominal', scale: TONES, legend: null },
      },
    },
    label,
  );
}

function domainOf(bins: readonly Bin[]): [number, number] {
  return [bins[0]!.from, bins.at(-1)!.to];
}

/** A stretch of a contig and the higher of its two scores, of the tone that it speaks for. */
export interface TrackMark {
  start: number;
  end: number;
  score: number;
  tone: Tone;
}

/** Scores along a contig, with its regions behind them: the plot of the original's drew_fig.py. */
export function track(
  marks: readonly TrackMark[],
  regions: readonly { start: number; end: number }[],
  length: number,
  label: string,
): Promise<Html> {
  const along = { type: 'quantitative' as const, scale: { domain: [0, length], nice: false } };
  return draw(
    {
      width: 950,
      height: 90,
      layer: [
        {
          data: { values: [...regions] },
          mark: { type: 'rect', color: COLOURS.virus, opacity: 0.12 },
          encoding: { x: { field: 'start', ...along }, x2: { field: 'end' } },
        },
        {
          data: { values: [...marks] },
          mark: { type: 'rule', strokeWidth: 3 },
          encoding: {
            x: {
              field: 'start',
              ...along,
              title: null,
              axis: { grid: false, tickCount: 7, tickMinStep: 1, format: ',d' },
            },
            x2: { field: 'end' },
            y: {
              field: 'score',
              type: 'quantitative',
              title: 'score',
              scale: { domain: [0.45, 1.05], nice: false, clamp: true },
              axis: { values: [0.5, 0.75, 1], format: '.2~f' },
            },
            color: { field: 'tone', type: 'nominal', scale: TONES, legend: null },
          },
        },
      ],
    },
    label,
  );
}

/** When a lane's process loaded its model and served, in seconds from the start. */
export interface LaneBar {
  lane: string;
  from: number;
  ready: number;
  to: number;
  lost: boolean;
}

/** Lanes below each other along the time: loading, serving, and where one was lost. */
export function laneTimeline(bars: readonly LaneBar[], label: string): Promise<Html> {
  const y = {
    field: 'lane',
    type: 'nominal' as const,
    sort: null,
    title: null,
    axis: { domain: false, ticks: false, labelLimit: 240 },
  };
  const along = {
    type: 'quantitative' as const,
    title: 'seconds',
    axis: { tickCount: 8, tickMinStep: 1, format: ',d' },
  };
  const bar = { type: 'bar' as const, height: 12, minBandSize: 1 };
  return draw(
    {
      width: 760,
      height: { step: 20 },
      data: { values: [...bars] },
      layer: [
        {
          mark: { ...bar, color: COLOURS.other },
          encoding: { x: { field: 'ready', ...along }, x2: { field: 'to' }, y },
        },
        {
          mark: { ...bar, color: COLOURS.unsure },
          encoding: { x: { field: 'from', ...along }, x2: { field: 'ready' }, y },
        },
        {
          transform: [{ filter: 'datum.lost' }],
          mark: { type: 'tick', color: COLOURS.virus, thickness: 3, height: 18 },
          encoding: { x: { field: 'to', ...along }, y },
        },
      ],
    },
    label,
  );
}

/** Steps one after the other, in seconds from the start. */
export function timeline(steps: readonly { name: string; start: number; end: number }[], label: string): Promise<Html> {
  return draw(
    {
      width: 900,
      height: { step: 24 },
      data: { values: [...steps] },
      mark: { type: 'bar', color: COLOURS.other, height: 14, minBandSize: 1 },
      encoding: {
        x: {
          field: 'start',
          type: 'quantitative',
          title: 'seconds',
          axis: { tickCount: 8, tickMinStep: 1, format: ',d' },
        },
        x2: { field: 'end' },
        y: { field: 'name', type: 'nominal', sort: null, title: null, axis: { domain: false, ticks: false } },
      },
    },
    label,
  );
}

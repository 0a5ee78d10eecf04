import { createLogUpdate } from 'log-update';
import type { CampaignProgress } from '../contract/progress.js';
import { barLine, plainLine, progressLines } from './progress-lines.js';

/** Shows a run's progress until it is closed. */
export interface Display {
  /** @param troubles what holds the run up, a line each. */
  show: (progress: CampaignProgress, troubles: readonly string[]) => void;
  close: () => void;
}

/** Bars that redraw in place on a terminal; elsewhere a plain line whenever a step moved on by a tenth. */
export function openDisplay(stream: NodeJS.WriteStream): Display {
  return stream.isTTY ? bars(stream) : plain(stream);
}

function bars(stream: NodeJS.WriteStream): Display {
  const update = createLogUpdate(stream);
  return {
    show: (progress, troubles) =>
      update([...progressLines(progress).map(barLine), ...troubles.map((trouble) => `! ${trouble}`)].join('\n')),
    close: () => update.done(),
  };
}

function plain(stream: NodeJS.WriteStream): Display {
  const shown = new Map<string, string>();
  let told = new Set<string>();
  return {
    show: (progress, troubles) => {
      for (const line of progressLines(progress)) {
        if (line.total === 0 || (line.done === 0 && line.note === '')) continue;
        const step = `${Math.floor((10 * line.done) / line.total)} ${line.note}`;
        if (shown.get(line.name) === step) continue;
        shown.set(line.name, step);
        stream.write(`${plainLine(line)}\n`);
      }
      for (const trouble of troubles) if (!told.has(trouble)) stream.write(`! ${trouble}\n`);
      told = new Set(troubles);
    },
    close: () => {},
  };
}

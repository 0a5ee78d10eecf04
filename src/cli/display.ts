import { createLogUpdate } from 'log-update';
import type { CampaignProgress } from '../contract/progress.js';
import { barLine, plainLine, progressLines, warningLines } from './progress-lines.js';

/** Shows a run's progress until it is closed. */
export interface Display {
  show(progress: CampaignProgress): void;
  close(): void;
}

/** Bars that redraw in place on a terminal; elsewhere a plain line whenever a step moved on by a tenth. */
export function openDisplay(stream: NodeJS.WriteStream): Display {
  return stream.isTTY ? bars(stream) : plain(stream);
}

function bars(stream: NodeJS.WriteStream): Display {
  const update = createLogUpdate(stream);
  return {
    show: (progress) => update([...progressLines(progress).map(barLine), ...warningLines(progress)].join('\n')),
    close: () => update.done(),
  };
}

function plain(stream: NodeJS.WriteStream): Display {
  const shown = new Map<string, string>();
  return {
    show(progress) {
      for (const line of progressLines(progress)) {
        if (line.total === 0 || (line.done === 0 && line.note === '')) continue;
        const step = `${Math.floor((10 * line.done) / line.total)} ${line.note}`;
        if (shown.get(line.name) === step) continue;
        shown.set(line.name, step);
        stream.write(`${plainLine(line)}\n`);
      }
      for (const warning of warningLines(progress)) {
        if (shown.has(warning)) continue;
        shown.set(warning, '');
        stream.write(`${warning}\n`);
      }
    },
    close: () => {},
  };
}

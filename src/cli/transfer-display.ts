import { byteText, timeText } from '../io/figure-text.js';
import { bar } from './progress-lines.js';
import { createRedraw } from './redraw.js';

/** A terminal is redrawn this often at most. */
const REDRAW_MS = 100;

/** Shows how far files are until it is closed. */
export interface TransferDisplay {
  /** @param done bytes that are there; the first call for a file may have some. */
  show: (file: string, done: number, total: number) => void;
  /** A line for the eyes beside it. */
  note: (line: string) => void;
  close: () => void;
}

/** A bar that redraws in place on a terminal; elsewhere a plain line for each tenth of a file. */
export function openTransferDisplay(stream: NodeJS.WriteStream): TransferDisplay {
  return stream.isTTY ? bars(stream) : lines((line) => void stream.write(`${line}\n`));
}

function bars(stream: NodeJS.WriteStream): TransferDisplay {
  const update = createRedraw(stream);
  let current = '';
  let first = { at: 0, done: 0 };
  let drawn = 0;
  return {
    show: (file, done, total) => {
      const now = Date.now();
      if (file !== current) first = { at: now, done };
      if (file === current && done < total && now - drawn < REDRAW_MS) return;
      current = file;
      drawn = now;
      const seconds = (now - first.at) / 1000;
      const rate = seconds > 0 ? (done - first.done) / seconds : 0;
      const pace = rate > 0 ? `  ${byteText(Math.round(rate))}/s, ${timeText((total - done) / rate)} left` : '';
      const text = `${byteText(done)} of ${byteText(total)}${done < total ? pace : ''}`;
      update(`${file.padEnd(24)} ${bar(done, total, stream.columns)} ${text}`);
      if (done === total) update.done();
    },
    note: (line) => {
      update.clear();
      stream.write(`${line}\n`);
    },
    close: () => update.done(),
  };
}

function lines(write: (line: string) => void): TransferDisplay {
  let shown = '';
  return {
    show: (file, done, total) => {
      const step = `${file} ${total === 0 ? 10 : Math.floor((10 * done) / total)}`;
      if (step === shown) return;
      shown = step;
      write(`${file}: ${byteText(done)} of ${byteText(total)}`);
    },
    note: write,
    close: () => {},
  };
}

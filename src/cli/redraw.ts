import { createLogUpdate } from 'log-update';

/** Text on a terminal that the next one replaces. */
export interface Redraw {
  (text: string): void;
  /** Takes the text away. */
  clear(): void;
  /** Leaves it there; the next one starts below. */
  done(): void;
}

/** log-update, but that a text of another height is drawn anew: 7.2.0 loses a line when one is put in above others. */
export function createRedraw(stream: NodeJS.WriteStream): Redraw {
  const update = createLogUpdate(stream);
  let rows = 0;
  const redraw = (text: string): void => {
    const now = rowsOf(text, stream.columns);
    if (now !== rows) update.clear();
    rows = now;
    update(text);
  };
  return Object.assign(redraw, { clear: () => update.clear(), done: () => update.done() });
}

function rowsOf(text: string, columns: number): number {
  return text.split('\n').reduce((rows, line) => rows + Math.max(1, Math.ceil(line.length / columns)), 0);
}

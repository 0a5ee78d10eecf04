import type { CampaignProgress } from '../contract/progress.js';
import { cliLog } from './log.js';
import { barLines, laneLines, plainLine, progressLines } from './progress-lines.js';
import { createRedraw } from './redraw.js';

/** Shows a run's progress until it is closed. */
export interface Display {
  /** @param progress none before the run's first answer.
   * @param troubles what holds the run up, a line each. */
  show: (progress: CampaignProgress | undefined, troubles: readonly string[]) => void;
  close: () => void;
}

/** What a display leaves out. */
export interface DisplayOptions {
  /** False: troubles only. */
  progress: boolean;
  /** Nothing at all. */
  quiet: boolean;
}

const ASKING = 'Asking the run how far it is ...';

/**
 * Bars that redraw in place on a terminal; elsewhere a plain line whenever a step moved on by a tenth. The lines are
 * logged, too.
 */
export function openDisplay(
  stream: NodeJS.WriteStream,
  { progress, quiet }: DisplayOptions = { progress: true, quiet: false },
): Display {
  const logged = lines((line) => cliLog().info(line));
  if (quiet) return logged;
  const screen = progress && stream.isTTY ? bars(stream) : lines((line) => stream.write(`${line}\n`), progress);
  return {
    show: (...seen) => [logged, screen].forEach((display) => display.show(...seen)),
    close: () => screen.close(),
  };
}

function bars(stream: NodeJS.WriteStream): Display {
  const update = createRedraw(stream);
  update(ASKING);
  return {
    show: (progress, troubles) => {
      const { columns } = stream;
      const steps = progress
        ? progressLines(progress).flatMap((line) => [...barLines(line, columns), ...laneLines(line, columns)])
        : [ASKING];
      update([...steps, ...noticeLines(progress, troubles)].join('\n'));
    },
    close: () => update.done(),
  };
}

function lines(write: (line: string) => void, withSteps = true): Display {
  const shown = new Map<string, string>();
  let told = new Set<string>();
  return {
    show: (progress, troubles) => {
      for (const line of withSteps && progress ? progressLines(progress) : []) {
        if (line.total === 0 || (line.done === 0 && line.note === '')) continue;
        const step = `${Math.floor((10 * line.done) / line.total)} ${line.note}`;
        if (shown.get(line.name) === step) continue;
        shown.set(line.name, step);
        write(plainLine(line));
      }
      const notices = noticeLines(progress, troubles);
      for (const notice of notices) if (!told.has(notice)) write(notice);
      told = new Set(notices);
    },
    close: () => {},
  };
}

function noticeLines(progress: CampaignProgress | undefined, troubles: readonly string[]): string[] {
  return [...(progress?.warnings ?? []), ...troubles].map((notice) => `! ${notice}`);
}

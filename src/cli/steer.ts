import { COMMANDS, type DrainLane, type SetMaxLanes } from '../contract/commands.js';
import type { RUN_OPTIONS } from './options/run-tables.js';
import { TableCommand } from './options/table-command.js';
import type * as steerRun from './steer-run.js';

type RunTable = typeof RUN_OPTIONS;

/** What the commands do, loaded when one is called; tests put their own. */
type Steering = Pick<typeof steerRun, 'cancel' | 'sendUpdate'>;

const table = async () => (await import('./options/run-tables.js')).RUN_OPTIONS;

/** `virnucpro cancel|pause|resume|retry-failed|drain-lane|set-max-lanes`: tells a run what to do. */
export function steeringCommands(load: () => Promise<Steering> = () => import('./steer-run.js')): TableCommand[] {
  /** @param read the update's argument from the command's. */
  const update = (command: TableCommand<RunTable>, name: string, read?: (word: string) => Promise<object>) =>
    command.runs(async ({ temporalCli }, run, word) => {
      const argument = await read?.(word);
      await (await load()).sendUpdate({ run, name, argument, temporalCli });
    });
  return [
    steering('cancel', 'end a run and give its lanes back; finished work is kept').runs(async ({ temporalCli }, run) =>
      (await load()).cancel(run, temporalCli),
    ),
    update(steering('pause', 'finish the calls under way and give the lanes to other runs'), COMMANDS.pause),
    update(steering('resume', 'go on after pause'), COMMANDS.resume),
    update(steering('retry-failed', 'try failed file batches again now'), COMMANDS.retryFailed),
    update(
      steering('drain-lane', 'take one lane away from a run, until set-max-lanes').argument(
        '<lane>',
        'host/device, as status prints it',
      ),
      COMMANDS.drainLane,
      async (lane) => ({ lane }) satisfies DrainLane,
    ),
    update(
      steering('set-max-lanes', 'how many lanes a run may use at once, drained ones too').argument(
        '<lanes>',
        'from 1 up',
      ),
      COMMANDS.setMaxLanes,
      async (count) => ({ lanes: await laneCount(count) }) satisfies SetMaxLanes,
    ),
  ];
}

async function laneCount(word: string): Promise<number> {
  const [{ readArgument }, { LANE_COUNT }] = await Promise.all([
    import('./options/option-table.js'),
    import('./options/shared-options.js'),
  ]);
  return readArgument('<lanes>', LANE_COUNT.type, word, 'virnucpro set-max-lanes');
}

function steering(name: string, description: string): TableCommand<RunTable> {
  return new TableCommand(name, table)
    .description(description)
    .argument('<run>', 'its id, as predict and list print it, or its results folder');
}

import { Command } from 'commander';
import { COMMANDS, type DrainLane, type SetMaxLanes } from '../contract/commands.js';
import type * as steerRun from './steer-run.js';

/** What the commands do, loaded when one is called; tests put their own. */
type Steering = Pick<typeof steerRun, 'cancel' | 'sendUpdate'>;

/** `virnucpro cancel|pause|resume|retry-failed|drain-lane|set-max-lanes`: tells a run what to do. */
export function steeringCommands(load: () => Promise<Steering> = () => import('./steer-run.js')): Command[] {
  const update =
    (name: string) =>
    async (run: string, argument?: object): Promise<void> => {
      const { sendUpdate } = await load();
      await sendUpdate(run, name, argument);
    };
  return [
    steering('cancel', 'end a run and give its lanes back; finished work is kept').action(async (run: string) => {
      const { cancel } = await load();
      await cancel(run);
    }),
    steering('pause', 'finish the calls under way and give the lanes to other runs').action((run: string) =>
      update(COMMANDS.pause)(run),
    ),
    steering('resume', 'go on after pause').action((run: string) => update(COMMANDS.resume)(run)),
    steering('retry-failed', 'try failed file batches again now').action((run: string) =>
      update(COMMANDS.retryFailed)(run),
    ),
    steering('drain-lane', 'take one lane away from a run, until set-max-lanes')
      .argument('<lane>', 'host/device, as status prints it')
      .action((run: string, lane: string) => update(COMMANDS.drainLane)(run, { lane } satisfies DrainLane)),
    steering('set-max-lanes', 'how many lanes a run may use at once, drained ones too')
      .argument('<lanes>', 'from 1 up')
      .action(async (run: string, count: string) => {
        const [{ readArgument }, { LANE_COUNT }] = await Promise.all([
          import('./options/option-table.js'),
          import('./options/shared-options.js'),
        ]);
        const lanes = readArgument('<lanes>', LANE_COUNT.type, count, 'virnucpro set-max-lanes');
        await update(COMMANDS.setMaxLanes)(run, { lanes } satisfies SetMaxLanes);
      }),
  ];
}

function steering(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .argument('<run>', 'its id, as predict and list print it, or its results folder');
}

import { Command } from 'commander';
import { COMMANDS, type DrainLane, type SetMaxLanes } from '../contract/commands.js';
import { wholeNumber } from './whole-number.js';

/** `virnucpro cancel|pause|resume|retry-failed|drain-lane|set-max-lanes`: tells a run what to do. */
export function steeringCommands(): Command[] {
  return [
    steering('cancel', 'end a run and give its lanes back; finished work is kept').action(async (run: string) => {
      const { cancel } = await import('./steer-run.js');
      await cancel(run);
    }),
    steering('pause', 'finish the calls under way and give the lanes to other runs').action(update(COMMANDS.pause)),
    steering('resume', 'go on after pause').action(update(COMMANDS.resume)),
    steering('retry-failed', 'try failed file batches again now').action(update(COMMANDS.retryFailed)),
    steering('drain-lane', 'take one lane away from a run')
      .argument('<lane>', 'host/device, as status prints it')
      .action((run: string, lane: string) => update(COMMANDS.drainLane)(run, { lane } satisfies DrainLane)),
    steering('set-max-lanes', 'how many lanes a run may use at once')
      .argument('<lanes>', 'from 1 up', wholeNumber('<lanes>', { min: 1, max: 1024 }))
      .action((run: string, lanes: number) => update(COMMANDS.setMaxLanes)(run, { lanes } satisfies SetMaxLanes)),
  ];
}

function steering(name: string, description: string): Command {
  return new Command(name).description(description).argument('<run>', 'its id, as predict and list print it');
}

function update(name: string): (run: string, argument?: object) => Promise<void> {
  return async (run, argument) => {
    const { sendUpdate } = await import('./steer-run.js');
    await sendUpdate(run, name, argument);
  };
}

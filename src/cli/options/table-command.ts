import { Command } from 'commander';
import { type OptionTable, type OptionValues, addOptions, readOptions } from './option-table.js';

/**
 * A command whose options a table holds. The table is loaded when the command is called, as the checks in it take longer to
 * load than most commands to run.
 */
export class TableCommand<T extends OptionTable = OptionTable> extends Command {
  constructor(
    name: string,
    private readonly load: () => Promise<T>,
  ) {
    super(name);
  }

  /** Gives the command its options. */
  async addTable(): Promise<this> {
    addOptions(this, await this.load());
    return this;
  }

  /** @param run gets the options, checked as {@link readOptions} does, and the command's arguments. */
  runs(run: (options: OptionValues<T>, ...args: string[]) => Promise<void>): this {
    this.addHelpText('after', '\nAn option can also be set by the variable VIRNUCPRO_<OPTION>.');
    return this.action(async () => {
      const sources = { flags: this.opts(), env: process.env, command: pathOf(this) };
      await run(readOptions(await this.load(), sources), ...this.args);
    });
  }
}

/** Gives every command below this one its options when it is called. */
export function addTablesWhenCalled(command: Command): void {
  if (command.commands.length > 0) {
    command.hook('preSubcommand', async (_, called) => {
      if (called instanceof TableCommand) await called.addTable();
    });
  }
  command.commands.forEach(addTablesWhenCalled);
}

/** Gives every command below this one its options now. */
export async function addAllTables(command: Command): Promise<void> {
  if (command instanceof TableCommand) await command.addTable();
  for (const below of command.commands) await addAllTables(below);
}

/** `virnucpro server start`. */
function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

import { TableCommand } from './options/table-command.js';

/** `virnucpro profile`: how large model calls should be on a device. */
export function profileCommand(): TableCommand {
  return new TableCommand('profile', async () => (await import('./options/profile-table.js')).PROFILE_OPTIONS)
    .description('find how large model calls should be on a device: speed and memory by tokens a call')
    .addHelpText('after', '\nExample:\n  virnucpro profile -m esm2-3b -t 8')
    .runs(async (options) => {
      const { profile } = await import('./profile-run.js');
      await profile(options);
    });
}

import { Command } from 'commander';
import { TableCommand } from './options/table-command.js';

/** `virnucpro models list|pull|import|verify|rm`: the encoders on this machine. */
export function modelsCommand(): Command {
  const models = new Command('models').description('the encoders: get, import, verify and remove them');

  models
    .command('list')
    .description('the models that can be named, and which of them are here')
    .option('--json', 'print one JSON array')
    .action(async (options: { json?: boolean }) => (await import('./models/list.js')).list(options));

  models
    .command('pull')
    .description('download a model from the Hugging Face hub; goes on where an earlier pull stopped')
    .argument('<name>', 'name or repository, see virnucpro models list')
    .option('--revision <revision>', "branch, tag or commit of the repository (default: the hub's main)")
    .addHelpText('after', '\nHF_ENDPOINT names a mirror, HF_TOKEN a token; HF_HUB_OFFLINE=1 forbids any download.')
    .action(async (name: string, options: { revision?: string }) => {
      await (await import('./models/pull.js')).pull(name, options);
    });

  models
    .command('import')
    .description('put a model that was copied from elsewhere into our cache, by hard links where possible')
    .argument('<dir>', 'model folder or checkpoint file')
    .option('--name <name>', 'which model it is (default: by its sizes and path)')
    .action(async (source: string, options: { name?: string }) => {
      await (await import('./models/import.js')).importFrom(source, options);
    });

  const verify = new TableCommand(
    'verify',
    async () => (await import('./options/models-verify-table.js')).MODELS_VERIFY_OPTIONS,
  )
    .description('read all weights, embed reference sequences and compare their vectors. Exit code 1: they differ')
    .argument('<name|dir>', 'model by name, its folder or checkpoint file')
    .runs(async (options, model) => {
      await (await import('./models/verify.js')).verify(model, options);
    });
  models.addCommand(verify);

  models
    .command('rm')
    .description('remove a model from our cache')
    .argument('<name>', 'name or repository, see virnucpro models list')
    .action(async (name: string) => (await import('./models/rm.js')).remove(name));

  return models;
}

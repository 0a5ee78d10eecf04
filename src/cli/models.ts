import { Command } from 'commander';
import { TableCommand } from './options/table-command.js';

const tables = () => import('./options/models-tables.js');

/** `virnucpro models list|pull|import|verify|rm`: the encoders on this machine. */
export function modelsCommand(): Command {
  const models = new Command('models').description('the encoders: get, import, verify and remove them');

  const list = new TableCommand('list', async () => (await tables()).MODELS_LIST_OPTIONS)
    .description('the models that can be named, and which of them are here')
    .runs(async (options) => (await import('./models/list.js')).list(options));

  const pull = new TableCommand('pull', async () => (await tables()).MODELS_PULL_OPTIONS)
    .description('download a model from the Hugging Face hub; goes on where an earlier pull stopped')
    .argument('<name>', 'name or repository, see virnucpro models list')
    .addHelpText('after', '\nHF_ENDPOINT names a mirror, HF_TOKEN a token; HF_HUB_OFFLINE=1 forbids any download.')
    .runs(async (options, name) => (await import('./models/pull.js')).pull(name, options));

  const importing = new TableCommand('import', async () => (await tables()).MODELS_IMPORT_OPTIONS)
    .description('put a model that was copied from elsewhere into our cache, by hard links where possible')
    .argument('<dir>', 'model folder or checkpoint file')
    .runs(async (options, source) => (await import('./models/import.js')).importFrom(source, options));

  const verify = new TableCommand('verify', async () => (await tables()).MODELS_VERIFY_OPTIONS)
    .description('read all weights, embed reference sequences and compare their vectors. Exit code 1: they differ')
    .argument('<name|dir>', 'model by name, its folder or checkpoint file')
    .runs(async (options, model) => (await import('./models/verify.js')).verify(model, options));

  [list, pull, importing, verify].forEach((command) => models.addCommand(command));
  models
    .command('rm')
    .description('remove a model from our cache')
    .argument('<name>', 'name or repository, see virnucpro models list')
    .action(async (name: string) => (await import('./models/rm.js')).remove(name));

  return models;
}

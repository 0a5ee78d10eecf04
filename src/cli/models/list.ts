import { byteText } from '../../io/figure-text.js';
import { exists } from '../../io/exists.js';
import { listReducedByModel } from '../../model/reduced-cache.js';
import { type ListedModel, listModels } from '../../model/store/list.js';
import { textTable } from '../text-table.js';

const PLACES = { VIRNUCPRO_MODELS: 'VIRNUCPRO_MODELS', cache: 'our cache', hub: "hub's cache" } as const;

/** Prints every model that can be named, and where it is, and what reduced weights there are. */
export async function list({ json }: { json?: boolean }): Promise<void> {
  const models = await listModels(process.env);
  if (json) {
    console.log(JSON.stringify(models));
    return;
  }
  console.log(textTable([['MODEL', 'HERE', 'BYTES', 'WHERE'], ...models.map(row)]));
  const reduced = await reducedRows();
  if (reduced.length > 0) console.log(`\n${textTable([['REDUCED WEIGHTS OF', 'BYTES', 'WHERE'], ...reduced])}`);
}

function row({ name, repo, present, place, path, bytes, problem }: ListedModel): string[] {
  if (place === undefined || path === undefined) return [name, 'no', `about ${byteText(bytes)}`, repo];
  return [
    name,
    problem === undefined && present ? 'yes' : 'broken',
    byteText(bytes),
    `${PLACES[place]}: ${problem ?? path}`,
  ];
}

/** Reduced weights that no name stands for are told by their checkpoint: they can be removed by hand. */
async function reducedRows(): Promise<string[][]> {
  const rows: string[][] = [];
  for (const { model, seal, bytes, path } of await listReducedByModel(process.env)) {
    const file = seal?.files[0];
    const made = file === undefined ? 'unfinished' : (await exists(file)) ? file : `${file}, which is gone`;
    rows.push([model ?? made, byteText(bytes), path]);
  }
  return rows;
}

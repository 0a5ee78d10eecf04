import { byteText } from '../../io/figure-text.js';
import { type ListedModel, listModels } from '../../model/store/list.js';
import { textTable } from '../text-table.js';

const PLACES = { VIRNUCPRO_MODELS: 'VIRNUCPRO_MODELS', cache: 'our cache', hub: "hub's cache" } as const;

/** Prints every model that can be named, and where it is. */
export async function list({ json }: { json?: boolean }): Promise<void> {
  const models = await listModels(process.env);
  console.log(json ? JSON.stringify(models) : textTable([['MODEL', 'HERE', 'BYTES', 'WHERE'], ...models.map(row)]));
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

/** The names that model hubs give to a checkpoint, best first. */
export const HUB_NAMES = [
  'model.safetensors',
  'model.safetensors.index.json',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
];
const OTHER_NAMES = /\.(safetensors|pt|pth|bin)$/;

/** What `openModel` reads beside the weights, where it is there. */
const COMPANIONS = ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'vocab.txt'];

/** All names of a folder that a checkpoint file may have, sorted. */
export function possibleCheckpoints(names: readonly string[]): string[] {
  return names.filter((name) => OTHER_NAMES.test(name)).sort();
}

/** The file to open in a folder of these names: the best of a hub's names, else the only other checkpoint file. */
export function checkpointName(names: readonly string[]): string | undefined {
  const others = possibleCheckpoints(names);
  return HUB_NAMES.find((name) => names.includes(name)) ?? (others.length === 1 ? others[0] : undefined);
}

/**
 * Of a folder's or repository's files, those that loading its model takes, smallest kinds first; a repository also holds
 * the same weights for other programs. Shards are known by the names that transformers gives them.
 * @param checkpoint the checkpoint's file, or the index of a sharded one.
 */
export function modelFiles(names: readonly string[], checkpoint: string): string[] {
  const [, stem, extension] = /^(.+)\.(safetensors|bin)\.index\.json$/.exec(checkpoint) ?? [];
  const isShard = (name: string): boolean =>
    stem !== undefined && name.startsWith(`${stem}-`) && /-\d{5}-of-\d{5}\.(\w+)$/.exec(name)?.[1] === extension;
  return [...COMPANIONS.filter((name) => names.includes(name)), checkpoint, ...names.filter(isShard).sort()];
}

import path from 'node:path';

/** Folders of the golden data, from the repository root, where mocha runs. */
export const GOLDEN_CASES = 'test/fixtures/golden/cases';
export const GOLDEN_MODELS = 'test/fixtures/golden/models';

/** What the original pipeline wrote, by case; the number in the name is the chunk size. */
export const goldenCases = ['edge-500', 'lambda-500', 'mixed-300'].map((name) => ({
  dir: `${GOLDEN_CASES}/${name}`,
  name,
  chunkSize: Number(name.split('-')[1]),
}));

/** The tiny models that the cases were computed with. */
export const goldenModels = {
  dnaModel: path.resolve(GOLDEN_MODELS, 'dnabert2-tiny'),
  proteinModel: path.resolve(GOLDEN_MODELS, 'esm2-tiny'),
  classifier: path.resolve(GOLDEN_MODELS, 'classifier-tiny/tiny.safetensors'),
};

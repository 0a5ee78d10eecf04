/** Folder of the golden cases, from the repository root, where mocha runs. */
export const GOLDEN_CASES = 'test/fixtures/golden/cases';

/** What the original pipeline wrote, by case; the number in the name is the chunk size. */
export const goldenCases = ['edge-500', 'lambda-500', 'mixed-300'].map((name) => ({
  dir: `${GOLDEN_CASES}/${name}`,
  name,
  chunkSize: Number(name.split('-')[1]),
}));

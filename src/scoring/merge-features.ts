import { ArtifactInvalid, InternalError, ModelError } from '../contract/failures.js';

/** Vectors by id: row i (`width` floats a row, row-major) belongs to `ids[i]`. */
export interface Features {
  ids: readonly string[];
  vectors: Float32Array;
  width: number;
}

/**
 * The classifier's input: nucleotide vector followed by protein vector, one row a frame, in the order of `ids`.
 * Rows are matched by id, never by position alone: each side must hold exactly `ids`, in that order, besides the
 * `quarantined` frames, which either side may hold or lack and which the result never holds.
 * @returns ids.length - quarantined rows of nucleotide.width + protein.width floats.
 * @throws ArtifactInvalid naming the side and the first id that differs.
 */
export function mergeFeatures(
  ids: readonly string[],
  nucleotide: Features,
  protein: Features,
  quarantined: ReadonlySet<string> = new Set(),
): Features {
  const wanted = ids.filter((id) => !quarantined.has(id));
  const width = nucleotide.width + protein.width;
  const vectors = new Float32Array(wanted.length * width);
  fillColumns(vectors, width, 0, wanted, nucleotide, quarantined, 'nucleotide');
  fillColumns(vectors, width, nucleotide.width, wanted, protein, quarantined, 'protein');
  return { ids: wanted, vectors, width };
}

/**
 * Checks that a classifier takes the features of two encoders.
 * @param widths floats of a nucleotide and of a protein vector.
 * @param where the classifier's file, where a person named it.
 * @throws ModelError when it takes another number.
 */
export function assertTakes(inputSize: number, [nucleotide, protein]: [number, number], where?: string): void {
  if (nucleotide + protein === inputSize) return;
  throw new ModelError({
    what: `classifier takes ${inputSize} features, the models give ${nucleotide} + ${protein}`,
    ...(where !== undefined && { where }),
    next: 'Use the classifier that was trained for these two models',
  });
}

function fillColumns(
  target: Float32Array,
  targetWidth: number,
  column: number,
  wanted: readonly string[],
  side: Features,
  quarantined: ReadonlySet<string>,
  name: string,
): void {
  const { ids, vectors, width } = side;
  if (vectors.length !== ids.length * width) {
    throw new InternalError(`${name} features: ${vectors.length} floats for ${ids.length} ids of width ${width}`);
  }
  let row = 0;
  ids.forEach((id, i) => {
    if (quarantined.has(id)) return;
    if (id !== wanted[row]) throw differs(name, row, wanted[row], id);
    target.set(vectors.subarray(i * width, (i + 1) * width), row * targetWidth + column);
    row += 1;
  });
  if (row < wanted.length) throw differs(name, row, wanted[row], undefined);
}

function differs(side: string, row: number, wanted: string | undefined, found: string | undefined): ArtifactInvalid {
  return new ArtifactInvalid({
    what: `${side} embeddings do not match the frames: frame ${row + 1} is ${wanted ?? 'not there'}, its embedding is ${found ?? 'missing'}`,
    next: 'They will be made again',
  });
}

import { InputError } from '../../contract/failures.js';
import { readLines, unquoted } from '../../io/read-table.js';
import { CLASSIC_FILES } from '../../io/result-files.js';

/** The two tables of a sample that hold scores. */
export const TABLES = {
  frames: {
    file: CLASSIC_FILES.predictions,
    id: 'Sequence_ID',
    label: 'Prediction',
    scores: ['score1', 'score2'],
  },
  chunks: {
    file: CLASSIC_FILES.highestScores,
    id: 'Modified_ID',
    label: 'Is_Virus',
    scores: ['max_score_0', 'max_score_1'],
  },
} as const;

export type TableName = keyof typeof TABLES;

/** A row of either table. */
export interface ScoreRow {
  id: string;
  /** `virus` or `others` of a frame, `True` or `False` of a chunk. */
  label: string;
  /** P(others) and P(virus); undefined in a table of the original tool that has none for chunks. */
  scores: readonly [other: number, virus: number] | undefined;
}

/**
 * The rows of a table, in its order. An empty file has none: that is how some versions of the original end without a row.
 * @throws InputError naming file and line: not there, not readable, not this table, a row too short, a score that is no
 * number. The signal's reason when it is aborted.
 */
export async function* readScores(file: string, table: TableName, signal?: AbortSignal): AsyncGenerator<ScoreRow> {
  const columns = TABLES[table];
  let line = 0;
  let at: { id: number; label: number; scores: number[] } | undefined;
  for await (const cells of readLines(file)) {
    signal?.throwIfAborted();
    line += 1;
    if (at === undefined) {
      const [id, label, ...scores] = [columns.id, columns.label, ...columns.scores].map((name) => cells.indexOf(name));
      const withoutScores = table === 'chunks' && scores.every((column) => column < 0);
      if (id! < 0 || label! < 0 || (!withoutScores && scores.some((column) => column < 0))) {
        throw damaged(`its columns are ${cells.join(', ')}`, `${file}, line 1`);
      }
      at = { id: id!, label: label!, scores: withoutScores ? [] : scores };
      continue;
    }
    const [id, label] = [cells[at.id], cells[at.label]];
    const scores = at.scores.map((column) => (cells[column]?.trim() ? Number(cells[column]) : NaN));
    if (id === undefined || label === undefined || !scores.every(Number.isFinite)) {
      throw damaged('a cell is missing, or a score is no number', `${file}, line ${line}`);
    }
    const [other, virus] = scores;
    yield {
      id: table === 'chunks' ? unquoted(id) : id,
      label,
      scores: other === undefined || virus === undefined ? undefined : [other, virus],
    };
  }
}

function damaged(what: string, where: string): InputError {
  const columns = Object.values(TABLES).map(({ id, label, scores }) => [id, label, ...scores].join(', '));
  return new InputError({
    what,
    where,
    next: `The tables that can be compared have the columns ${columns.join('; or ')}`,
  });
}

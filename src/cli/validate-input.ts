import { InputError } from '../contract/failures.js';
import { readFasta } from '../io/fasta.js';
import { inputName, readInput } from '../io/input.js';

/**
 * Reads a FASTA file as a run does and prints what it holds, or what is wrong with it: the first `maxErrors` problems, a
 * line each, and how many there are.
 * @throws InputError when there is a problem: the only one there is or can be found, else their number.
 */
export async function validateInput(input: string, maxErrors: number, signal: AbortSignal): Promise<void> {
  const file = inputName(input);
  const problems: InputError[] = [];
  let count = 0;
  const onProblem = (problem: InputError): void => {
    count += 1;
    if (count <= maxErrors) problems.push(problem);
  };
  const lengths = { records: 0, bases: 0, shortest: Infinity, longest: 0 };
  try {
    for await (const { sequence } of readFasta(readInput(input), file, { onProblem, signal })) {
      lengths.records += 1;
      lengths.bases += sequence.length;
      lengths.shortest = Math.min(lengths.shortest, sequence.length);
      lengths.longest = Math.max(lengths.longest, sequence.length);
    }
  } catch (error) {
    // The last there is to find, e.g. where the file is cut off: what came before is named with it.
    if (!(error instanceof InputError && count > 0)) throw error;
    onProblem(error);
  }
  const { records, bases, shortest, longest } = lengths;
  if (count === 1) throw problems[0]!;
  if (count > 0) {
    for (const { where, what } of problems) console.error(`${where}: ${what}`);
    const more = count > problems.length ? `, of which the first ${problems.length} are above` : '';
    throw new InputError({
      what: `${count} problems in ${records} records${more}`,
      where: file,
      next: more === '' ? 'Correct them' : 'Correct them; --max-errors N names more',
    });
  }
  const range = records === 0 ? '' : `; shortest ${shortest}, longest ${longest}, mean ${Math.round(bases / records)}`;
  console.log(`${file} is good: ${records} records, ${bases} bases${range}`);
}

import path from 'node:path';
import { assertFit, inspectClassifier, inspectEncoder } from '../activities/inspect-models.js';
import type { RunModels, RunOptions } from '../contract/run.js';
import { exists } from '../io/exists.js';
import { catalogueName, resolveModel } from '../model/catalogue.js';

/**
 * An encoder as a run on a service has it: agents look a catalogue's name up on their own hosts; an absolute path is the
 * same on all of them, and need not be on this machine.
 * @throws OptionError when it is neither, nor a path that exists here.
 */
export async function encoderOnService(nameOrPath: string): Promise<string> {
  const name = catalogueName(nameOrPath);
  if (name !== undefined && !(await exists(nameOrPath))) return name;
  if (path.isAbsolute(nameOrPath)) return nameOrPath;
  return encoderHere(nameOrPath);
}

/** An encoder as a run of this machine alone has it: its path. */
export async function encoderHere(nameOrPath: string): Promise<string> {
  return path.resolve((await resolveModel(nameOrPath, process.env)).path);
}

/** Where a model of a run is on this machine; undefined when it is not. */
async function modelHere(nameOrPath: string): Promise<string | undefined> {
  return resolveModel(nameOrPath, process.env).then(
    (found) => found.path,
    () => undefined,
  );
}

/**
 * Looks at those of a run's three models that this machine has, each once: that tells what it asks for, and, before it is
 * submitted, whether they fit.
 * @throws ModelError when one cannot be read or is not what its role wants.
 */
export async function inspectModelsHere(run: RunOptions): Promise<Partial<RunModels>> {
  const dna = await modelHere(run.dnaModel);
  const protein = await modelHere(run.proteinModel);
  return {
    ...(dna !== undefined && { dna: await inspectEncoder(dna, 'dnabert-s', run) }),
    ...(protein !== undefined && { protein: await inspectEncoder(protein, 'esm-2', run) }),
    ...((await exists(run.classifier)) && { classifier: await inspectClassifier(run.classifier) }),
  };
}

/** @throws ModelError when all three are here and do not fit each other. */
export function assertFitHere({ dna, protein, classifier }: Partial<RunModels>): void {
  if (dna && protein && classifier) assertFit({ dna, protein, classifier });
}

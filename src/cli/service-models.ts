import path from 'node:path';
import { fitModels } from '../activities/inspect-models.js';
import type { RunOptions } from '../contract/run.js';
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
export async function modelHere(nameOrPath: string): Promise<string | undefined> {
  return resolveModel(nameOrPath, process.env).then(
    (found) => found.path,
    () => undefined,
  );
}

/**
 * Checks, when this machine has a run's three models, that they fit each other: before it is submitted.
 * @throws ModelError when they do not.
 */
export async function fitModelsHere(run: RunOptions): Promise<void> {
  const dnaModel = await modelHere(run.dnaModel);
  const proteinModel = await modelHere(run.proteinModel);
  if (dnaModel === undefined || proteinModel === undefined || !(await exists(run.classifier))) return;
  await fitModels({ ...run, dnaModel, proteinModel });
}

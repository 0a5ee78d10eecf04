import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { ModelError, OptionError } from '../contract/failures.js';
import { exists } from '../io/exists.js';
import type { PredictOptions } from './options/predict-table.js';

/** Chunk lengths that the published classifiers are for, and how their files are named. */
const LENGTH = { '300': 300, '500': 500 } as const;
const PUBLISHED_FILE = /^(300|500)_model\.pth$/;

/** In bases, as of the original's `-m`. */
const DEFAULT_LENGTH = 500;

/** What a classifier's file may be called. */
const CLASSIFIER_FILE = /\.(pth|safetensors)$/;

/** Which classifier cuts chunks of which length. */
export interface ClassifierChoice {
  classifier: string;
  /** In bases. */
  chunkSize: number;
  /** Nobody said that length: the file's name does not tell, and there was no `-m` or `-e`. */
  assumed: boolean;
}

/**
 * The classifier and its chunk length, from `-m`, `-p` and `-e`. A published classifier is known by the name of its
 * file, and takes chunks of its own length only.
 * @param elsewhere an absolute path need not be there on this machine.
 * @throws OptionError when they contradict each other; ModelError when there is no such file.
 */
export async function chooseClassifier(
  options: Pick<PredictOptions, 'modelType' | 'modelPath' | 'expectedLength'>,
  elsewhere = false,
): Promise<ClassifierChoice> {
  const { modelPath, expectedLength } = options;
  const fileOf = async (file: string): Promise<string> =>
    elsewhere && path.isAbsolute(file) && !(await exists(file)) ? file : classifierFile(file);
  const byName = PUBLISHED_FILE.exec(path.basename(modelPath ?? ''))?.[1] as '300' | '500' | undefined;
  const type = options.modelType ?? byName ?? (modelPath === undefined ? '500' : 'custom');
  if (type === 'custom') {
    if (modelPath === undefined) {
      throw new OptionError({ what: '--model-type custom without -p', next: 'Name your classifier with -p' });
    }
    if (options.modelType === 'custom' && expectedLength === undefined) {
      throw new OptionError({
        what: '--model-type custom without -e',
        next: 'Say with -e how long the chunks are that your classifier was trained on, for example -e 400',
      });
    }
    const assumed = expectedLength === undefined;
    return { classifier: await fileOf(modelPath), chunkSize: expectedLength ?? DEFAULT_LENGTH, assumed };
  }
  if (expectedLength !== undefined && expectedLength !== LENGTH[type]) {
    throw new OptionError({
      what: `--expected-length is ${expectedLength}, the ${type} classifier takes chunks of ${LENGTH[type]} bases only`,
      next: 'Leave -e out, or give -m custom for a classifier of your own',
    });
  }
  return { classifier: await fileOf(modelPath ?? `${type}_model.pth`), chunkSize: LENGTH[type], assumed: false };
}

/**
 * The absolute path of a classifier's file.
 * @throws ModelError when it is not there, or is a folder.
 */
export async function classifierFile(file: string): Promise<string> {
  const resolved = path.resolve(file);
  const found = await stat(resolved).catch(() => undefined);
  if (found?.isFile()) return resolved;
  if (found?.isDirectory()) {
    const fitting = (await readdir(resolved)).filter((name) => CLASSIFIER_FILE.test(name)).sort();
    throw new ModelError({
      what: 'the classifier is a file, this is a folder',
      where: file,
      next:
        fitting.length > 0
          ? `Name a file in it with -p: ${fitting.map((name) => path.join(file, name)).join(', ')}`
          : 'It holds no .pth or .safetensors file: name the classifier with -p',
    });
  }
  throw new ModelError({
    what: 'no such classifier file',
    where: file,
    next: 'Give the .pth or .safetensors file of the 300 or 500 model with -p',
  });
}

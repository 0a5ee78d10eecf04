import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { WorkflowBundleOption } from '@temporalio/worker';
import { InternalError } from '../contract/failures.js';

/** Where the build puts the workflows' bundle (scripts/build-workflow-bundle.ts). */
export const BUNDLE_PATH = fileURLToPath(new URL('../workflow-bundle.js', import.meta.url));

/** The entry that is bundled. */
export const WORKFLOWS_PATH = fileURLToPath(new URL('../workflows/index.js', import.meta.url));

/** The bundle made at build time: the same code on every host, and no webpack at start. */
export function workflowBundle(): WorkflowBundleOption {
  if (!existsSync(BUNDLE_PATH)) throw new InternalError('the workflow bundle was not built', BUNDLE_PATH);
  return { codePath: BUNDLE_PATH };
}

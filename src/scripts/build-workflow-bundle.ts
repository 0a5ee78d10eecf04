import { writeFile } from 'node:fs/promises';
import { DefaultLogger, bundleWorkflowCode } from '@temporalio/worker';
import { BUNDLE_PATH, WORKFLOWS_PATH } from '../workers/workflow-bundle.js';

const { code } = await bundleWorkflowCode({ workflowsPath: WORKFLOWS_PATH, logger: new DefaultLogger('WARN') });
await writeFile(BUNDLE_PATH, code);

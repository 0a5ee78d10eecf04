import { ParentClosePolicy, executeChild, proxyActivities, workflowInfo } from '@temporalio/workflow';

// Nothing of VirNucPro is bundled with these workflows: its steps are called by their names, on its own task queues.
const virnucpro = proxyActivities({
  taskQueue: 'virnucpro-cpu',
  startToCloseTimeout: '30 days',
  heartbeatTimeout: '15 seconds',
});

/** As `laneOptions()` of `virnucpro-temporal/workflows` gives them. */
const LANES = {
  device: 'cpu',
  lanes: 1,
  persistent: true,
  keepWarmSeconds: 120,
  priority: 3,
  heartbeatMs: 15_000,
  partMs: 30_000,
  stalledMs: 60_000,
  cpuQueue: 'virnucpro-cpu',
};

/**
 * Calls the viral contigs of one file, step by step.
 * @param {{ input: string, outputDir: string, chunkSize: number, dnaModel: string, proteinModel: string,
 *   classifier: string }} request
 */
export async function screenByName(request) {
  const { input, outputDir } = request;
  const models = await virnucpro['virnucpro.inspectModels'](request);
  const sample = { name: 'contigs', input, stem: 'contigs', prefix: '' };
  const split = await virnucpro['virnucpro.splitInput']({ sample, options: request });
  const results = {
    'dnabert-s': await embed('dnabert-s', models.dna, split.manifest, outputDir),
    'esm-2': await embed('esm-2', models.protein, split.manifest, outputDir),
  };
  const stages = await virnucpro['virnucpro.recordStages']({ cursor: 0, stages: results, store: outputDir });
  const options = { ...request, ...LANES, keepIntermediate: false, keepEmbeddings: false };
  const counts = await virnucpro['virnucpro.classifySample']({ sample, split, models, options, stages });
  const report = await virnucpro['virnucpro.writeReport']({ folder: outputDir });
  return { counts, stages: results, report };
}

function embed(stage, model, manifest, store) {
  return executeChild('embedStage', {
    taskQueue: 'virnucpro-control',
    workflowId: `${workflowInfo().workflowId}/${stage}`,
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    args: [{ stage, model, manifest, from: 0, to: manifest.records, store, lanes: LANES }],
  });
}

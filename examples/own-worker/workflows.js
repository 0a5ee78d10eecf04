import { ParentClosePolicy, executeChild, proxyActivities, workflowInfo } from '@temporalio/workflow';
import { cpuActivities, embedStage, laneOptions } from 'virnucpro-temporal/workflows';

// Our worker runs VirNucPro's workflows, too; `embedStage` below is one of them.
export * from 'virnucpro-temporal/workflows';

const own = proxyActivities({ startToCloseTimeout: '10 minutes' });

/**
 * Screens a metagenome for viruses: our own filter, VirNucPro's steps one by one, our own list.
 * @param {{ input: string, outputDir: string, minLength: number, lanes: number, chunkSize: number,
 *   dnaModel: string, proteinModel: string, classifier: string }} request
 */
export async function screenMetagenome(request) {
  const { outputDir } = request;
  const input = `${outputDir}/long.fa`;
  const filtered = await own.keepLongContigs({ input: request.input, output: input, minLength: request.minLength });

  const lanes = laneOptions({ lanes: request.lanes });
  const virnucpro = cpuActivities(lanes);
  const models = await virnucpro.inspectModels(request);
  const sample = { name: 'long', input, stem: 'long', prefix: '' };
  const split = await virnucpro.splitInput({ sample, options: request });
  const results = {
    'dnabert-s': await embed('dnabert-s', models.dna, split.manifest, outputDir, lanes),
    'esm-2': await embed('esm-2', models.protein, split.manifest, outputDir, lanes),
  };
  const stages = await virnucpro.recordStages({ cursor: 0, stages: results, store: outputDir });
  const options = { ...request, ...lanes, keepIntermediate: false, keepEmbeddings: false };
  const counts = await virnucpro.classifySample({ sample, split, models, options, stages });

  const viralContigs = await own.listViralContigs({
    table: `${outputDir}/long_merged/prediction_results_highestscore.csv`,
    output: `${outputDir}/viral-contigs.txt`,
  });
  // classifySample has written the report already; it can be written again at any time.
  const report = await virnucpro.writeReport({ folder: outputDir });
  return { filtered, counts, stages: results, viralContigs, report };
}

/** One stage over all file batches. More than 600 of them (about 6 million frames) want one run for each of `slices`. */
function embed(stage, model, manifest, store, lanes) {
  return executeChild(embedStage, {
    workflowId: `${workflowInfo().workflowId}/${stage}`,
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    args: [{ stage, model, manifest, from: 0, to: manifest.records, store, lanes }],
  });
}

import path from 'node:path';
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    output: { type: 'string', default: 'screened' },
    'min-length': { type: 'string', default: '300' },
    'chunk-size': { type: 'string', default: '500' },
    'dna-model': { type: 'string' },
    'protein-model': { type: 'string' },
    classifier: { type: 'string' },
    workflow: { type: 'string', default: 'screenMetagenome' },
    'task-queue': { type: 'string', default: 'own-queue' },
  },
});
const [input] = positionals;
for (const [name, value] of Object.entries({ input, ...values })) {
  if (value === undefined) throw new Error(`${name} is missing: see README.md`);
}

const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
const connection = await Connection.connect(connectionOptions);
const client = new Client({ connection, namespace });
const result = await client.workflow.execute(values.workflow, {
  taskQueue: values['task-queue'],
  workflowId: `screen-${Date.now()}`,
  args: [
    {
      input: path.resolve(input),
      outputDir: path.resolve(values.output),
      minLength: Number(values['min-length']),
      chunkSize: Number(values['chunk-size']),
      dnaModel: path.resolve(values['dna-model']),
      proteinModel: path.resolve(values['protein-model']),
      classifier: path.resolve(values.classifier),
      lanes: 2,
    },
  ],
});
console.log(JSON.stringify(result, undefined, 2));
await connection.close();

import assert from 'node:assert/strict';
import type { Worker } from '@temporalio/worker';
import { OptionError, ServerError } from '../../src/contract/failures.js';
import { VirnucproPlugin, type VirnucproPluginOptions } from '../../src/plugin.js';
import '../support/sdk-log.js';

/** As much of a worker as the plugin looks at. */
const worker = { options: { namespace: 'default' } } as Worker;

describe('VirnucproPlugin', () => {
  it("adds its activities to the worker's own, which win where names are equal", () => {
    const own = { splitInput: () => 'own', 'virnucpro.planWave': () => 'own' };
    const configured = new VirnucproPlugin().configureWorker({ taskQueue: 'q', activities: own });
    assert.deepEqual(Object.keys(configured.activities!).sort(), [
      'splitInput',
      'virnucpro.classifySample',
      'virnucpro.findUnfinished',
      'virnucpro.inspectModels',
      'virnucpro.joinManifests',
      'virnucpro.planWave',
      'virnucpro.recordStages',
      'virnucpro.recordWave',
      'virnucpro.splitInput',
      'virnucpro.summarizeCampaign',
      'virnucpro.writeReport',
    ]);
    assert.equal(Reflect.get(configured.activities!, 'splitInput'), own.splitInput);
    assert.equal(Reflect.get(configured.activities!, 'virnucpro.planWave'), own['virnucpro.planWave']);
  });

  it("leaves the worker's workflows, bundle and queue alone", () => {
    const plugin = new VirnucproPlugin();
    const given = plugin.configureWorker({ taskQueue: 'q', workflowsPath: '/own.js' });
    assert.deepEqual([given.taskQueue, given.workflowsPath, given.workflowBundle], ['q', '/own.js', undefined]);
    const bundled = plugin.configureWorker({ taskQueue: 'q', workflowBundle: { codePath: '/own-bundle.js' } });
    assert.deepEqual([bundled.workflowBundle, bundled.workflowsPath], [{ codePath: '/own-bundle.js' }, undefined]);
    assert.equal(plugin.configureBundler({ workflowsPath: '/own.js' }).workflowsPath, '/own.js');
  });

  it('runs the worker and nothing else when neither lanes nor roles are asked for', async () => {
    const ran: unknown[] = [];
    await new VirnucproPlugin({ env: { TEMPORAL_ADDRESS: '127.0.0.1:1' } }).runWorker(worker, async (w) => {
      ran.push(w);
    });
    assert.deepEqual(ran, [worker]);
  });

  it('does not run the worker when its agent finds no server, and says where it looked', async () => {
    const plugin = new VirnucproPlugin({ lanes: { count: 1 }, env: { TEMPORAL_ADDRESS: '127.0.0.1:1' } });
    const ran: unknown[] = [];
    for (let attempt = 1; attempt <= 2; attempt++) {
      await assert.rejects(
        plugin.runWorker(worker, async (w) => void ran.push(w)),
        (error) => error instanceof ServerError && error.where === '127.0.0.1:1',
      );
    }
    assert.deepEqual(ran, []);
  });

  const wrong: [object, string][] = [
    [{ lanes: { count: 0 } }, 'options.lanes.count: '],
    [{ lanes: { count: 2, threads: 1.5 } }, 'options.lanes.threads: '],
    [{ lanes: 2 }, 'options.lanes: '],
    [{ roles: ['lanes'] }, 'options.roles.0: Invalid option: expected one of "control"|"cpu"'],
    [{ host: 'a/b' }, 'options.host: must not be empty or hold spaces, /, # or @'],
    [{ env: { A: 1 } }, 'options.env.A: '],
    [{ lane: { count: 1 } }, 'options: Unrecognized key: "lane"'],
  ];
  for (const [options, message] of wrong) {
    it(`refuses ${JSON.stringify(options)}`, () => {
      assert.throws(
        () => new VirnucproPlugin(options as VirnucproPluginOptions),
        (error) => error instanceof OptionError && error.what.startsWith(`VirnucproPlugin ${message}`),
      );
    });
  }
});

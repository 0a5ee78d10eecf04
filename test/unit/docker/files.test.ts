import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { parse } from 'yaml';
import { SEARCH_ATTRIBUTES } from '../../../src/contract/search-attributes.js';
import { readOptions } from '../../../src/cli/options/option-table.js';
import { WORKER_OPTIONS, type WorkerOptions } from '../../../src/cli/options/worker-table.js';
import { workerCommand } from '../../../src/cli/worker.js';

interface Service {
  image: string;
  command?: string[];
  environment?: Record<string, string>;
  ports?: string[];
  depends_on?: string[] | Record<string, unknown>;
  stop_grace_period?: string;
}

interface Container {
  image: string;
  args: string[];
  envFrom: { configMapRef?: { name: string }; secretRef?: { name: string } }[];
  resources: { requests: Record<string, string>; limits: Record<string, string | number> };
  securityContext: { readOnlyRootFilesystem: boolean; allowPrivilegeEscalation: boolean };
  volumeMounts: { name: string; mountPath: string }[];
}

interface Deployment {
  kind: string;
  metadata: { name: string };
  spec: {
    selector: { matchLabels: Record<string, string> };
    template: {
      metadata: { labels: Record<string, string> };
      spec: {
        terminationGracePeriodSeconds: number;
        securityContext: { runAsNonRoot: boolean; runAsUser: number };
        containers: [Container];
        volumes: { name: string }[];
      };
    };
  };
}

/** What `virnucpro ...` of a file would do, with the variables of the file at their defaults. */
async function parseWorker([command, ...args]: string[]): Promise<WorkerOptions> {
  assert.equal(command, 'worker');
  const program = (await workerCommand().addTable()).exitOverride();
  const plain = args.map((arg) => arg.replace(/^\$\{\w+:-(.*)\}$/, '$1'));
  const { operands, unknown } = program.parseOptions(plain);
  assert.deepEqual([operands, unknown], [[], []]);
  return readOptions(WORKER_OPTIONS, { flags: program.opts(), env: {}, command: 'virnucpro worker' });
}

describe('docker/compose.yaml', () => {
  let services: Record<string, Service>;
  let variables: Set<string>;
  before(async () => {
    const text = await readFile('docker/compose.yaml', 'utf8');
    ({ services } = parse(text, { merge: true }) as { services: Record<string, Service> });
    variables = new Set([...text.matchAll(/\$\{(\w+):\?/g)].map(([, name]) => name!));
  });

  it('has Temporal with PostgreSQL and UI, a store, and workers of all roles', async () => {
    const names = ['control', 'cuda-lanes', 'lanes', 'postgres', 'search-attributes', 'store', 'temporal', 'ui'];
    assert.deepEqual(Object.keys(services).sort(), names);
    assert.deepEqual((await parseWorker(services['control']!.command!)).roles, ['control', 'cpu']);
    const { roles, cpuLanes, threads } = await parseWorker(services['lanes']!.command!);
    assert.deepEqual([roles, cpuLanes, threads], [['lanes'], 1, 4]);
    assert.deepEqual((await parseWorker(services['cuda-lanes']!.command!)).devices, [{ kind: 'cuda', index: 0 }]);
  });

  it('waits only for services that it has, and gives workers a minute to drain', () => {
    for (const [name, { depends_on = [], stop_grace_period }] of Object.entries(services)) {
      for (const other of Array.isArray(depends_on) ? depends_on : Object.keys(depends_on)) {
        assert.ok(other in services, `${name} waits for ${other}`);
      }
      if (/control|lanes/.test(name)) assert.equal(stop_grace_period, '60s');
    }
  });

  it('publishes on loopback only, and has no password in it: the example names all that is needed', async () => {
    for (const { ports = [] } of Object.values(services)) {
      for (const port of ports) assert.match(port, /^127\.0\.0\.1:/);
    }
    for (const { environment = {} } of Object.values(services)) {
      for (const [name, value] of Object.entries(environment)) {
        if (/PASSWORD|PWD|SECRET/.test(name)) assert.match(value, /^\$\{\w+:\?/, name);
      }
    }
    const example = await readFile('docker/example.env', 'utf8');
    for (const name of variables) assert.match(example, new RegExp(`^${name}=`, 'm'));
  });

  it('registers the search attributes that runs carry', () => {
    const command = services['search-attributes']!.command!.join(' ');
    for (const { name } of SEARCH_ATTRIBUTES) assert.match(command, new RegExp(`--name ${name} --type Keyword`));
  });
});

describe('docker/kubernetes', () => {
  let deployments: Deployment[];
  let configured: string;
  before(async () => {
    const files = (await readdir('docker/kubernetes')).sort();
    assert.deepEqual(files, ['config.yaml', 'control.yaml', 'lanes.yaml']);
    const read = async (file: string): Promise<unknown> => parse(await readFile(`docker/kubernetes/${file}`, 'utf8'));
    const [config, ...others] = await Promise.all(files.map(read));
    configured = (config as Deployment).metadata.name;
    deployments = others as Deployment[];
  });

  it('has a control worker and lanes that ask for one GPU each', async () => {
    const [control, lanes] = deployments.map(({ spec }) => spec.template.spec.containers[0]);
    assert.deepEqual((await parseWorker(control!.args)).roles, ['control', 'cpu']);
    assert.equal('nvidia.com/gpu' in control!.resources.limits, false);
    const { roles, devices } = await parseWorker(lanes!.args);
    assert.deepEqual([roles, devices], [['lanes'], [{ kind: 'cuda', index: 0 }]]);
    assert.equal(lanes!.resources.limits['nvidia.com/gpu'], 1);
    assert.equal(lanes!.image, 'virnucpro:cuda');
  });

  it('gives pods time to drain and no rights, and mounts what it has', () => {
    for (const { kind, spec } of deployments) {
      assert.equal(kind, 'Deployment');
      assert.deepEqual(spec.selector.matchLabels, spec.template.metadata.labels);
      const pod = spec.template.spec;
      assert.equal(pod.terminationGracePeriodSeconds, 90);
      assert.deepEqual([pod.securityContext.runAsNonRoot, pod.securityContext.runAsUser], [true, 10_001]);
      const [container] = pod.containers;
      const { readOnlyRootFilesystem, allowPrivilegeEscalation } = container.securityContext;
      assert.deepEqual([readOnlyRootFilesystem, allowPrivilegeEscalation], [true, false]);
      assert.deepEqual(
        container.volumeMounts.map(({ name }) => name),
        pod.volumes.map(({ name }) => name),
      );
      const paths = container.volumeMounts.map(({ mountPath }) => mountPath);
      assert.deepEqual(paths, ['/models', '/scratch', '/home/virnucpro', '/tmp']);
      assert.equal(container.envFrom[0]!.configMapRef!.name, configured);
    }
  });
});

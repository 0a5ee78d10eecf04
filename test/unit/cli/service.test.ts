import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { lanesElsewhere } from '../../../src/cli/choose-devices.js';
import { differences } from '../../../src/cli/run-record.js';
import { chooseService, environmentOf, recordedService } from '../../../src/cli/service.js';
import { OptionError } from '../../../src/contract/failures.js';

const ELSEWHERE = { address: 'other.example.org:7233', namespace: 'default' };

describe('the service that a command uses', () => {
  let dir: string;
  /** An environment with a configuration file that other programs have, too. */
  let env: NodeJS.ProcessEnv;
  before(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'virnucpro-profile-'));
    const file = path.join(dir, 'temporal.toml');
    await writeFile(
      file,
      '[profile.default]\naddress = "prod.example.org:7233"\nnamespace = "shop"\napi_key = "secret"\n' +
        '[profile.viromes]\naddress = "viromes.example.org:7233"\nnamespace = "viromes"\n',
    );
    env = { TEMPORAL_CONFIG_FILE: file };
  });
  after(() => rm(dir, { recursive: true }));

  const chosen = (asked: boolean | undefined, more: NodeJS.ProcessEnv): string | undefined => {
    const service = chooseService(asked, { ...env, ...more });
    return service && `${service.address} ${service.namespace} ${service.variable ?? 'asked'}`;
  };

  it('is none by a configuration file alone, and one by a variable of the shell', () => {
    assert.equal(chosen(undefined, {}), undefined);
    assert.equal(chosen(undefined, { TEMPORAL_ADDRESS: '' }), undefined);
    assert.equal(chosen(undefined, { TEMPORAL_ADDRESS: 'a:1' }), 'a:1 shop TEMPORAL_ADDRESS');
    assert.equal(
      chosen(undefined, { TEMPORAL_PROFILE: 'viromes' }),
      'viromes.example.org:7233 viromes TEMPORAL_PROFILE',
    );
  });

  it('is what was asked for, by flag before variable', () => {
    assert.equal(chosen(true, {}), 'prod.example.org:7233 shop asked');
    assert.equal(chosen(undefined, { VIRNUCPRO_SERVICE: 'yes' }), 'prod.example.org:7233 shop asked');
    assert.equal(chosen(false, { TEMPORAL_ADDRESS: 'a:1', VIRNUCPRO_SERVICE: 'yes' }), undefined);
    assert.equal(chosen(undefined, { TEMPORAL_ADDRESS: 'a:1', VIRNUCPRO_SERVICE: 'no' }), undefined);
    assert.equal(chosen(true, { TEMPORAL_CONFIG_FILE: path.join(dir, 'none') }), 'localhost:7233 default asked');
    assert.throws(() => chosen(undefined, { VIRNUCPRO_SERVICE: 'perhaps' }), OptionError);
    assert.throws(() => chosen(undefined, { TEMPORAL_PROFILE: 'nope' }), /Profile 'nope' not found/);
  });

  it("of a folder's run has the environment's credentials only if that is configured for it", () => {
    const same = recordedService({ address: 'prod.example.org:7233', namespace: 'shop' }, env);
    assert.equal(same.connectionOptions.apiKey, 'secret');
    const other = recordedService(ELSEWHERE, { ...env, TEMPORAL_API_KEY: 'key', HOME: '/home/me' });
    assert.deepEqual(other.connectionOptions, { address: ELSEWHERE.address });
    assert.deepEqual(other.env, {
      HOME: '/home/me',
      TEMPORAL_ADDRESS: ELSEWHERE.address,
      TEMPORAL_NAMESPACE: 'default',
      TEMPORAL_CONFIG_FILE: '/nonexistent',
    });
    assert.deepEqual(Object.keys(environmentOf(ELSEWHERE, { TEMPORAL_TLS: 'true' })).sort(), [
      'TEMPORAL_ADDRESS',
      'TEMPORAL_CONFIG_FILE',
      'TEMPORAL_NAMESPACE',
    ]);
  });

  it('is asked for a kind of lanes, never for devices of one machine or for any', () => {
    for (const kind of ['cpu', 'cuda'] as const) assert.equal(lanesElsewhere([{ kind }]).kind, kind);
    assert.equal(lanesElsewhere([{ kind: 'webgpu', index: 0 }]).kind, 'webgpu');
    for (const asked of [
      'auto' as const,
      [{ kind: 'cuda' as const, index: 0 }],
      [{ kind: 'webgpu' as const, index: 1 }],
    ]) {
      assert.throws(() => lanesElsewhere(asked), OptionError);
    }
  });

  it('has a run for the same whether or not the machine that asks has its models', () => {
    const record = { workflowId: 'w', outputDir: '/o', samples: [], state: 'running' as const };
    const text = (was: string, is: string): string[] =>
      differences({ ...record, request: { dnaModel: was } }, { request: { dnaModel: is }, samples: [] });
    assert.deepEqual(text('abc', 'not here: dnabert-s'), []);
    assert.deepEqual(text('not here: dnabert-s', 'not here: dnabert-2'), [
      'dnaModel was not here: dnabert-s and is not here: dnabert-2',
    ]);
    assert.deepEqual(text('abc', 'def'), ['dnaModel was abc and is def']);
  });
});

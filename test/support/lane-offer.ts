import type { LaneOffer } from '../../src/contract/leases.js';

/** An offer of a persistent ESM-2 lane on a CPU. */
export function laneOffer(changes: Partial<LaneOffer> = {}): LaneOffer {
  return {
    lease: 'lease',
    campaign: 'campaign',
    stage: 'esm-2',
    model: {
      path: '/models/esm2',
      digest: 'd',
      precision: 'fp32',
      verified: false,
      ...{ kind: 'esm2', hidden: 4, layers: 1, heads: 2, intermediate: 16, parameters: 25e7, bytes: 1e9 },
    },
    device: 'cpu',
    persistent: true,
    keepWarmSeconds: 120,
    heartbeatMs: 3_000,
    avoid: [],
    ...changes,
  };
}

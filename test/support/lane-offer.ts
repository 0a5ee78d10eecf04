import type { LaneOffer } from '../../src/contract/leases.js';

/** An offer of a persistent ESM-2 lane on a CPU. */
export function laneOffer(changes: Partial<LaneOffer> = {}): LaneOffer {
  return {
    lease: 'lease',
    campaign: 'campaign',
    stage: 'esm-2',
    model: {
      path: '/models/esm2',
      kind: 'esm2',
      digest: 'd',
      precision: 'fp32',
      verified: false,
      hidden: 4,
      layers: 1,
      bytes: 1e9,
    },
    device: 'cpu',
    persistent: true,
    keepWarmSeconds: 120,
    heartbeatMs: 3_000,
    avoid: [],
    ...changes,
  };
}

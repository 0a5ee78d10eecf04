import type { DeviceKind } from '../contract/devices.js';

/**
 * Floating-point operations a second that one thread is assumed to manage. bench/encoders.md has 64 to 75 for a core that is
 * all ours: this leaves room for slower ones, and for others' work.
 */
export const FLOPS_PER_THREAD = 2e10;

/** Keeps the attention scores of a call of a small model in tens of megabytes. */
const MOST_TOKENS_PER_CALL = 4096;

/**
 * Tokens a call (padding included) for calls of up to about a second. No call has less than a sequence. A GPU gets the most:
 * fewer would leave it waiting.
 * @param threads of one call.
 */
export function defaultTokensPerCall(parameters: number, threads: number, device: DeviceKind = 'cpu'): number {
  if (device !== 'cpu') return MOST_TOKENS_PER_CALL;
  return Math.min(MOST_TOKENS_PER_CALL, Math.ceil((FLOPS_PER_THREAD * threads) / (2 * parameters)));
}

/**
 * Cuts sequences into calls: longest first (the call that needs most memory comes first), alike lengths together (little
 * padding), rows x longest <= `tokensPerCall`. A sequence longer than that has a call of its own.
 * @param lengths tokens of each sequence.
 * @returns indices into `lengths`, call by call; every index once.
 */
export function planCalls(lengths: readonly number[], tokensPerCall: number): number[][] {
  const calls: number[][] = [];
  const order = lengths.map((_, i) => i).sort((a, b) => lengths[b]! - lengths[a]! || a - b);
  let call: number[] = [];
  for (const i of order) {
    if (call.length > 0 && (call.length + 1) * lengths[call[0]!]! > tokensPerCall) {
      calls.push(call);
      call = [];
    }
    call.push(i);
  }
  if (call.length > 0) calls.push(call);
  return calls;
}

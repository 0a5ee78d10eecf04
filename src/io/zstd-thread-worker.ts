import { parentPort } from 'node:worker_threads';
import { ZstdBlocks } from './zstd-blocks.js';
import type { ZstdCall } from './zstd-thread.js';

const port = parentPort!;
const blocks = new ZstdBlocks();

port.on('message', ({ op, packed }: ZstdCall) => {
  const unpacked = blocks[op](packed);
  port.postMessage(unpacked, 'pieces' in unpacked ? unpacked.pieces.map(({ buffer }) => buffer) : []);
});

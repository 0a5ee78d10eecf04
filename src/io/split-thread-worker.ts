import { parentPort } from 'node:worker_threads';
import { type Block, memoryOf, splitBlock } from './split-block.js';

const port = parentPort!;

port.on('message', (block: Block) => {
  const result = splitBlock(block);
  port.postMessage(result, memoryOf(result.room));
});

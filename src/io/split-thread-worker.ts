import { parentPort } from 'node:worker_threads';
import { type Block, splitBlock } from './split-block.js';

const port = parentPort!;

port.on('message', (block: Block) => {
  const result = splitBlock(block);
  const { chunked, nucleotides, proteins } = result;
  port.postMessage(result, [chunked.buffer, nucleotides.buffer, proteins.buffer]);
});

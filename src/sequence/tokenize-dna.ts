import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import type { Tokenizer } from './tokenizer.js';

/**
 * DNABERT-2's tokenizer: byte-pair encoding between [CLS] and [SEP]; letters besides ACGT become [UNK].
 * @param tokenizerJson parsed `tokenizer.json`.
 * @param tokenizerConfig parsed `tokenizer_config.json`.
 */
export function createDnaTokenizer(tokenizerJson: object, tokenizerConfig: object): Tokenizer {
  const tokenizer = new HuggingFaceTokenizer(tokenizerJson, tokenizerConfig);
  const size = 1 + Math.max(...tokenizer.get_vocab(true).values());
  return { size, encode: (sequence) => Int32Array.from(tokenizer.encode(sequence).ids) };
}

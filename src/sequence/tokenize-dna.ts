import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { type DnaRules, LETTERS, readDnaRules } from './dna-rules.js';
import { createPairMerger } from './pair-merger.js';
import type { Tokenizer } from './tokenizer.js';

/**
 * DNABERT-2's tokenizer: byte-pair encoding between [CLS] and [SEP]; letters besides ACGT become [UNK]. Our own code
 * encodes what it knows the rules of (docs/decisions/016), the library everything else.
 * @param tokenizerJson parsed `tokenizer.json`.
 * @param tokenizerConfig parsed `tokenizer_config.json`.
 */
export function createDnaTokenizer(tokenizerJson: object, tokenizerConfig: object): Tokenizer {
  const rules = readDnaRules(tokenizerJson, tokenizerConfig);
  if (rules === undefined) return createLibraryTokenizer(tokenizerJson, tokenizerConfig);
  const encode = createEncoder(rules);
  let library: Tokenizer | undefined;
  return {
    size: rules.size,
    encode: (sequence) =>
      encode(sequence) ?? (library ??= createLibraryTokenizer(tokenizerJson, tokenizerConfig)).encode(sequence),
  };
}

/** Any tokenizer.json, through the library of the format's maker. */
export function createLibraryTokenizer(tokenizerJson: object, tokenizerConfig: object): Tokenizer {
  const tokenizer = new HuggingFaceTokenizer(tokenizerJson, tokenizerConfig);
  const size = 1 + Math.max(...tokenizer.get_vocab(true).values());
  return { size, encode: (sequence) => Int32Array.from(tokenizer.encode(sequence).ids) };
}

/** The rules as a function that gives undefined for a text of other characters than {@link LETTERS}. */
function createEncoder({ merges, ids, start, end }: DnaRules): (sequence: string) => Int32Array | undefined {
  const merge = createPairMerger(LETTERS.length, merges);
  const letterOf = Int32Array.from({ length: 128 }, (_, code) => LETTERS.indexOf(String.fromCharCode(code)));
  let symbols = new Int32Array(1024);
  return (sequence) => {
    const { length } = sequence;
    if (length > symbols.length) symbols = new Int32Array(2 * length);
    for (let i = 0; i < length; i++) {
      const letter = letterOf[sequence.charCodeAt(i)] ?? -1;
      if (letter === -1) return undefined;
      symbols[i] = letter;
    }
    const count = merge(symbols, length);
    const tokens = new Int32Array(start.length + count + end.length);
    tokens.set(start);
    for (let i = 0; i < count; i++) tokens[start.length + i] = ids[symbols[i]!]!;
    tokens.set(end, start.length + count);
    return tokens;
  };
}

import { z } from 'zod';
import { type Merge, MOST_SYMBOLS } from './pair-merger.js';

/** What {@link readDnaRules} makes rules for: everything that a nucleotide FASTA file may hold, and all other letters. */
export const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-*';

/** A DNA tokenizer as numbers. Symbols are counted as in pair-merger.ts, with {@link LETTERS} first. */
export interface DnaRules {
  merges: Merge[];
  /** Symbol -> token id. */
  ids: Int32Array;
  /** Token ids before and behind every sequence. */
  start: number[];
  end: number[];
  /** Every token id is below it. */
  size: number;
}

/** Cannot occur in a text of {@link LETTERS}, nor be a part of a merge of letters. */
const NoText = z.string().regex(/[^A-Za-z*-]/);

const Special = z.strictObject({ SpecialToken: z.strictObject({ id: NoText, type_id: z.number() }) });
const Sequence = z.strictObject({ Sequence: z.strictObject({ id: z.literal('A'), type_id: z.number() }) });

/** The kind of tokenizer.json that DNABERT-2 and DNABERT-S come with; each field that changes ids is named. */
const TokenizerJson = z.strictObject({
  version: z.literal('1.0'),
  truncation: z.null(),
  padding: z.null(),
  added_tokens: z.array(z.looseObject({ id: z.int().nonnegative(), content: NoText })),
  normalizer: z.null(),
  pre_tokenizer: z.strictObject({ type: z.literal('Whitespace') }),
  post_processor: z.strictObject({
    type: z.literal('TemplateProcessing'),
    single: z.array(z.union([Special, Sequence])),
    pair: z.unknown(),
    special_tokens: z.record(z.string(), z.looseObject({ ids: z.tuple([z.int()]) })),
  }),
  decoder: z.unknown(),
  model: z.strictObject({
    type: z.literal('BPE'),
    dropout: z.null(),
    unk_token: NoText,
    continuing_subword_prefix: z.null(),
    end_of_word_suffix: z.null(),
    fuse_unk: z.literal(false),
    byte_fallback: z.literal(false).optional(),
    ignore_merges: z.literal(false).optional(),
    vocab: z.record(z.string(), z.int().nonnegative()),
    merges: z
      .array(z.union([z.string().transform((text) => text.split(' ')), z.array(z.string())]))
      .max(MOST_SYMBOLS - LETTERS.length),
  }),
});

/** Fields of tokenizer_config.json that change ids. */
const TokenizerConfig = z.looseObject({
  remove_space: z.literal(false).optional(),
  do_lowercase_and_remove_accent: z.literal(false).optional(),
});

/**
 * Reads the rules for texts of {@link LETTERS} from a model's tokenizer.json. There the pre-tokenizer only separates
 * `-` and `*`, which no merge may contain.
 * @returns undefined when anything in the files could change ids in a way that the rules do not express.
 */
export function readDnaRules(tokenizerJson: object, tokenizerConfig: object): DnaRules | undefined {
  const json = TokenizerJson.safeParse(tokenizerJson).data;
  if (json === undefined || !TokenizerConfig.safeParse(tokenizerConfig).success) return undefined;
  const { model, added_tokens, post_processor } = json;
  const tokens = new Map([
    ...Object.entries(model.vocab),
    ...added_tokens.map(({ content, id }): [string, number] => [content, id]),
  ]);
  const unknown = tokens.get(model.unk_token);
  const merges = readMerges(model.merges, tokens);
  const template = readTemplate(post_processor, tokens);
  if (unknown === undefined || merges === undefined || template === undefined) return undefined;
  return {
    ...template,
    merges: merges.list,
    ids: Int32Array.from(merges.symbols, (symbol) => tokens.get(symbol) ?? unknown),
    size: 1 + Math.max(...tokens.values()),
  };
}

/** The merges, and all symbols by number. Undefined unless each makes a new token of letters or of earlier results. */
function readMerges(
  merges: readonly string[][],
  tokens: ReadonlyMap<string, number>,
): { list: Merge[]; symbols: string[] } | undefined {
  const symbols = [...LETTERS];
  const numbers = new Map(symbols.filter((letter) => /[A-Za-z]/.test(letter)).map((letter, i) => [letter, i]));
  const list: Merge[] = [];
  for (const [leftText = '', rightText = '', ...rest] of merges) {
    const left = numbers.get(leftText);
    const right = numbers.get(rightText);
    const result = leftText + rightText;
    const known = left !== undefined && right !== undefined && tokens.has(leftText) && tokens.has(rightText);
    if (!known || rest.length > 0 || numbers.has(result) || !tokens.has(result)) return undefined;
    numbers.set(result, symbols.length);
    symbols.push(result);
    list.push({ left, right });
  }
  return { list, symbols };
}

/** What stands around a sequence. Undefined unless there is one sequence among tokens that are what they say. */
function readTemplate(
  { single, special_tokens }: z.infer<typeof TokenizerJson>['post_processor'],
  tokens: ReadonlyMap<string, number>,
): Pick<DnaRules, 'start' | 'end'> | undefined {
  const items = single.map((item) => ('SpecialToken' in item ? item.SpecialToken.id : undefined));
  const sequence = items.indexOf(undefined);
  const specials = items.filter((item) => item !== undefined);
  const honest = specials.every((name) => tokens.has(name) && special_tokens[name]?.ids[0] === tokens.get(name));
  if (sequence === -1 || specials.length !== items.length - 1 || !honest) return undefined;
  const ids = specials.map((name) => tokens.get(name)!);
  return { start: ids.slice(0, sequence), end: ids.slice(sequence) };
}

/** Turns a sequence into the token ids that its encoder was trained on. */
export interface Tokenizer {
  /** Number of ids: every id is below it. */
  readonly size: number;
  /**
   * Ids of one upper-case sequence with the encoder's start and end tokens.
   * @throws InputError when a letter has no token and the encoder has none for the unknown.
   */
  encode(sequence: string): Int32Array;
}

/** One merge of byte-pair encoding: two symbols that become one. Its place in the list of merges is its rank. */
export interface Merge {
  left: number;
  right: number;
}

/** Most symbols, so that a pair of them is one 32-bit number. */
export const MOST_SYMBOLS = 2 ** 15;

const NONE = -1;

/**
 * Byte-pair encoding over symbols. Letters are the symbols 0 to `letters - 1`, and the result of the merge of rank `r`
 * is the symbol `letters + r`. Each merge is of letters and of results of merges before it, and has its own result.
 *
 * The rule: of all neighbours that can merge, those of the lowest rank do, leftmost first, until none is left. A merge
 * makes pairs of higher ranks only, since its result is no part of any merge before it. So one pass over the ranks is
 * enough, with a queue of places for each rank. A queue is in order from the start: pairs of one rank are all found in
 * one step, the later of the two that make its left and its right symbol, and every step goes from left to right.
 *
 * @returns a function that merges the first `count` of `symbols` in place and gives the number that is left.
 */
export function createPairMerger(
  letters: number,
  merges: readonly Merge[],
): (symbols: Int32Array, count: number) => number {
  const rankOf = createRankTable(merges);

  // By place, which is where a symbol's first letter stands.
  let symbol = new Int32Array();
  let next = new Int32Array();
  let previous = new Int32Array();
  /** Rank of the symbol with its next one. */
  let pairRank = new Int32Array();

  // By rank: first and last entry of its queue.
  const first = new Int32Array(merges.length).fill(NONE);
  const last = new Int32Array(merges.length);

  // By entry: its place, and the entry behind it in its queue.
  let place = new Int32Array();
  let following = new Int32Array();
  let entries = 0;

  const reserve = (count: number): void => {
    if (count < symbol.length) return;
    const places = 2 * count + 1;
    symbol = new Int32Array(places);
    next = new Int32Array(places);
    previous = new Int32Array(places);
    pairRank = new Int32Array(places);
    // A letter starts one pair, and a merge, of which there are fewer than letters, makes two.
    place = new Int32Array(3 * places);
    following = new Int32Array(3 * places);
  };

  /** Puts the pair that starts at `left` at the end of its rank's queue. */
  const enqueue = (left: number): void => {
    const rank = rankOf(symbol[left]!, symbol[next[left]!]!);
    pairRank[left] = rank;
    if (rank === NONE) return;
    const entry = entries++;
    place[entry] = left;
    following[entry] = NONE;
    if (first[rank] === NONE) first[rank] = entry;
    else following[last[rank]!] = entry;
    last[rank] = entry;
  };

  const mergePair = (left: number, rank: number): void => {
    const right = next[left]!;
    const behind = next[right]!;
    symbol[left] = letters + rank;
    pairRank[right] = NONE;
    next[left] = behind;
    previous[behind] = left;
    if (left > 0) enqueue(previous[left]!);
    enqueue(left);
  };

  return (symbols, count) => {
    reserve(count);
    for (let at = 0; at < count; at++) {
      symbol[at] = symbols[at]!;
      next[at] = at + 1;
      previous[at] = at - 1;
    }
    symbol[count] = NONE;
    entries = 0;
    for (let at = 0; at < count; at++) enqueue(at);
    for (let rank = 0; rank < first.length; rank++) {
      for (let entry = first[rank]!; entry !== NONE; entry = following[entry]!) {
        const left = place[entry]!;
        // Else one of the two has merged with its other neighbour meanwhile.
        if (pairRank[left] === rank) mergePair(left, rank);
      }
      first[rank] = NONE;
    }
    let merged = 0;
    for (let at = 0; at < count; at = next[at]!) symbols[merged++] = symbol[at]!;
    return merged;
  };
}

/** The rank of a pair of symbols, or {@link NONE}. Open addressing in 64 KB for 4,000 merges: a `Map` is much slower. */
function createRankTable(merges: readonly Merge[]): (left: number, right: number) => number {
  const size = 2 ** Math.ceil(Math.log2(2 * merges.length + 1));
  const keys = new Int32Array(size);
  const ranks = new Int32Array(size).fill(NONE);
  const slotOf = (key: number): number => {
    let slot = (Math.imul(key, 0x9e3779b1) >>> 16) & (size - 1);
    while (keys[slot] !== key && ranks[slot] !== NONE) slot = (slot + 1) & (size - 1);
    return slot;
  };
  const keyOf = (left: number, right: number): number => (left << 16) | right;
  merges.forEach(({ left, right }, rank) => {
    const slot = slotOf(keyOf(left, right));
    keys[slot] = keyOf(left, right);
    ranks[slot] = rank;
  });
  return (left, right) => ranks[slotOf(keyOf(left, right))]!;
}

/** A batch's tokens sorted by state, as read by scatter.wgsl. */
export interface SortedTokens {
  /**
   * For every list, the offset and number of its segments; then segments of three words: state, first entry and end of
   * entries; then entries `use * rows + sample`, where the use is the position in the list.
   */
  readonly words: Uint32Array;
  /** Words in use. */
  readonly length: number;
  /** Segments of the longest list. */
  readonly segments: number;
}

/** Maximum number of words for sorting. */
export function tokenWords(lists: readonly (readonly number[])[], rows: number): number {
  // Each token adds at most one segment and one entry.
  return lists.reduce((words, variables) => words + 2 + 4 * variables.length * rows, 0);
}

/**
 * Counting sort of the tokens of every list of variables. `values` are `[rows, variables]` states; missing ones (-1)
 * are left out. Equal tokens are ordered by use and sample, so sums are bitwise reproducible.
 */
export class TokenSorter {
  readonly #lists: readonly (readonly number[])[];
  readonly #counts: Uint32Array;
  readonly #words: Uint32Array;

  /** Creates a sorter of lists of variables, for states below `states` and batches of at most `rows`. */
  constructor(lists: readonly (readonly number[])[], states: number, rows: number) {
    this.#lists = lists;
    this.#counts = new Uint32Array(states + 1);
    this.#words = new Uint32Array(tokenWords(lists, rows));
  }

  /** Sorts a batch; the result is valid until the next call. */
  sort(values: Int32Array, rows: number, variables: number): SortedTokens {
    const words = this.#words, counts = this.#counts;
    let end = 2 * this.#lists.length, most = 0;
    this.#lists.forEach((list, index) => {
      counts.fill(0);
      let segments = 0, entries = 0;
      for (const variable of list) {
        for (let row = 0, at = variable; row < rows; row++, at += variables) {
          const state = values[at] as number;
          if (state < 0) continue;
          const before = counts[state] as number;
          if (before === 0) segments++;
          counts[state] = before + 1;
          entries++;
        }
      }
      words[2 * index] = end;
      words[2 * index + 1] = segments;
      most = Math.max(most, segments);
      // Turns counts into offsets of the entries.
      let segment = end, place = end + 3 * segments;
      if (segments > 0) {
        for (let state = 0; state < counts.length; state++) {
          const count = counts[state] as number;
          if (count === 0) continue;
          words[segment] = state;
          words[segment + 1] = place;
          words[segment + 2] = place + count;
          segment += 3;
          counts[state] = place;
          place += count;
        }
      }
      list.forEach((variable, use) => {
        for (let row = 0, at = variable; row < rows; row++, at += variables) {
          const state = values[at] as number;
          if (state < 0) continue;
          const to = counts[state] as number;
          words[to] = use * rows + row;
          counts[state] = to + 1;
        }
      });
      end += 3 * segments + entries;
    });
    return { words, length: end, segments: most };
  }
}

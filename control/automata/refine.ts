/** States and transitions of an automaton, as {@link refine} reads them. */
interface Transitions {
  readonly states: number;
  readonly width: number;
  readonly next: Int32Array;
  readonly accepting: Uint8Array;
}

/**
 * The coarsest partition of states into blocks from which the same texts are accepted: the block of each state, as the
 * number of one of its states. Source: Hopcroft, "An n log n Algorithm for Minimizing States in a Finite Automaton" (1971).
 */
export function refine({ states, width, next, accepting }: Transitions): Int32Array {
  const before = predecessors(states, width, next);
  // States in the order of their blocks: block `b` is `order[first[b]..end[b])`.
  const order = Int32Array.from({ length: states }, (_, i) => i);
  order.sort((a, b) => accepting[a]! - accepting[b]! || a - b);
  const place = new Int32Array(states), block = new Int32Array(states);
  const first: number[] = [], end: number[] = [], marked: number[] = [];
  order.forEach((state, i) => {
    place[state] = i;
    if (i === 0 || accepting[state] !== accepting[order[i - 1]!]) {
      first.push(i);
      end.push(i);
      marked.push(0);
    }
    block[state] = first.length - 1;
    end[block[state]!] = i + 1;
  });
  const waiting = first.map((_, b) => b), isWaiting = waiting.map(() => true);
  while (waiting.length > 0) {
    const splitter = waiting.pop()!;
    isWaiting[splitter] = false;
    const members = order.slice(first[splitter], end[splitter]);
    for (let c = 0; c < width; c++) {
      const touched: number[] = [];
      for (const member of members) {
        for (let i = before.from[member * width + c]!; i < before.from[member * width + c + 1]!; i++) {
          const state = before.list[i]!, own = block[state]!;
          const to = first[own]! + marked[own]!;
          if (place[state]! < to) continue; // Marked already.
          if (marked[own] === 0) touched.push(own);
          swap(order, place, place[state]!, to);
          marked[own]!++;
        }
      }
      for (const own of touched) {
        const middle = first[own]! + marked[own]!;
        marked[own] = 0;
        if (middle === end[own]) continue;
        // The smaller part becomes a block of its own.
        const isFront = middle - first[own]! <= end[own]! - middle;
        const made = first.length;
        first.push(isFront ? first[own]! : middle);
        end.push(isFront ? middle : end[own]!);
        marked.push(0);
        if (isFront) first[own] = middle;
        else end[own] = middle;
        for (let i = first[made]!; i < end[made]!; i++) block[order[i]!] = made;
        waiting.push(made);
        isWaiting.push(true);
      }
    }
  }
  return block.map((b) => order[first[b]!]!);
}

/** An automaton with a state for each block that is kept, and one class for classes that lead everywhere to the same block. */
interface Quotient extends Transitions {
  /** `[width of the automaton]`: the class of each of its classes that was given, and -1 for others. */
  readonly merged: Int32Array;
}

/**
 * The quotient of an automaton by the blocks that {@link refine} found.
 *
 * @param blocks `[states]`: the block of each state
 * @param kept a state for each block, in the order of the new states
 * @param columns the classes to keep, in the order of the new ones
 */
export function quotient(
  { states, width, next, accepting }: Transitions,
  blocks: Int32Array,
  kept: readonly number[],
  columns: Iterable<number>,
): Quotient {
  const numbers = new Int32Array(states).fill(-1);
  kept.forEach((state, number) => numbers[blocks[state]!] = number);
  const after = (state: number, c: number) => numbers[blocks[next[state * width + c]!]!]!;
  const seen = new Map<string, number>(), chosen: number[] = [];
  const merged = new Int32Array(width).fill(-1);
  for (const c of columns) {
    const key = kept.map((state) => after(state, c)).join();
    let own = seen.get(key);
    if (own === undefined) {
      seen.set(key, own = chosen.length);
      chosen.push(c);
    }
    merged[c] = own;
  }
  return {
    states: kept.length,
    width: chosen.length,
    next: Int32Array.from(kept.flatMap((state) => chosen.map((c) => after(state, c)))),
    accepting: Uint8Array.from(kept, (state) => accepting[state]!),
    merged,
  };
}

function swap(order: Int32Array, place: Int32Array, a: number, b: number): void {
  const x = order[a]!, y = order[b]!;
  order[a] = y;
  order[b] = x;
  place[y] = a;
  place[x] = b;
}

/** For each state and class, the states that lead there: `list[from[state * width + class] .. from[... + 1])`. */
function predecessors(
  states: number,
  width: number,
  next: Int32Array,
): { readonly from: Int32Array; readonly list: Int32Array } {
  const from = new Int32Array(states * width + 1);
  for (let i = 0; i < next.length; i++) from[next[i]! * width + i % width + 1]!++;
  for (let i = 1; i < from.length; i++) from[i]! += from[i - 1]!;
  const at = from.slice(), list = new Int32Array(next.length);
  for (let i = 0; i < next.length; i++) list[at[next[i]! * width + i % width]!++] = Math.floor(i / width);
  return { from, list };
}

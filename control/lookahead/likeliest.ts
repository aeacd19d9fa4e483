/** The `count` of these tokens that have the largest logits, in ascending order of their ids; ties go to smaller ids. */
export function likeliest(logits: ArrayLike<number>, tokens: readonly number[], count: number): number[] {
  if (tokens.length <= count) return [...tokens];
  // A heap whose first token is the least likely one that is kept.
  const heap: number[] = [];
  const isWorse = (a: number, b: number) => {
    const difference = logits[a]! - logits[b]!;
    return difference === 0 ? a > b : difference < 0;
  };
  const sink = (from: number) => {
    for (let at = from;;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < heap.length && isWorse(heap[child]!, heap[least]!)) least = child;
      }
      if (least === at) return;
      [heap[at], heap[least]] = [heap[least]!, heap[at]!];
      at = least;
    }
  };
  for (const token of tokens) {
    if (heap.length < count) {
      heap.push(token);
      if (heap.length === count) { for (let i = count >> 1; i >= 0; i--) sink(i); }
    } else if (isWorse(heap[0]!, token)) {
      heap[0] = token;
      sink(0);
    }
  }
  return heap.sort((a, b) => a - b);
}

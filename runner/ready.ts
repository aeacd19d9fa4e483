/** First in, first out, each operation in constant time on average. */
class Queue<T> {
  #items: T[] = [];
  #head = 0;

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    if (this.#head === this.#items.length) return undefined;
    const item = this.#items[this.#head++]!;
    if (this.#head > 1000 && 2 * this.#head > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  get first(): T | undefined {
    return this.#items[this.#head];
  }

  get size(): number {
    return this.#items.length - this.#head;
  }
}

/**
 * Queues of nodes that wait only for a place in the pool, by the lane in which they wait. A node whose
 * key is already being computed is put aside until that computation ends. Every operation takes constant time, so
 * the cost per node does not depend on the size of a sweep.
 */
export class ReadyNodes<T> {
  readonly #laneOf: (node: T) => string;
  readonly #lanes = new Map<string, Queue<{ readonly node: T; readonly turn: number }>>();
  #turn = 0;
  readonly #aside = new Map<string, Queue<T>>();
  #round = 0;

  constructor(laneOf: (node: T) => string) {
    this.#laneOf = laneOf;
  }

  /** How many nodes could be taken. */
  get size(): number {
    let size = 0;
    for (const queue of this.#lanes.values()) size += queue.size;
    return size;
  }

  /** The lanes in which nodes wait, that of the oldest node first. */
  get waiting(): string[] {
    const lanes: { lane: string; turn: number }[] = [];
    for (const [lane, queue] of this.#lanes) {
      if (queue.size > 0) lanes.push({ lane, turn: queue.first!.turn });
    }
    return lanes.sort((a, b) => a.turn - b.turn).map(({ lane }) => lane);
  }

  /** Changes whenever the queues are cleared: a node taken earlier may no longer be ready, or be queued again. */
  get round(): number {
    return this.#round;
  }

  add(node: T): void {
    const lane = this.#laneOf(node);
    let queue = this.#lanes.get(lane);
    if (queue === undefined) this.#lanes.set(lane, queue = new Queue());
    queue.push({ node, turn: this.#turn++ });
  }

  /** The node that has waited longest in a lane. */
  take(lane: string): T | undefined {
    return this.#lanes.get(lane)?.shift()?.node;
  }

  /** Puts a node aside until `release` of that key. */
  putAside(key: string, node: T): void {
    let nodes = this.#aside.get(key);
    if (nodes === undefined) this.#aside.set(key, nodes = new Queue());
    nodes.push(node);
  }

  /** Requeues nodes that were put aside for a key, the earliest first, at most `most`. */
  release(key: string, most = Infinity): void {
    const nodes = this.#aside.get(key);
    while (most-- > 0 && nodes !== undefined && nodes.size > 0) this.add(nodes.shift()!);
    if (nodes?.size === 0) this.#aside.delete(key);
  }

  /** Clears the queues. */
  clear(): void {
    this.#lanes.clear();
    this.#aside.clear();
    this.#round++;
  }
}

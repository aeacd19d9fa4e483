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

  get size(): number {
    return this.#items.length - this.#head;
  }
}

/**
 * Queues of nodes that wait only for a free lane: one for the engine's lane and one for the others. A node whose
 * key is already being computed is put aside until that computation ends. Every operation takes constant time, so
 * the cost per node does not depend on the size of a sweep.
 */
export class ReadyNodes<T> {
  readonly #usesEngine: (node: T) => boolean;
  #engine = new Queue<T>();
  #others = new Queue<T>();
  readonly #aside = new Map<string, Queue<T>>();
  #round = 0;

  constructor(usesEngine: (node: T) => boolean) {
    this.#usesEngine = usesEngine;
  }

  /** How many nodes could be taken. */
  get size(): number {
    return this.#engine.size + this.#others.size;
  }

  /** Whether a node waits for the engine's lane, or for another one. */
  waiting(engine: boolean): boolean {
    return (engine ? this.#engine : this.#others).size > 0;
  }

  /** Changes whenever the queues are cleared: a node taken earlier may no longer be ready, or be queued again. */
  get round(): number {
    return this.#round;
  }

  add(node: T): void {
    (this.#usesEngine(node) ? this.#engine : this.#others).push(node);
  }

  /** The node that has waited longest for a lane. */
  take(engine: boolean): T | undefined {
    return (engine ? this.#engine : this.#others).shift();
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
    this.#engine = new Queue();
    this.#others = new Queue();
    this.#aside.clear();
    this.#round++;
  }
}

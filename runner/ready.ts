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
 * Nodes that wait for nothing but a lane, first come first served: those that use the engine's lane, and the
 * others. A node whose equal is at work waits aside until that one has ended. No operation looks through the
 * others, so that a sweep costs as much a node whatever its size.
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

  /** Changes whenever all nodes are forgotten: a node taken before may no longer be ready, or be here again. */
  get round(): number {
    return this.#round;
  }

  add(node: T): void {
    (this.#usesEngine(node) ? this.#engine : this.#others).push(node);
  }

  /** The node of a lane that has waited longest. */
  take(engine: boolean): T | undefined {
    return (engine ? this.#engine : this.#others).shift();
  }

  /** Puts a node aside until `release` of that key. */
  putAside(key: string, node: T): void {
    let nodes = this.#aside.get(key);
    if (nodes === undefined) this.#aside.set(key, nodes = new Queue());
    nodes.push(node);
  }

  /** Lets nodes that were put aside for a key be taken again, those that came first if not all. */
  release(key: string, most = Infinity): void {
    const nodes = this.#aside.get(key);
    while (most-- > 0 && nodes !== undefined && nodes.size > 0) this.add(nodes.shift()!);
    if (nodes?.size === 0) this.#aside.delete(key);
  }

  /** Forgets all nodes. */
  clear(): void {
    this.#engine = new Queue();
    this.#others = new Queue();
    this.#aside.clear();
    this.#round++;
  }
}

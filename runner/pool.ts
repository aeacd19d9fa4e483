/** What a pool has. */
export interface Capacity {
  readonly cores: number;
  /** Bytes. */
  readonly memory: number;
  readonly gpus: number;
}

/** What a node takes of a pool while it runs. */
export interface Demand extends Capacity {
  /** Whether it takes the one lane of the engine instead of one of the others. */
  readonly engine: boolean;
}

/** How often younger nodes may begin before the oldest one, which needs more than is free, by lanes. */
const OVERTAKES = 4;

/**
 * What runs beside what: lanes of the executor, cores, memory and graphics cards. Nodes that take the same share a lane of
 * the queue, so that choosing the next one looks at few lanes, however many nodes wait.
 */
export class Pool<T> {
  readonly #demands = new Map<string, Demand>();
  #free: Capacity;
  #lanes: number;
  #engineFree = true;
  #overtaken = 0;

  /**
   * @param lanes how many nodes run at once besides the engine's.
   * @param demandOf what a node takes; more than there is counts as all there is.
   */
  constructor(
    readonly capacity: Capacity,
    private readonly lanes: number,
    private readonly demandOf: (node: T) => Demand,
  ) {
    this.#free = capacity;
    this.#lanes = lanes;
  }

  /** The lane of the queue in which a node waits. */
  readonly laneOf = (node: T): string => {
    const wanted = this.demandOf(node);
    const { engine } = wanted;
    const [cores, memory, gpus] = (["cores", "memory", "gpus"] as const).map((of) =>
      Math.min(wanted[of], this.capacity[of])
    );
    const lane = `${engine} ${cores} ${memory} ${gpus}`;
    if (!this.#demands.has(lane)) {
      this.#demands.set(lane, { engine, cores: cores!, memory: memory!, gpus: gpus! });
    }
    return lane;
  };

  /**
   * The lane from which a node may begin now.
   *
   * @param waiting lanes in which nodes wait, that of the oldest node first.
   */
  next(waiting: readonly string[]): string | undefined {
    let short = false;
    for (const lane of waiting) {
      const demand = this.#demands.get(lane)!;
      if (demand.engine ? !this.#engineFree : this.#lanes === 0) continue;
      if (fits(demand, this.#free)) {
        this.#overtaken = short ? this.#overtaken + 1 : 0;
        return lane;
      }
      // Small nodes must not keep a large one from ever beginning.
      if (!short && this.#overtaken >= OVERTAKES * this.lanes) return undefined;
      short = true;
    }
    return undefined;
  }

  /** Takes what nodes of a lane need. */
  take(lane: string): void {
    this.#change(lane, -1);
  }

  /** Gives it back. */
  give(lane: string): void {
    this.#change(lane, 1);
  }

  #change(lane: string, by: 1 | -1): void {
    const { engine, cores, memory, gpus } = this.#demands.get(lane)!;
    if (engine) this.#engineFree = by > 0;
    else this.#lanes += by;
    const free = this.#free;
    this.#free = {
      cores: free.cores + by * cores,
      memory: free.memory + by * memory,
      gpus: free.gpus + by * gpus,
    };
  }
}

function fits(demand: Capacity, free: Capacity): boolean {
  // Fractions of cores add up to a little more or less than they are.
  return demand.cores <= free.cores + 1e-9 && demand.memory <= free.memory && demand.gpus <= free.gpus;
}

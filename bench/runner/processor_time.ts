/** Milliseconds between looks at the processes. */
const LOOKS = 100;
/** Ticks of the kernel's clock in a second, the same on all Linux systems that people use. */
const TICKS = 100;

/** What the kernel says of a process. */
interface ProcessTimes {
  readonly parent: number;
  /** Seconds on the processor, of the user and of the system, with those of children that ended. */
  readonly seconds: number;
}

/**
 * Seconds on the processor of some processes and all that they start, as they grow: Linux alone tells that of processes which still
 * run.
 */
export class ProcessorTime implements Disposable {
  readonly #roots: readonly number[];
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #looks: { readonly time: number; readonly seconds: number }[] = [];

  /** @param roots their numbers */
  constructor(roots: readonly number[]) {
    this.#roots = roots;
    this.#look();
    this.#timer = setInterval(() => this.#look(), LOOKS);
  }

  /** Seconds on the processor until a time in milliseconds since 1970; until now without one. */
  until(time = Infinity): number {
    if (time === Infinity) this.#look();
    const after = this.#looks.findIndex((look) => look.time >= time);
    if (after < 0) return this.#looks.at(-1)!.seconds;
    const b = this.#looks[after]!, a = this.#looks[after - 1] ?? b;
    return b.time === a.time
      ? b.seconds
      : a.seconds + (b.seconds - a.seconds) * (time - a.time) / (b.time - a.time);
  }

  /** Looks no more. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const all = processTimes(), own = new Set(this.#roots);
    // Children have higher numbers, unless these begin anew: then another round finds them.
    for (let size = 0; size < own.size;) {
      size = own.size;
      for (const [id, { parent }] of all) if (own.has(parent)) own.add(id);
    }
    const seconds = own.values().reduce((sum, id) => sum + (all.get(id)?.seconds ?? 0), 0);
    // One that ends between two reads is missing in both.
    this.#looks.push({ time: Date.now(), seconds: Math.max(seconds, this.#looks.at(-1)?.seconds ?? 0) });
  }
}

function processTimes(): Map<number, ProcessTimes> {
  const all = new Map<number, ProcessTimes>();
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    let stat;
    try {
      stat = Deno.readTextFileSync(`/proc/${name}/stat`);
    } catch {
      continue; // It has ended.
    }
    // Behind the name, which may hold anything: state, parent, …; the 14th to 17th number of the line are times.
    const numbers = stat.slice(stat.lastIndexOf(")") + 2).split(" ").map(Number);
    all.set(Number(name), {
      parent: numbers[1]!,
      seconds: numbers.slice(11, 15).reduce((sum, ticks) => sum + ticks, 0) / TICKS,
    });
  }
  return all;
}

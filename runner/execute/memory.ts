/** Milliseconds between two looks. */
const LOOK = 1000;

/** What a program prints, or undefined where it cannot be run or fails. */
async function printed(program: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { stdout } = await new Deno.Command(program, { args: [...args], stdin: "null", stderr: "null" })
      .output();
    return new TextDecoder().decode(stdout);
  } catch {
    return undefined;
  }
}

/**
 * Bytes that a process and all that it started hold in memory.
 *
 * @param listing lines of `pid parent kilobytes`, as `ps` prints them.
 */
export function memoryOf(pid: number, listing: string): number {
  const children = new Map<number, number[]>();
  const sizes = new Map<number, number>();
  for (const line of listing.split("\n")) {
    const [id, parent, kilobytes] = line.trim().split(/\s+/).map(Number);
    if (kilobytes === undefined || !Number.isFinite(kilobytes)) continue;
    sizes.set(id!, kilobytes);
    children.set(parent!, [...children.get(parent!) ?? [], id!]);
  }
  let total = 0;
  const stack = [pid];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    total += 1024 * (sizes.get(next) ?? 0);
    stack.push(...children.get(next) ?? []);
  }
  return total;
}

/**
 * Looks every second how much memory a process and the programs that it started take. Asks `ps`: a stage that computes
 * without a pause could not tell by itself.
 */
export class MemoryWatch implements Disposable {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #ended = false;
  /** Most bytes that were seen; 0 before the first look. */
  most = 0;

  /**
   * @param over called once when it is more than `limit` bytes.
   * @param blind called once when nothing can be seen: the limit then only counts for what runs beside what.
   */
  constructor(pid: number, limit: number, over: (bytes: number) => void, blind: () => void) {
    const look = async () => {
      const listing = await printed("ps", ["-A", "-o", "pid=,ppid=,rss="]);
      if (this.#ended) return;
      if (listing === undefined) return blind();
      const bytes = memoryOf(pid, listing);
      this.most = Math.max(this.most, bytes);
      if (bytes > limit) return over(bytes);
      this.#timer = setTimeout(look, LOOK);
    };
    this.#timer = setTimeout(look, LOOK);
  }

  [Symbol.dispose](): void {
    this.#ended = true;
    clearTimeout(this.#timer);
  }
}

/** How many processes the kernel has ended for want of memory, as its counters say. */
export function killsIn(counters: string): number {
  return [...counters.matchAll(/^oom_kill (\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
}

/** Tells processes that the kernel ended for want of memory from those that somebody else ended. Linux only. */
export class MemoryKills {
  #before: Promise<number>;

  constructor() {
    this.#before = this.#count();
  }

  async #count(): Promise<number> {
    if (Deno.build.os !== "linux") return 0;
    // By a program: Deno opens these files only to those who may do everything.
    return killsIn(await printed("cat", ["/sys/fs/cgroup/memory.events", "/proc/vmstat"]) ?? "");
  }

  /** Whether there were more since the last time, or since the beginning. */
  async more(): Promise<boolean> {
    const before = await this.#before;
    this.#before = this.#count();
    return await this.#before > before;
  }
}

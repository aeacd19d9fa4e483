/** Control groups of Linux, of either version, that bound the memory of all processes in them together. */
import { needs } from "./needs.ts";

const FIRST = "/sys/fs/cgroup/memory", SECOND = "/sys/fs/cgroup";

/** Options of a test that needs one. */
export function inMemoryGroup(): { readonly ignore: boolean } {
  return needs("cgroup", isThere());
}

function isThere(): boolean {
  try {
    using _group = new MemoryGroup(1 << 30);
    return true;
  } catch {
    return false;
  }
}

/** A group, until it is disposed of; all of its processes must have ended then. */
export class MemoryGroup implements Disposable {
  readonly #folder: string;

  /** @param bytes that its processes may hold together. */
  constructor(bytes: number) {
    const isFirst = hasFile(`${FIRST}/memory.limit_in_bytes`);
    this.#folder = `${isFirst ? FIRST : SECOND}/retort-${crypto.randomUUID().slice(0, 8)}`;
    if (!isFirst) Deno.writeTextFileSync(`${SECOND}/cgroup.subtree_control`, "+memory");
    Deno.mkdirSync(this.#folder);
    try {
      Deno.writeTextFileSync(`${this.#folder}/memory.${isFirst ? "limit_in_bytes" : "max"}`, String(bytes));
      if (!isFirst) Deno.writeTextFileSync(`${this.#folder}/memory.swap.max`, "0");
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** A program and its arguments that start another one in the group. */
  within(program: string, args: readonly string[]): [program: string, args: string[]] {
    return ["sh", ["-c", `echo $$ >'${this.#folder}/cgroup.procs' && exec "$0" "$@"`, program, ...args]];
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#folder);
  }
}

function hasFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

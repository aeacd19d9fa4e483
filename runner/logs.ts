import { guardedSync } from "../foundation/faults.ts";

/** The log of one node's execution. */
export interface NodeLog extends Disposable {
  readonly path: string;
  /** The path from the store's folder. */
  readonly relative: string;
  write(text: string): void;
}

/** Log files of a run's nodes. */
export class NodeLogs implements Disposable {
  readonly #folder: string;
  readonly #open = new Set<Deno.FsFile>();
  #made = false;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Opens the log of an attempt at a node for appending; lines get the time since the opening. Dispose of it when the node has ended:
   * a process may have few files open at a time.
   */
  open(index: number, node: string, attempt = 1): NodeLog {
    if (!this.#made) {
      guardedSync("making", this.#folder, () => Deno.mkdirSync(this.#folder, { recursive: true }));
      this.#made = true;
    }
    const name = `${String(index).padStart(4, "0")}-${fileNameOf(node)}${
      attempt > 1 ? `.${attempt}` : ""
    }.log`;
    const path = `${this.#folder}/${name}`;
    const file = guardedSync("writing", path, () => Deno.openSync(path, { append: true, create: true }));
    this.#open.add(file);
    const began = performance.now();
    const write = (text: string) => {
      const time = ((performance.now() - began) / 1000).toFixed(3).padStart(9);
      const bytes = new TextEncoder().encode(text.split("\n").map((line) => `${time}  ${line}\n`).join(""));
      try {
        for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
      } catch {
        // A full disk must not end the run because of a log line; writing artifacts will report it.
        // A stage that was left behind may still log after the end of its node.
      }
    };
    const close = () => {
      if (this.#open.delete(file)) file.close();
    };
    return {
      path,
      relative: `runs/${this.#folder.split("/").at(-1)}/${name}`,
      write,
      [Symbol.dispose]: close,
    };
  }

  [Symbol.dispose](): void {
    for (const file of this.#open) file.close();
    this.#open.clear();
  }
}

/** A node's name as a file name: safe on every system, at most 120 characters. */
export function fileNameOf(node: string): string {
  const encoded = encodeURIComponent(node).replaceAll(/[*'()!~]/g, "_").replace(/^\.+/, "_");
  return encoded.length <= 120 ? encoded : `${encoded.slice(0, 100)}-${encoded.length}`;
}

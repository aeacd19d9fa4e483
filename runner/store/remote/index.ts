import type { Digest } from "../../../foundation/canonical.ts";
import { codeOf } from "../../../foundation/errors.ts";
import { recordPath } from "./layout.ts";
import { AT_ONCE, eachAtOnce, type Remote } from "./remote.ts";

/** So many questions are asked one by one; then everything is listed, once. */
const ONE_BY_ONE = 8;

/** Which results a remote has: few questions are asked of it directly, many of a list that is got once. */
export class ResultIndex {
  #asked = 0;
  #listed: Promise<ReadonlySet<string> | undefined> | undefined;

  constructor(readonly remote: Remote) {}

  /** False where the remote does not have the result of a key; true where it has, or where asking for it tells. */
  async may(key: Digest): Promise<boolean> {
    if (!this.remote.writable || ++this.#asked <= ONE_BY_ONE) return true;
    const listed = await (this.#listed ??= this.#list());
    return listed === undefined || listed.has(recordPath(key));
  }

  async #list(): Promise<ReadonlySet<string> | undefined> {
    const found = new Set<string>();
    const digits = "0123456789abcdef".split("");
    try {
      await eachAtOnce(digits, AT_ONCE, async (digit) => {
        for await (const { path } of this.remote.list(`results/${digit}`)) found.add(path);
      });
      return found;
    } catch (error) {
      if (codeOf(error) !== "remote/refused") throw error;
      return undefined; // Who may read need not be allowed to list.
    }
  }
}

import type { Digest, JsonObject } from "../../foundation/canonical.ts";
import { isDigest } from "../../foundation/canonical.ts";
import { fileIdentity } from "../../foundation/file_digest.ts";
import { turns } from "../../foundation/turns.ts";
import { listFolder } from "./blobs.ts";

/** File systems tell the time of a change in steps: a folder that changed so shortly before is read again. */
const STEP = 1000;

interface Entry {
  readonly identity: string | undefined;
  readonly digests: readonly Digest[];
}

/**
 * Which objects the results of a store refer to, so that none goes with a dropped output that another result holds too.
 * Read from the results themselves: records may be lost, or not yet written.
 */
export class ObjectUses {
  readonly #folder: string;
  /** When each folder of results was last changed, as far as it was read. */
  readonly #read = new Map<string, number>();
  readonly #entries = new Map<string, Entry>();
  readonly #counts = new Map<Digest, number>();

  constructor(store: { readonly root: string }) {
    this.#folder = `${store.root}/results`;
  }

  /** Reads what has changed since the last time. */
  async refresh(): Promise<void> {
    const turn = turns();
    for (const digits of listFolder(this.#folder)) {
      const folder = `${this.#folder}/${digits}`;
      const changed = Deno.statSync(folder).mtime?.getTime() ?? Date.now();
      if ((this.#read.get(digits) ?? -1) === changed) continue;
      const now = Date.now();
      const there = new Set<string>();
      for (const name of listFolder(folder)) {
        await turn();
        const path = `${folder}/${name}`;
        there.add(path);
        const identity = fileIdentity(path);
        if (identity !== undefined && this.#entries.get(path)?.identity === identity) continue;
        this.#put(path, { identity, digests: digestsIn(path) });
      }
      for (const path of this.#entries.keys()) {
        if (path.startsWith(`${folder}/`) && !there.has(path)) this.#put(path, undefined);
      }
      if (now - changed > STEP) this.#read.set(digits, changed);
    }
  }

  /** Reads one result again. */
  reread(key: Digest): void {
    const path = `${this.#folder}/${key.slice(0, 2)}/${key}.json`;
    const identity = fileIdentity(path);
    this.#put(path, identity === undefined ? undefined : { identity, digests: digestsIn(path) });
  }

  /** Whether a result refers to an object in an output that is not dropped. */
  has(digest: Digest): boolean {
    return (this.#counts.get(digest) ?? 0) > 0;
  }

  #put(path: string, entry: Entry | undefined): void {
    const count = (digest: Digest, by: number) =>
      this.#counts.set(digest, (this.#counts.get(digest) ?? 0) + by);
    for (const digest of this.#entries.get(path)?.digests ?? []) count(digest, -1);
    for (const digest of entry?.digests ?? []) count(digest, 1);
    if (entry === undefined) this.#entries.delete(path);
    else this.#entries.set(path, entry);
  }
}

/** The objects of the outputs of a result that are not dropped; of a damaged one, as far as it can be read. */
function digestsIn(path: string): Digest[] {
  try {
    const { body } = JSON.parse(Deno.readTextFileSync(path)) as { body: JsonObject };
    const { outputs, dropped } = body as {
      outputs: Record<string, { files: { digest: unknown }[] }>;
      dropped?: object;
    };
    return Object.entries(outputs).filter(([name]) => !Object.hasOwn(dropped ?? {}, name))
      .flatMap(([, { files }]) => files.map(({ digest }) => digest)).filter(isDigest);
  } catch {
    return []; // It is no result any more.
  }
}

import { existsSync } from "node:fs";
import { dirname } from "node:path";
import type { Digest } from "../../foundation/canonical.ts";
import { messageOf } from "../../foundation/errors.ts";
import { removeQuietly } from "../../foundation/atomic.ts";
import type { Store } from "../store/store.ts";
import { configOf, localUrl, type StoredCode, type StoredFile } from "../stored_code.ts";
import type { Job } from "./job.ts";

/** How much code of other runs a worker keeps at hand. */
const KEPT = 4;

/** Code that lies on this machine. */
interface Unpacked {
  /** The folder of all of it. */
  readonly folder: string;
  /** The folder of its modules. */
  readonly files: string;
  readonly config: string;
}

/** Code of a store in a temporary folder of this machine, as long as it is not disposed of. */
export class LocalCode implements Disposable {
  readonly #store: Store;
  readonly #left: (config: string) => void;
  /** By digest, most recently used last. */
  readonly #unpacked = new Map<Digest, Unpacked>();
  #folder: string | undefined;

  /** @param left gets the path of the `deno.json` of code that is here no more. */
  constructor(store: Store, left: (config: string) => void) {
    this.#store = store;
    this.#left = left;
  }

  /**
   * A job whose module and project are those that the store keeps; where it names none, or they cannot be had, those of the project's
   * folder, and then it names none.
   *
   * @param tell gets where its code comes from.
   */
  async placed(job: Job, tell: (text: string) => void): Promise<Job> {
    const { code, ...rest } = job;
    let why = "";
    if (code !== undefined) {
      try {
        const { files, config } = await this.#have(code.stored);
        tell("the code is that of the store");
        return { ...job, module: localUrl(code.module, files), config };
      } catch (error) {
        why = `; that of the store cannot be used: ${messageOf(error)}`;
      }
    }
    tell(`the code is that of the project's folder${why}`);
    return rest;
  }

  async #have(stored: StoredFile): Promise<Unpacked> {
    const known = this.#unpacked.get(stored.digest);
    // Others may have emptied the folder of temporary files.
    const found = known !== undefined && existsSync(known.config) ? known : await this.#unpack(stored);
    this.#unpacked.delete(stored.digest);
    this.#unpacked.set(stored.digest, found);
    const [oldest, { folder, config }] = this.#unpacked.entries().next().value!;
    if (this.#unpacked.size > KEPT) {
      this.#unpacked.delete(oldest);
      this.#left(config);
      removeQuietly(folder);
    }
    return found;
  }

  async #unpack(stored: StoredFile): Promise<Unpacked> {
    if (this.#folder === undefined || !existsSync(this.#folder)) {
      this.#folder = await Deno.makeTempDir({ prefix: "retort-code-" });
    }
    const folder = `${this.#folder}/${stored.digest.slice(0, 16)}`, files = `${folder}/files`;
    const write = async (path: string, file: StoredFile) => {
      await Deno.mkdir(dirname(path), { recursive: true });
      await Deno.writeFile(path, await this.#bytes(file));
    };
    const code: StoredCode = JSON.parse(new TextDecoder().decode(await this.#bytes(stored)));
    for (const [path, file] of Object.entries(code.files)) await write(`${files}/${path}`, file);
    const config = `${folder}/deno.json`, lock = `${folder}/deno.lock`;
    await write(lock, code.lock);
    await Deno.writeTextFile(config, JSON.stringify(configOf(code, files, lock)));
    return { folder, files, config };
  }

  async #bytes({ digest, size }: StoredFile): Promise<Uint8Array> {
    return await this.#store.blobs.bytes(digest, size);
  }

  [Symbol.dispose](): void {
    if (this.#folder !== undefined) removeQuietly(this.#folder);
  }
}

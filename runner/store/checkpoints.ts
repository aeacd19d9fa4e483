import type { Digest } from "../../foundation/canonical.ts";
import type { AnyCodec } from "../codec.ts";
import { DamagedError } from "../errors.ts";
import { artifactFromJson, artifactJson, artifactReader, writeArtifact } from "./artifacts.ts";
import { removeQuietly } from "../../foundation/atomic.ts";
import { readSealed, writeSealed } from "./sealed.ts";
import { Blobs } from "./blobs.ts";
import { guardedSync } from "../../foundation/faults.ts";
import type { Store } from "./store.ts";

/** Format of a checkpoint's record. */
const FORMAT = 1;

/**
 * The checkpoint of one key: the last state that a stage saved, with its digests. Removed when the stage
 * completes; a damaged one is set aside and the stage starts over.
 */
export class CheckpointFolder {
  readonly #folder: string;
  readonly #blobs: Blobs;
  readonly #store: Store;

  constructor(store: Store, key: Digest, readonly codec: AnyCodec) {
    this.#store = store;
    this.#folder = `${store.root}/checkpoints/${key}`;
    this.#blobs = new Blobs(`${this.#folder}/objects`, store.tmp, `${store.root}/damaged`);
  }

  /**
   * The last saved state, or undefined when there is none of this codec.
   *
   * @param onDamage told when a checkpoint could not be used.
   */
  async load(onDamage: (why: string) => void = () => {}): Promise<unknown> {
    const sealed = readSealed(`${this.#folder}/current.json`, FORMAT);
    if (sealed.state === "missing") return undefined;
    const artifact = sealed.state === "ok" ? artifactFromJson(sealed.body) : undefined;
    if (artifact === undefined) {
      onDamage(
        sealed.state === "unknown"
          ? `its record is of another version: ${sealed.why}`
          : "its record is damaged",
      );
      this.drop();
      return undefined;
    }
    if (artifact.codec !== this.codec.name || artifact.version !== this.codec.version) return undefined;
    try {
      return await this.codec.read(artifactReader(this.#blobs, artifact));
    } catch (error) {
      if (!(error instanceof DamagedError)) throw error;
      onDamage(error.message);
      this.drop();
      return undefined;
    }
  }

  /** Replaces the state; the old one is kept until the new one is complete. */
  async save(state: unknown): Promise<void> {
    guardedSync("writing", this.#folder, () => Deno.mkdirSync(this.#folder, { recursive: true }));
    const artifact = await writeArtifact(this.#blobs, this.codec, state, "the checkpoint");
    writeSealed(this.#store.tmp, `${this.#folder}/current.json`, FORMAT, artifactJson(artifact));
    const kept = new Set(artifact.files.map((file) => file.digest));
    for (const { digest } of [...this.#blobs.list()]) {
      if (!kept.has(digest)) removeQuietly(this.#blobs.path(digest));
    }
  }

  /** Forgets the checkpoint. */
  drop(): void {
    removeQuietly(this.#folder);
  }
}

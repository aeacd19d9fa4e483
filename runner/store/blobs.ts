import { createHash } from "node:crypto";
import type { Digest } from "../../foundation/canonical.ts";
import type { ByteSource } from "../codec.ts";
import { DamagedError } from "../errors.ts";
import { ObjectBatch } from "./object_batch.ts";
import { digestFiles, type OnStranger } from "./own.ts";
import { digestFile, fileIdentity } from "../../foundation/file_digest.ts";

/** A folder of objects named by the sha256 of their bytes. */
export class Blobs {
  /** Checked files of this process: path -> identity when it was checked. */
  readonly #checked = new Map<string, string>();
  /** Objects that were found damaged when read, by digest. */
  readonly damage = new Map<Digest, DamagedError>();

  /**
   * @param folder where the objects lie, in 256 sub-folders
   * @param tmp for unfinished files; on the same file system
   * @param damaged where damaged objects are set aside
   */
  constructor(readonly folder: string, readonly tmp: string, readonly damaged: string) {}

  /** Path of the object with a digest, whether or not it exists. */
  path(digest: Digest): string {
    return `${this.folder}/${digest.slice(0, 2)}/${digest.slice(2)}`;
  }

  /** Whether the object exists with that size; its bytes are not read. */
  has(digest: Digest, size: number): boolean {
    try {
      return Deno.statSync(this.path(digest)).size === size;
    } catch {
      return false;
    }
  }

  /**
   * Whether the object exists with correct bytes, which are read once per process. A damaged one is set aside, so
   * that rewriting the same bytes replaces it.
   */
  async sound(digest: Digest, size: number): Promise<boolean> {
    if (!this.has(digest, size)) return false;
    const identity = fileIdentity(this.path(digest));
    return this.#isChecked(digest, identity) || this.#judge(digest, identity, await this.fault(digest, size));
  }

  /** Like `sound`, for small objects: synchronous. */
  soundSmall(digest: Digest, size: number): boolean {
    if (!this.has(digest, size)) return false;
    const identity = fileIdentity(this.path(digest));
    if (this.#isChecked(digest, identity)) return true;
    let found = "";
    try {
      found = createHash("sha256").update(Deno.readFileSync(this.path(digest))).digest("hex");
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    return this.#judge(digest, identity, found === digest ? undefined : "its bytes have changed");
  }

  #isChecked(digest: Digest, identity: string | undefined): boolean {
    return identity !== undefined && this.#checked.get(this.path(digest)) === identity;
  }

  #judge(digest: Digest, identity: string | undefined, fault: string | undefined): boolean {
    if (fault !== undefined) this.setAside(digest);
    else if (identity !== undefined) this.#checked.set(this.path(digest), identity);
    return fault === undefined;
  }

  /** A batch of objects to be stored together; dispose of it. See `ObjectBatch`. */
  batch(): ObjectBatch {
    return new ObjectBatch(this);
  }

  /** Stores bytes as one object: see `ObjectBatch.write`. */
  async write(source: ByteSource): Promise<{ digest: Digest; size: number }> {
    await using batch = this.batch();
    const written = await batch.write(source);
    await batch.done();
    return written;
  }

  /** Takes over a finished file as one object: see `ObjectBatch.adopt`. */
  async adopt(path: string): Promise<{ digest: Digest; size: number }> {
    await using batch = this.batch();
    const written = await batch.adopt(path);
    await batch.done();
    return written;
  }

  /** Moves a synced file from the folder of unfinished ones to the place of its digest. */
  place(temp: string, digest: Digest, size: number): void {
    const path = this.path(digest);
    if (this.has(digest, size)) return Deno.removeSync(temp);
    Deno.chmodSync(temp, 0o444);
    try {
      Deno.renameSync(temp, path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      Deno.renameSync(temp, path);
    }
  }

  /**
   * The path of an object whose bytes have been checked in this process.
   *
   * @throws DamagedError when it is missing or damaged; a damaged object has been set aside.
   */
  async checkedPath(digest: Digest, size: number): Promise<string> {
    const path = this.path(digest);
    const identity = fileIdentity(path);
    if (this.#isChecked(digest, identity)) return path;
    const fault = await this.fault(digest, size);
    if (fault !== undefined) throw this.#damage(digest, fault);
    if (identity !== undefined) this.#checked.set(path, identity);
    return path;
  }

  /**
   * The checked bytes of an object.
   *
   * @throws DamagedError as `checkedPath`.
   */
  async bytes(digest: Digest, size: number): Promise<Uint8Array<ArrayBuffer>> {
    let bytes: Uint8Array<ArrayBuffer>;
    try {
      bytes = await Deno.readFile(this.path(digest));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) throw this.#damage(digest, "it is missing");
      throw error;
    }
    if (bytes.length !== size || createHash("sha256").update(bytes).digest("hex") !== digest) {
      throw this.#damage(digest, "its bytes have changed");
    }
    return bytes;
  }

  /** Reads an object and returns what is wrong with it, or undefined. */
  async fault(digest: Digest, size?: number): Promise<string | undefined> {
    try {
      const found = await digestFile(this.path(digest));
      if (size !== undefined && found.size !== size) return `it has ${found.size} bytes instead of ${size}`;
      return found.digest === digest ? undefined : "its bytes have changed";
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return "it is missing";
      throw error;
    }
  }

  /** Moves a damaged object out of the way; returns whether there was one. */
  setAside(digest: Digest): boolean {
    const path = this.path(digest);
    try {
      Deno.mkdirSync(this.damaged, { recursive: true });
      Deno.renameSync(path, `${this.damaged}/${digest}`);
      return true;
    } catch {
      return false; // Missing already, or a read-only store: it is not used either way.
    } finally {
      this.#checked.delete(path);
    }
  }

  #damage(digest: Digest, why: string): DamagedError {
    const aside = this.setAside(digest);
    const error = new DamagedError(
      "store/damaged",
      `object ${digest.slice(0, 12)} of the store is damaged: ${why}` +
        (aside ? ` (set aside as ${this.damaged}/${digest})` : ""),
      [digest],
      { hint: "The next run makes it again." },
    );
    this.damage.set(digest, error);
    return error;
  }

  /** Digests and sizes of all objects: real files whose names are digests. */
  *list(onStranger?: OnStranger): Generator<{ digest: Digest; size: number }> {
    for (const { digest, path } of digestFiles(this.folder, "", onStranger)) {
      yield { digest, size: Deno.lstatSync(path).size };
    }
  }
}

/** Names in a folder, sorted; none when it is missing. */
export function listFolder(path: string): string[] {
  try {
    return [...Deno.readDirSync(path)].map((entry) => entry.name).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return [];
    throw error;
  }
}

import { createHash } from "node:crypto";
import type { Digest } from "../canonical.ts";
import type { ByteSource } from "../codec.ts";
import { DamagedError, RetortError } from "../errors.ts";
import { removeQuietly, uniqueName } from "./atomic.ts";
import { guarded } from "./faults.ts";

/** Bytes written or read at a time. */
const CHUNK = 1 << 20;

/** A folder of objects named by the sha256 of their bytes. */
export class Blobs {
  /** Checked files of this process: path -> identity when it was checked. */
  readonly #checked = new Map<string, string>();

  /**
   * @param folder where the objects lie, in 256 sub-folders
   * @param tmp for unfinished files; on the same file system
   * @param damaged where damaged objects are set aside
   */
  constructor(readonly folder: string, readonly tmp: string, readonly damaged: string) {}

  /** Where the object of a digest lies, whether it is there or not. */
  path(digest: Digest): string {
    return `${this.folder}/${digest.slice(0, 2)}/${digest.slice(2)}`;
  }

  /** True when the object is there and has that size; its bytes are not read. */
  has(digest: Digest, size: number): boolean {
    try {
      return Deno.statSync(this.path(digest)).size === size;
    } catch {
      return false;
    }
  }

  /**
   * Stores bytes, hashing while writing; at most 1 MiB is held in memory at a time besides what the source holds.
   *
   * @throws RetortError when the disk is full or the store cannot be written.
   */
  async write(source: ByteSource): Promise<{ digest: Digest; size: number }> {
    const temp = `${this.tmp}/${uniqueName()}`;
    return await guarded("writing", temp, async () => {
      const hash = createHash("sha256");
      let size = 0;
      try {
        using file = await Deno.open(temp, { write: true, createNew: true });
        for await (const chunk of chunksOf(source)) {
          // The write goes on in another thread while this one hashes the same bytes.
          const written = writeAll(file, chunk);
          hash.update(chunk);
          size += chunk.length;
          await written;
        }
        await file.syncData();
      } catch (error) {
        removeQuietly(temp);
        throw error;
      }
      const digest = hash.digest("hex");
      await this.#place(temp, digest, size);
      return { digest, size };
    });
  }

  /** Takes over a finished file: hashes it and moves it in (copies, across file systems). */
  async adopt(path: string): Promise<{ digest: Digest; size: number }> {
    return await guarded("taking over", path, async () => {
      const temp = `${this.tmp}/${uniqueName()}`;
      try {
        await Deno.rename(path, temp);
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) {
          throw new RetortError(`the stage returned a file that is not there: ${path}`, { cause: error });
        }
        using file = await Deno.open(path, { read: true });
        return await this.write(file.readable);
      }
      const { digest, size } = await digestFile(temp);
      using file = await Deno.open(temp, { read: true, write: true });
      await file.syncData();
      await this.#place(temp, digest, size);
      return { digest, size };
    });
  }

  async #place(temp: string, digest: Digest, size: number): Promise<void> {
    const path = this.path(digest);
    if (this.has(digest, size)) {
      await Deno.remove(temp);
      return;
    }
    await Deno.chmod(temp, 0o444);
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.rename(temp, path);
  }

  /**
   * The path of an object whose bytes have been checked in this process.
   *
   * @throws DamagedError when it is missing or damaged; a damaged object has been set aside.
   */
  async checkedPath(digest: Digest, size: number): Promise<string> {
    const path = this.path(digest);
    const identity = fileIdentity(path);
    if (identity !== undefined && this.#checked.get(path) === identity) return path;
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

  /** What is wrong with an object (its bytes are read), or undefined. */
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

  /** Moves a damaged object out of the way; true when there was one. */
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
    return new DamagedError(
      `object ${digest.slice(0, 12)} of the store is damaged: ${why}` +
        (aside ? ` (set aside as ${this.damaged}/${digest})` : ""),
      [digest],
      { hint: "The next run makes it again." },
    );
  }

  /** Digests and sizes of all objects. */
  *list(): Generator<{ digest: Digest; size: number }> {
    for (const folder of listFolder(this.folder)) {
      for (const entry of listFolder(`${this.folder}/${folder}`)) {
        yield { digest: folder + entry, size: Deno.statSync(`${this.folder}/${folder}/${entry}`).size };
      }
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

/** What changes when a file's bytes may have changed: device, inode, size, times. Undefined when it is missing. */
export function fileIdentity(path: string): string | undefined {
  try {
    const stat = Deno.statSync(path);
    return [stat.dev, stat.ino, stat.size, stat.mtime?.getTime(), stat.ctime?.getTime()].join(":");
  } catch {
    return undefined;
  }
}

/** sha256 and size of a file, read in pieces. */
export async function digestFile(path: string): Promise<{ digest: Digest; size: number }> {
  const hash = createHash("sha256");
  using file = await Deno.open(path, { read: true });
  // Two buffers: the next piece is read in another thread while this one hashes.
  const buffers = [new Uint8Array(CHUNK), new Uint8Array(CHUNK)];
  let size = 0;
  let next = file.read(buffers[0]!);
  for (let i = 0;; i++) {
    const read = await next;
    if (read === null) break;
    next = file.read(buffers[(i + 1) % 2]!);
    hash.update(buffers[i % 2]!.subarray(0, read));
    size += read;
  }
  return { digest: hash.digest("hex"), size };
}

async function* chunksOf(source: ByteSource): AsyncGenerator<Uint8Array> {
  if (source instanceof Uint8Array) {
    for (let at = 0; at < source.length; at += CHUNK) yield source.subarray(at, at + CHUNK);
    return;
  }
  for await (const chunk of source) {
    if (!(chunk instanceof Uint8Array)) {
      throw new TypeError(`expected Uint8Array chunks, got ${typeof chunk}`);
    }
    yield* chunksOf(chunk);
  }
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

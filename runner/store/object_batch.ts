import { createHash } from "node:crypto";
import type { Digest } from "../../foundation/canonical.ts";
import type { ByteSource } from "../codec.ts";
import { RetortError } from "../../foundation/errors.ts";
import { removeQuietly, uniqueName, writeFile } from "../../foundation/atomic.ts";
import { guarded, guardedSync } from "../../foundation/faults.ts";
import { digestFile, FILE_CHUNK } from "../../foundation/file_digest.ts";
import { syncFiles, SYNCS } from "./sync.ts";

/** Bytes of an object after which syncing begins while more are being written. */
const SYNC_EVERY = 4 << 20;

/** Objects up to this many bytes are synced together, once all are written. */
const SMALL = 1 << 18;

/** An object that is written but not synced yet. */
interface Written {
  readonly temp: string;
  readonly digest: Digest;
  readonly size: number;
}

/** Where a batch puts its objects: see `Blobs`. */
export interface ObjectFolder {
  /** A folder for unfinished files, on the same file system. */
  readonly tmp: string;
  /** True when the object is there with its bytes. */
  sound(digest: Digest, size: number): Promise<boolean>;
  /** As `sound`, for small objects. */
  soundSmall(digest: Digest, size: number): boolean;
  /** Moves a written file to the object's place. */
  place(temp: string, digest: Digest, size: number): void;
}

/**
 * Objects that are stored together. Syncing bytes takes a disk about as long as hashing them takes a core, so the
 * two run in parallel: `write` returns once the bytes are hashed; await `done` before referring to the objects,
 * after which all are synced and in place. Small objects, whose syncs take longer than writing them, are synced
 * together at the end, by one sync of the file system if there are many.
 */
export class ObjectBatch implements AsyncDisposable {
  readonly #blobs: ObjectFolder;
  readonly #placing = new Set<Promise<void>>();
  readonly #faults: unknown[] = [];
  #small: Written[] = [];

  constructor(blobs: ObjectFolder) {
    this.#blobs = blobs;
  }

  /**
   * Adds an object, hashing while writing; at most 1 MiB is held in memory at a time besides what the
   * source holds.
   *
   * @param wanted digest of an object that comes from elsewhere: other bytes are not kept.
   * @throws RetortError when the disk is full or the store cannot be written.
   */
  async write(source: ByteSource, wanted?: Digest): Promise<{ digest: Digest; size: number }> {
    await this.#slot();
    const temp = `${this.#blobs.tmp}/${uniqueName()}`;
    if (source instanceof Uint8Array && source.length <= SMALL && wanted === undefined) {
      return guardedSync("writing", temp, () => this.#writeSmall(temp, source));
    }
    return await guarded("writing", temp, async () => {
      const hash = createHash("sha256");
      let size = 0;
      const file = Deno.openSync(temp, { write: true, createNew: true });
      const early = new EarlySync(temp);
      try {
        for await (const piece of pieces(source)) {
          // The write goes on in another thread while this one hashes the same bytes.
          const written = writeAll(file, piece);
          hash.update(piece);
          size += piece.length;
          await written;
          early.written(piece.length);
        }
      } catch (error) {
        await early.end().catch(() => {}); // The first error tells more.
        file.close();
        removeQuietly(temp);
        throw error;
      }
      const digest = hash.digest("hex");
      if (digest === (wanted ?? digest)) this.#place(temp, file, early, digest, size);
      else {
        await early.end().catch(() => {}); // What is not kept need not be synced.
        file.close();
        removeQuietly(temp);
      }
      return { digest, size };
    });
  }

  /** As `write`, without a hop to another thread: for small objects that takes longer than the work. */
  #writeSmall(temp: string, bytes: Uint8Array): { digest: Digest; size: number } {
    const digest = createHash("sha256").update(bytes).digest("hex");
    const size = bytes.length;
    // Existing objects were synced before they were moved there.
    if (this.#blobs.soundSmall(digest, size)) return { digest, size };
    writeFile(temp, bytes);
    this.#small.push({ temp, digest, size });
    return { digest, size };
  }

  /** Takes over a finished file: hashes it and moves it in (copies, across file systems). */
  async adopt(path: string): Promise<{ digest: Digest; size: number }> {
    await this.#slot();
    return await guarded("taking over", path, async () => {
      const temp = `${this.#blobs.tmp}/${uniqueName()}`;
      try {
        await Deno.rename(path, temp);
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) {
          throw new RetortError(
            "artifact/missing-file",
            `the stage returned a file that does not exist: ${path}`,
            { cause: error },
          );
        }
        using file = await Deno.open(path, { read: true });
        return await this.write(file.readable);
      }
      const early = new EarlySync(temp);
      if (Deno.statSync(temp).size > SMALL) early.begin();
      const { digest, size } = await digestFile(temp);
      this.#place(temp, Deno.openSync(temp, { read: true, write: true }), early, digest, size);
      return { digest, size };
    });
  }

  /**
   * Waits until every object is synced and in its place.
   *
   * @throws RetortError when one of them could not be.
   */
  async done(): Promise<void> {
    await this.#placeSmall();
    await Promise.all(this.#placing);
    if (this.#faults.length > 0) throw this.#faults[0];
  }

  /** Waits for pending writes, so that nothing is written afterwards. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#placing);
    for (const { temp } of this.#small) removeQuietly(temp);
  }

  /** Syncs the small objects and moves them to their places. */
  async #placeSmall(): Promise<void> {
    await syncFiles(this.#blobs.tmp, this.#small.map(({ temp }) => temp));
    for (const { temp, digest, size } of this.#small) {
      guardedSync("writing", temp, () => this.#blobs.place(temp, digest, size));
    }
    this.#small = [];
  }

  /** Waits until fewer objects are being synced than may be at a time. */
  async #slot(): Promise<void> {
    while (this.#placing.size >= SYNCS) await Promise.race(this.#placing);
    if (this.#faults.length > 0) throw this.#faults[0];
  }

  /** Takes a written file: a large one is synced and moved to its place in the background, a small one later. */
  #place(temp: string, file: Deno.FsFile, early: EarlySync, digest: Digest, size: number): void {
    if (size > SMALL) return this.#placeSynced(temp, file, early, digest, size);
    file.close();
    this.#blobs.soundSmall(digest, size);
    this.#small.push({ temp, digest, size });
  }

  /** Syncs and closes a written file and moves it to its place, in the background. */
  #placeSynced(temp: string, file: Deno.FsFile, early: EarlySync, digest: Digest, size: number): void {
    const placing = guarded("writing", temp, async () => {
      try {
        {
          using _closed = file;
          await early.end();
          // Existing objects were synced before they were moved there.
          if (!await this.#blobs.sound(digest, size)) await file.syncData();
        }
        this.#blobs.place(temp, digest, size);
      } catch (error) {
        removeQuietly(temp);
        throw error;
      }
    })
      .catch((error) => void this.#faults.push(error))
      .finally(() => this.#placing.delete(placing));
    this.#placing.add(placing);
  }
}

/** Syncs a file now and then while it is being written, so that the last sync finds little left to do. */
class EarlySync {
  readonly #path: string;
  #unsynced = 0;
  #syncing: Promise<void> | undefined;
  #fault: { error: unknown } | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Tells that so many more bytes were written. */
  written(bytes: number): void {
    this.#unsynced += bytes;
    if (this.#unsynced >= SYNC_EVERY) this.begin();
  }

  /** Begins to sync what was written, unless that is going on. */
  begin(): void {
    if (this.#syncing !== undefined) return;
    this.#unsynced = 0;
    this.#syncing = this.#sync()
      .catch((error) => void (this.#fault = { error }))
      .finally(() => this.#syncing = undefined);
  }

  async #sync(): Promise<void> {
    // A handle of its own: operations on one handle wait for each other.
    using file = await Deno.open(this.#path, { read: true, write: true });
    await file.syncData();
  }

  /** Waits for a sync under way; throws what one of them met. */
  async end(): Promise<void> {
    await this.#syncing;
    if (this.#fault !== undefined) throw this.#fault.error;
  }
}

/**
 * The bytes of a source in pieces of a size that is worth a hop to another thread: large chunks are
 * cut, small ones gathered. A piece is only good until the next one is asked for.
 */
async function* pieces(source: ByteSource): AsyncGenerator<Uint8Array> {
  if (source instanceof Uint8Array) return yield* cut(source);
  let gathered: Uint8Array | undefined;
  let length = 0;
  for await (const chunk of source) {
    if (!(chunk instanceof Uint8Array)) {
      throw new RetortError("artifact/value", `expected Uint8Array chunks, got ${typeof chunk}`);
    }
    const large = chunk.length > FILE_CHUNK / 4;
    if (length > 0 && (large || length + chunk.length > FILE_CHUNK)) {
      yield gathered!.subarray(0, length);
      length = 0;
    }
    if (large) yield* cut(chunk);
    else {
      gathered ??= new Uint8Array(FILE_CHUNK);
      gathered.set(chunk, length);
      length += chunk.length;
    }
  }
  if (length > 0) yield gathered!.subarray(0, length);
}

function* cut(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += FILE_CHUNK) yield bytes.subarray(at, at + FILE_CHUNK);
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

import type { Hash } from "node:crypto";
import { messageOf, RetortError } from "../foundation/errors.ts";
import { fileFault, guardedSync } from "../foundation/faults.ts";
import { hashFile } from "../foundation/file_digest.ts";
import { nodeModule } from "../foundation/node_module.ts";
import { DataSetDamaged, DataSetError, FetchError } from "./errors.ts";
import { AnotherTry, Hopeless, request, type Validators } from "./request.ts";

/** Progress of downloading or unpacking one file. */
export interface FileProgress {
  /** Bytes done so far. */
  readonly bytes: number;
  /** Total number of bytes. */
  readonly total: number;
}

/** An event of a running download. */
export type DownloadEvent =
  /** Bytes arrived; the first event of a resumed download already has `bytes` > 0. */
  | { readonly kind: "bytes"; readonly url: string } & FileProgress
  /** The server failed and will be retried after `delay` milliseconds. */
  | {
    readonly kind: "retry";
    readonly url: string;
    readonly reason: string;
    readonly attempt: number;
    readonly of: number;
    readonly delay: number;
  }
  /** This address failed permanently and the next one is tried. */
  | { readonly kind: "mirror"; readonly url: string; readonly reason: string };

/** Retry settings of a download. Times in milliseconds. */
export interface Patience {
  /** Retries without progress before giving up on an address; default 4. */
  readonly retries?: number;
  /** Delay before the first retry, doubled each time, at most 30 s; default 500. */
  readonly backoff?: number;
  /** Maximum silence of a server before the connection is dropped; default 60,000. */
  readonly stall?: number;
}

/** What to download and where to put it. */
export interface DownloadOptions extends Patience {
  /** The URL, followed by its mirrors. */
  readonly urls: readonly string[];
  /** Headers to send with a request to a URL; none by default. */
  readonly headers?: (url: string) => Record<string, string>;
  /** Absolute path of the finished file. Until it is complete and verified it is at `PATH.part`. */
  readonly path: string;
  /** The size it must have, in bytes. */
  readonly bytes: number;
  /** The digest it must have, in hex. */
  readonly digest: { readonly algorithm: "sha256" | "sha512"; readonly hex: string };
  /** Aborts the download; the received part is kept in `PATH.part` for the next attempt. */
  readonly signal?: AbortSignal;
  /** Called with progress. */
  readonly onEvent?: (event: DownloadEvent) => void;
}

/**
 * Downloads one file, resuming an earlier attempt. The bytes are hashed as they arrive; the file appears at its path
 * atomically once its size and digest have been verified.
 *
 * @throws FetchError when every address failed, saying how; DataSetDamaged when the bytes are not the
 * expected ones; RetortError when the disk is full; the signal's reason when aborted.
 */
export async function download(options: DownloadOptions): Promise<void> {
  const failures: { url: string; error: Error }[] = [];
  for (const url of options.urls) {
    try {
      await downloadFrom(url, options);
      return;
    } catch (error) {
      if (!(error instanceof Hopeless || error instanceof DataSetDamaged)) throw error;
      failures.push({ url, error });
      if (failures.length < options.urls.length) {
        options.onEvent?.({ kind: "mirror", url, reason: error.message });
      }
    }
  }
  const only = failures.length === 1 ? failures[0]!.error : undefined;
  if (only instanceof DataSetDamaged) throw only;
  throw new FetchError(
    "data/download",
    `${options.path} could not be downloaded:\n` +
      failures.map(({ url, error }) => `  ${url}: ${error.message}`).join("\n"),
    {
      hint: "Run the same command again to go on where it stopped, or get the file by other means and put " +
        `it at ${options.path}: ${options.bytes} bytes, ${options.digest.algorithm} ${options.digest.hex}.`,
      cause: failures[0]?.error,
    },
  );
}

async function downloadFrom(url: string, options: DownloadOptions): Promise<void> {
  const { retries = 4, backoff = 500 } = options;
  const part = new Part(options);
  let furthest = await part.size();
  let fruitless = 0;
  // A partial file with wrong bytes is discarded once; a second time means that the server mixes versions.
  let mayRestart = true;
  for (;;) {
    options.signal?.throwIfAborted();
    try {
      return await transfer(url, part, options);
    } catch (error) {
      if (options.signal?.aborted) throw options.signal.reason;
      if (!(error instanceof AnotherTry)) throw error;
      if (error.restart) {
        await part.drop();
        if (!mayRestart) throw new Hopeless(`${error.message}, also after beginning anew`);
        mayRestart = false;
        continue;
      }
      const size = await part.size();
      if (size > furthest) fruitless = 0;
      furthest = Math.max(furthest, size);
      if (fruitless === retries) {
        throw new Hopeless(retries === 0 ? error.message : `${error.message} (tried ${retries + 1} times)`);
      }
      const delay = Math.min(error.wait ?? backoff * 2 ** fruitless, 30_000);
      fruitless++;
      options.onEvent?.({
        kind: "retry",
        url,
        reason: error.message,
        attempt: fruitless,
        of: retries,
        delay,
      });
      await sleep(delay, options.signal);
    }
  }
}

/** Makes one request: appends what the server sends and finishes the file if it is complete. */
async function transfer(url: string, part: Part, options: DownloadOptions): Promise<void> {
  let hash = nodeModule("node:crypto").createHash(options.digest.algorithm);
  let have = await part.size();
  if (have > options.bytes) {
    await part.drop();
    have = 0;
  }
  if (have > 0) have = await part.hashInto(hash);
  const resumed = have > 0;
  if (have < options.bytes || !resumed) {
    const { stall = 60_000, signal } = options;
    using sent = await request(url, {
      from: have,
      bytes: options.bytes,
      stall,
      signal,
      known: part.known(url),
      headers: options.headers?.(url) ?? {},
    });
    if (sent.from === 0) {
      hash = nodeModule("node:crypto").createHash(options.digest.algorithm);
      have = 0;
    }
    part.remember(url, sent.validators);
    using file = await part.open(have);
    options.onEvent?.({ kind: "bytes", url, bytes: have, total: options.bytes });
    for await (const chunk of sent.body) {
      if (have + chunk.length > options.bytes) {
        await part.drop();
        throw new Hopeless(`it sends more than the expected ${options.bytes} bytes`);
      }
      await part.write(file, chunk);
      hash.update(chunk);
      have += chunk.length;
      options.onEvent?.({ kind: "bytes", url, bytes: have, total: options.bytes });
    }
    if (have < options.bytes) {
      throw new AnotherTry(`the connection ended after ${have} of ${options.bytes} bytes`);
    }
    await part.sync(file);
  }
  await finish(url, part, hash, resumed, options);
}

async function finish(url: string, part: Part, hash: Hash, resumed: boolean, options: DownloadOptions) {
  const { algorithm, hex } = options.digest;
  const found = hash.digest("hex");
  if (found === hex) return await part.complete();
  // The partial file of an earlier attempt may be at fault: start over before blaming the server.
  if (resumed) throw new AnotherTry("the bytes of an earlier try do not fit", { restart: true });
  await part.drop();
  throw new DataSetDamaged(
    "data/damaged",
    `${url} gives other bytes than expected: ${algorithm} ${found}, expected ${hex}`,
    { file: url, expected: hex, found },
    { hint: "The file may have changed at its source. Nothing was kept; do not use it unchecked." },
  );
}

/** The incomplete file, with a note next to it about the source's version. */
class Part {
  readonly #path: string;
  readonly #final: string;
  readonly #note: string;

  constructor(options: DownloadOptions) {
    this.#final = options.path;
    this.#path = `${options.path}.part`;
    this.#note = `${options.path}.part.json`;
  }

  async size(): Promise<number> {
    try {
      return (await Deno.stat(this.#path)).size;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return 0;
      throw error;
    }
  }

  async hashInto(hash: Hash): Promise<number> {
    return await hashFile(hash, this.#path);
  }

  /** Opens the partial file to resume at `from`, truncating anything after that. */
  async open(from: number): Promise<Deno.FsFile> {
    return await this.#onDisk(async () => {
      const file = await Deno.open(this.#path, { write: true, create: true, truncate: from === 0 });
      await file.seek(from, Deno.SeekMode.Start);
      return file;
    });
  }

  async write(file: Deno.FsFile, chunk: Uint8Array): Promise<void> {
    await this.#onDisk(async () => {
      for (let at = 0; at < chunk.length;) at += await file.write(chunk.subarray(at));
    });
  }

  async sync(file: Deno.FsFile): Promise<void> {
    await this.#onDisk(() => file.syncData());
  }

  async complete(): Promise<void> {
    await this.#onDisk(() => Deno.rename(this.#path, this.#final));
    await Deno.remove(this.#note).catch(() => {});
  }

  async drop(): Promise<void> {
    await Deno.remove(this.#path).catch(() => {});
    await Deno.remove(this.#note).catch(() => {});
  }

  /** The server's version of the partial file, if it came from this URL. */
  known(url: string): Validators {
    try {
      const note = JSON.parse(Deno.readTextFileSync(this.#note));
      if (note.url !== url) return {};
      return {
        ...(typeof note.etag === "string" ? { etag: note.etag } : {}),
        ...(typeof note.modified === "string" ? { modified: note.modified } : {}),
      };
    } catch {
      // Without a note, the final digest still shows whether the parts belong together.
      return {};
    }
  }

  remember(url: string, validators: Validators): void {
    const note = JSON.stringify({ url, ...validators });
    guardedSync("writing", this.#note, () => Deno.writeTextFileSync(this.#note, note));
  }

  async #onDisk<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      const known = fileFault(error, "writing", this.#path);
      if (known instanceof RetortError) throw known;
      throw new DataSetError("file/access", `${this.#path} cannot be written: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }
}

async function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const stop = () => reject(signal!.reason);
  signal?.addEventListener("abort", stop, { once: true });
  try {
    signal?.throwIfAborted();
    await promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
}

import { dirname, join } from "node:path";
import { createTarDecoder, type ParsedTarEntry } from "modern-tar";
import { gunzip, unzip, unzstd } from "./decompress.ts";
import { messageOf } from "../foundation/errors.ts";
import { guarded } from "../foundation/faults.ts";
import { nodeModule } from "../foundation/node_module.ts";
import { badFileName } from "../foundation/file_names.ts";
import type { FileProgress } from "./download.ts";
import { ArchiveError } from "./errors.ts";
import type { ArchiveFormat } from "./schema.ts";

/** A file to extract from an archive. */
export interface WantedMember {
  /** Its name in the archive (any text for `gz`, which contains one file). */
  readonly member: string;
  /** Where to put it: relative to the target folder, POSIX. */
  readonly path: string;
  /** The size it must have, in bytes, if known. */
  readonly bytes?: number;
  /** The sha256 it must have, in hex, if known. */
  readonly sha256?: string;
}

/** What to unpack, from where and to where. */
export interface ExtractOptions {
  /** Path of the archive. */
  readonly archive: string;
  /** The archive's format. */
  readonly format: ArchiveFormat;
  /** The files to extract; all others are skipped. */
  readonly members: readonly WantedMember[];
  /** Target folder; created if missing. */
  readonly folder: string;
  /** Limit for the unpacked size in bytes; larger archives are refused. Default: twice the wanted bytes plus 64 MiB. */
  readonly maxBytes?: number;
  /** Aborts the extraction; nothing is left behind. */
  readonly signal?: AbortSignal;
  /** Called after each piece written. */
  readonly onProgress?: (path: string, progress: FileProgress) => void;
}

/** A file extracted from an archive. */
export interface ExtractedFile {
  /** Its path relative to the folder, POSIX. */
  readonly path: string;
  /** Its size in bytes. */
  readonly bytes: number;
  /** Its sha256 in hex. */
  readonly sha256: string;
}

/**
 * Extracts files from an archive as a stream: neither the archive nor a file is ever in memory as a whole. The
 * files appear only after the whole archive was read and found valid: an unsafe name, a link, a device or a
 * duplicate name anywhere in it fails the extraction.
 *
 * @returns the files in the order of `members`.
 * @throws ArchiveError saying which member is wrong and how; RetortError when the disk is full; the
 * signal's reason when aborted.
 */
export async function extractArchive(options: ExtractOptions): Promise<ExtractedFile[]> {
  const done = new Map<WantedMember, ExtractedFile>();
  for (const wanted of options.members) {
    const fault = badFileName(wanted.path);
    if (fault !== undefined) {
      throw fail(options, `cannot be unpacked to ${JSON.stringify(wanted.path)}: ${fault}`);
    }
  }
  try {
    if (options.format === "gz") await extractGzip(options, done);
    else if (options.format === "zip") await extractZip(options, done);
    else await extractTar(options, done);
    for (const wanted of options.members) {
      if (!done.has(wanted)) throw fail(options, `has no member \`${wanted.member}\``);
    }
    for (const wanted of options.members) {
      await Deno.rename(tempPath(options, wanted), join(options.folder, wanted.path));
    }
    return options.members.map((wanted) => done.get(wanted)!);
  } catch (error) {
    for (const wanted of options.members) await Deno.remove(tempPath(options, wanted)).catch(() => {});
    if (options.signal?.aborted) throw options.signal.reason;
    throw error;
  }
}

async function extractGzip(options: ExtractOptions, done: Map<WantedMember, ExtractedFile>): Promise<void> {
  const [wanted, ...others] = options.members;
  if (wanted === undefined || others.length > 0) {
    throw fail(options, `holds one file, but ${options.members.length} were asked for`);
  }
  done.set(wanted, await writeMember(options, wanted, reading(options, gunzip(packedBytes(options)))));
}

async function extractTar(options: ExtractOptions, done: Map<WantedMember, ExtractedFile>): Promise<void> {
  const packed = packedBytes(options);
  const unpacked = options.format === "tar"
    ? packed
    : options.format === "tar.gz"
    ? gunzip(packed)
    : unzstd(packed);
  const seen = new Set<string>();
  const entries = ReadableStream.from(limited(options, unpacked)).pipeThrough(
    createTarDecoder({ strict: true }),
  );
  for await (const entry of reading(options, entries)) {
    const name = checkedName(options, entry);
    if (seen.has(name)) throw fail(options, `has the member \`${name}\` twice`);
    seen.add(name);
    const wanted = options.members.filter((one) => one.member === name);
    if (wanted.length > 1) throw fail(options, `member \`${name}\` was asked for twice`);
    if (wanted.length === 0) {
      // Drain it instead of cancelling: after a cancel modern-tar 0.8.6 delivers no bytes for later bodies and hangs.
      for await (const _ of entry.body) options.signal?.throwIfAborted();
    } else if (entry.header.type !== "file") {
      throw fail(options, `member \`${name}\` is a ${entry.header.type}, expected a file`);
    } else if (wanted[0]!.bytes !== undefined && entry.header.size !== wanted[0]!.bytes) {
      throw fail(options, `member \`${name}\` has ${entry.header.size} bytes, expected ${wanted[0]!.bytes}`);
    } else {
      done.set(wanted[0]!, await writeMember(options, wanted[0]!, reading(options, entry.body)));
    }
  }
}

async function extractZip(options: ExtractOptions, done: Map<WantedMember, ExtractedFile>): Promise<void> {
  const seen = new Set<string>();
  const take = (name: string) => {
    const fault = badFileName(name.replace(/\/$/, ""));
    if (fault !== undefined) {
      throw fail(options, `member ${JSON.stringify(name)} has an unsafe name: ${fault}`);
    }
    if (seen.has(name)) throw fail(options, `has the member \`${name}\` twice`);
    seen.add(name);
    return options.members.some((one) => one.member === name);
  };
  for await (const { name, body } of reading(options, unzip(packedBytes(options), take))) {
    const wanted = options.members.filter((one) => one.member === name);
    if (wanted.length > 1) throw fail(options, `member \`${name}\` was asked for twice`);
    done.set(wanted[0]!, await writeMember(options, wanted[0]!, reading(options, limited(options, body))));
  }
}

/** The member's name without a leading `./` or a trailing `/`, after checking that it is safe. */
function checkedName(options: ExtractOptions, { header }: ParsedTarEntry): string {
  const quoted = JSON.stringify(header.name);
  if (header.type !== "file" && header.type !== "directory") {
    throw fail(options, `member ${quoted} is a ${header.type}: only files and folders are unpacked`);
  }
  if (Object.keys(header.pax ?? {}).some((key) => key.startsWith("GNU.sparse"))) {
    throw fail(options, `member ${quoted} is a sparse file: only plain files are unpacked`);
  }
  const name = header.name.replace(/^(\.\/)+/, "").replace(/\/$/, "");
  // `./` is how `tar -c .` names the folder itself.
  if (header.type === "directory" && /^(\.\/)*\.?\/?$/.test(header.name) && header.name !== "/") return ".";
  const fault = badFileName(name);
  if (fault !== undefined) throw fail(options, `member ${quoted} has an unsafe name: ${fault}`);
  return name;
}

async function writeMember(
  options: ExtractOptions,
  wanted: WantedMember,
  source: AsyncIterable<Uint8Array>,
): Promise<ExtractedFile> {
  const path = tempPath(options, wanted);
  const hash = nodeModule("node:crypto").createHash("sha256");
  let bytes = 0;
  await guarded("writing", path, () => Deno.mkdir(dirname(path), { recursive: true }));
  using file = await guarded(
    "writing",
    path,
    () => Deno.open(path, { write: true, create: true, truncate: true }),
  );
  for await (const chunk of source) {
    options.signal?.throwIfAborted();
    bytes += chunk.length;
    if (wanted.bytes !== undefined && bytes > wanted.bytes) {
      throw fail(options, `member \`${wanted.member}\` is larger than the expected ${wanted.bytes} bytes`);
    }
    hash.update(chunk);
    for (let at = 0; at < chunk.length;) {
      at += await guarded("writing", path, () => file.write(chunk.subarray(at)));
    }
    options.onProgress?.(wanted.path, { bytes, total: wanted.bytes ?? bytes });
  }
  if (wanted.bytes !== undefined && bytes !== wanted.bytes) {
    throw fail(options, `member \`${wanted.member}\` has ${bytes} bytes, expected ${wanted.bytes}`);
  }
  await guarded("writing", path, () => file.syncData());
  const sha256 = hash.digest("hex");
  if (wanted.sha256 !== undefined && wanted.sha256 !== sha256) {
    throw fail(options, `member \`${wanted.member}\` has sha256 ${sha256}, expected ${wanted.sha256}`);
  }
  return { path: wanted.path, bytes, sha256 };
}

async function* packedBytes(options: ExtractOptions): AsyncGenerator<Uint8Array> {
  using file = await Deno.open(options.archive, { read: true });
  for (;;) {
    options.signal?.throwIfAborted();
    // A new buffer each time, because the decoders keep references.
    const buffer = new Uint8Array(1 << 16);
    const n = await file.read(buffer);
    if (n === null) return;
    yield buffer.subarray(0, n);
  }
}

/** Aborts when an archive unpacks to far more than it should, including members that are not extracted. */
async function* limited(
  options: ExtractOptions,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const wanted = options.members.reduce((sum, one) => sum + (one.bytes ?? 0), 0);
  const limit = options.maxBytes ?? 2 * wanted + (64 << 20);
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > limit) {
      throw fail(options, `unpacks to more than ${limit} bytes, far more than was asked for`);
    }
    yield chunk;
  }
}

/** Adds the archive's name to the decoders' errors. */
async function* reading<T>(options: ExtractOptions, source: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* source;
  } catch (error) {
    if (error instanceof ArchiveError || options.signal?.aborted) throw error;
    throw fail(options, `cannot be read as ${options.format}: ${messageOf(error)}`, error);
  }
}

/** Next to the final path, so that the last step is a rename within one file system. */
function tempPath(options: ExtractOptions, wanted: WantedMember): string {
  return join(options.folder, `${wanted.path}.unpacking`);
}

function fail(options: ExtractOptions, what: string, cause?: unknown): ArchiveError {
  return new ArchiveError("data/archive", `archive ${options.archive} ${what}`, {
    hint: "Nothing was unpacked. If it was downloaded, remove it and fetch it again.",
    ...(cause === undefined ? {} : { cause }),
  });
}

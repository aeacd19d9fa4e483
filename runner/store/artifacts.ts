import {
  canonicalText,
  digestJson,
  isDigest,
  type JsonObject,
  type JsonValue,
  notJson,
} from "../../foundation/canonical.ts";
import { badFileName, unsafeFileName } from "../../foundation/file_names.ts";
import {
  type AnyCodec,
  type Artifact,
  type ArtifactReader,
  type ArtifactWriter,
  type ByteSource,
  type FileEntry,
} from "../codec.ts";
import { parseExactJson } from "../../foundation/exact_json.ts";
import { byCodeUnit } from "../../foundation/canonical.ts";
import { inContext, messageOf, RetortError } from "../../foundation/errors.ts";
import { DamagedError, isOfStore } from "../errors.ts";
import type { Blobs } from "./blobs.ts";
import { digestFile, fileIdentity } from "../../foundation/file_digest.ts";

/** An artifact's manifest with its digest; locations and order of files do not count. */
export function makeArtifact(
  codec: string,
  version: number,
  facts: JsonObject,
  files: readonly FileEntry[],
): Artifact {
  const sorted = [...files].sort((a, b) => byCodeUnit(a.name, b.name));
  const listed = sorted.map(({ name, size, digest }) => ({ name, size, digest }));
  return {
    digest: digestJson({ codec, version, facts, files: listed }),
    codec,
    version,
    // Normalised as if read back from the store, so that new and cached artifacts look alike.
    facts: JSON.parse(canonicalText(facts)) as JsonObject,
    files: sorted,
  };
}

/** The manifest as JSON; locations of data outside the store only on demand. */
export function artifactJson(artifact: Artifact, options: { locations?: boolean } = {}): JsonObject {
  return {
    digest: artifact.digest,
    codec: artifact.codec,
    version: artifact.version,
    facts: artifact.facts,
    files: artifact.files.map(({ name, size, digest, location }) => ({
      name,
      size,
      digest,
      ...(options.locations === true && location !== undefined ? { location } : {}),
    })),
  };
}

/** Parses a manifest made by `artifactJson`; undefined if it is not one. */
export function artifactFromJson(value: JsonValue | undefined): Artifact | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const { digest, codec, version, facts, files } = value;
  if (!isDigest(digest) || typeof codec !== "string" || typeof version !== "number") return undefined;
  if (typeof facts !== "object" || facts === null || Array.isArray(facts) || !Array.isArray(files)) {
    return undefined;
  }
  for (const file of files) {
    if (typeof file !== "object" || file === null || Array.isArray(file)) return undefined;
    if (typeof file.name !== "string" || unsafeFileName(file.name) !== undefined) return undefined;
    if (!isDigest(file.digest) || typeof file.size !== "number") return undefined;
  }
  return { digest, codec, version, facts, files: files as unknown as FileEntry[] };
}

/** Total size of an artifact's files in bytes. */
export function artifactSize(artifact: Artifact): number {
  return artifact.files.reduce((sum, file) => sum + file.size, 0);
}

/**
 * Writes a value by its codec.
 *
 * @param what names the value in errors, e.g. "output `labels` of node `kmeans`".
 * @throws RetortError when the value is not of the codec's type.
 */
export async function writeArtifact(
  blobs: Blobs,
  codec: AnyCodec,
  value: unknown,
  what: string,
): Promise<Artifact> {
  const files: FileEntry[] = [];
  const taken = new Set<string>();
  const folders = new Set<string>();
  const claim = (name: string) => {
    const fault = badFileName(name);
    if (fault !== undefined) {
      throw new RetortError("artifact/file-name", `${what}: file name ${JSON.stringify(name)}: ${fault}`);
    }
    // Some file systems ignore case or Unicode normalisation: two such files would become one when exported.
    const folded = name.normalize("NFC").toLowerCase();
    if (taken.has(folded)) {
      throw new RetortError("artifact/file-name", `${what}: two files are named ${JSON.stringify(name)}`);
    }
    if (folders.has(folded)) {
      throw new RetortError("artifact/file-name", `${what}: ${JSON.stringify(name)} is a file and a folder`);
    }
    taken.add(folded);
    for (let at = folded.indexOf("/"); at >= 0; at = folded.indexOf("/", at + 1)) {
      const folder = folded.slice(0, at);
      if (taken.has(folder)) {
        throw new RetortError(
          "artifact/file-name",
          `${what}: ${JSON.stringify(folder)} is a file and a folder`,
        );
      }
      folders.add(folder);
    }
  };
  await using batch = blobs.batch();
  const bytes = async (name: string, source: ByteSource) => {
    claim(name);
    files.push({ name, ...await batch.write(source) });
  };
  const writer: ArtifactWriter = {
    bytes,
    text: (name, text) => bytes(name, new TextEncoder().encode(text)),
    json: (name, value) => bytes(name, new TextEncoder().encode(canonicalText(value) + "\n")),
    async adopt(name, path) {
      claim(name);
      files.push({ name, ...await batch.adopt(path) });
    },
    keep(name, { digest, size }) {
      claim(name);
      if (!blobs.has(digest, size)) {
        throw new RetortError(
          "artifact/missing-file",
          `${what}: ${name} should be there already (object ${digest.slice(0, 12)}), but is not`,
        );
      }
      files.push({ name, digest, size });
    },
  };
  let facts: JsonObject | void;
  try {
    facts = await codec.write(value, writer);
  } catch (error) {
    if (isOfStore(error)) throw error;
    throw inContext(`${what} is not a \`${codec.name}\``, error, "artifact/value");
  }
  const fault = notJson(facts ?? {});
  if (fault !== undefined || typeof (facts ?? {}) !== "object" || Array.isArray(facts)) {
    throw new RetortError(
      "artifact/value",
      `${what}: the facts of codec \`${codec.name}\` are not plain JSON: ${fault ?? typeof facts}`,
    );
  }
  await batch.done();
  return makeArtifact(codec.name, codec.version, facts ?? {}, files);
}

/**
 * A reader over an artifact's files; all bytes are checked as they are read.
 *
 * @throws DamagedError from its methods when bytes are not what they should be.
 */
export function artifactReader(blobs: Blobs, artifact: Artifact): ArtifactReader {
  let byName: Map<string, FileEntry> | undefined;
  const entry = (name: string): FileEntry => {
    byName ??= new Map(artifact.files.map((file) => [file.name, file]));
    const found = byName.get(name);
    if (found === undefined) {
      throw new RetortError(
        "artifact/missing-file",
        `a \`${artifact.codec}\` artifact (${artifact.digest.slice(0, 12)}) has no file ${name}`,
      );
    }
    return found;
  };
  const path = (name: string) => {
    const file = entry(name);
    return file.location === undefined ? blobs.checkedPath(file.digest, file.size) : checkedLocation(file);
  };
  const bytes = async (name: string) => {
    const file = entry(name);
    if (file.location === undefined) return await blobs.bytes(file.digest, file.size);
    return await Deno.readFile(await checkedLocation(file));
  };
  return {
    artifact,
    path,
    bytes,
    text: async (name) =>
      new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await bytes(name)),
    json: async (name) => parseExactJson(new TextDecoder().decode(await bytes(name))),
  };
}

/** Data files that were checked in this process. */
const checkedLocations = new Map<string, string>();

async function checkedLocation(file: FileEntry): Promise<string> {
  const location = file.location!;
  const identity = fileIdentity(location);
  if (identity !== undefined && checkedLocations.get(location) === `${identity} ${file.digest}`) {
    return location;
  }
  const found = await digestFile(location).catch((error) => {
    throw new RetortError("data/located-file", `data file ${location}: ${messageOf(error)}`, {
      cause: error,
    });
  });
  if (found.digest !== file.digest) {
    throw new DamagedError("data/changed", `data file ${location} changed while the run was going on`, [
      file.digest,
    ], { hint: "Run again: the run then uses what is there now." });
  }
  if (identity !== undefined) checkedLocations.set(location, `${identity} ${file.digest}`);
  return location;
}

import { isAbsolute, resolve } from "node:path";
import type { Artifact, FileEntry } from "./codec.ts";
import { badFileName } from "../foundation/file_names.ts";
import { files as filesCodec } from "./codecs/files.ts";
import type { Digest } from "../foundation/canonical.ts";
import { inContext, RetortError } from "../foundation/errors.ts";
import { fileFault } from "../foundation/faults.ts";
import type { GraphNode } from "./graph.ts";
import type { LocatedFile } from "./stage.ts";
import { makeArtifact } from "./store/artifacts.ts";
import { digestFile, fileIdentity } from "../foundation/file_digest.ts";

/** Keeps digests of data files between runs; an entry counts only while the file's identity stays. */
export interface FileDigestCache {
  get(path: string): { readonly identity: string; readonly digest: Digest } | undefined;
  set(path: string, value: { readonly identity: string; readonly digest: Digest }): void;
}

/**
 * The artifact of a `locate` node: its files are listed, sized and hashed in place, not copied. A digest is taken
 * from the cache only while device, inode, size, modification and change time of the file are what they were when
 * it was hashed.
 *
 * @throws RetortError when a file is missing or its bytes are not the expected ones.
 */
export async function locateArtifact(node: GraphNode, cache: FileDigestCache): Promise<Artifact> {
  const where = `node \`${node.name}\``;
  let located: readonly LocatedFile[];
  try {
    located = await node.stage.locate!({ params: node.params as never }) as readonly LocatedFile[];
  } catch (error) {
    throw inContext(where, error, "data/located-file");
  }
  const entries: FileEntry[] = [];
  for (const file of located) {
    const fault = badFileName(file.name);
    if (fault !== undefined) {
      throw new RetortError(
        "data/located-file",
        `${where}: file name ${JSON.stringify(file.name)}: ${fault}`,
      );
    }
    if (typeof file.path !== "string" || file.path === "") {
      throw new RetortError(
        "data/located-file",
        `${where}: its source names no path for ${JSON.stringify(file.name)}`,
      );
    }
    const path = resolve(file.path);
    const entry = await hashLocated({ ...file, path }, cache).catch((error) => {
      const fault = fileFault(error, "reading", path);
      throw inContext(`${where}: data file ${placeOf(file.path)}`, fault, "data/located-file");
    });
    if (file.digest !== undefined && entry.digest !== file.digest) {
      throw new RetortError(
        "data/located-file",
        `${where}: data file ${
          placeOf(file.path)
        } is not the expected one: sha256 ${entry.digest}, expected ${file.digest}`,
        { hint: "Fetch it again, or point RETORT_DATA at the right folder." },
      );
    }
    entries.push(entry);
  }
  return makeArtifact(filesCodec.name, filesCodec.version, { files: entries.length }, entries);
}

/** A path for a message; where it was relative, with what it is relative to. */
function placeOf(path: string): string {
  return isAbsolute(path)
    ? path
    : `${path}, which is ${resolve(path)} (relative paths begin in ${Deno.cwd()})`;
}

async function hashLocated(file: LocatedFile, cache: FileDigestCache): Promise<FileEntry> {
  const identity = fileIdentity(file.path);
  const known = cache.get(file.path);
  const size = (await Deno.stat(file.path)).size;
  if (known !== undefined && known.identity === identity) {
    return { name: file.name, size, digest: known.digest, location: file.path };
  }
  const found = await digestFile(file.path);
  // The digest is cached only if the file's identity was the same before and after reading, and only if the
  // last change is old enough that another one would change the time stamps.
  const changed = Deno.statSync(file.path).ctime?.getTime() ?? Infinity;
  if (identity !== undefined && fileIdentity(file.path) === identity && Date.now() - changed > 2000) {
    cache.set(file.path, { identity, digest: found.digest });
  }
  return { name: file.name, size: found.size, digest: found.digest, location: file.path };
}

import { basename, dirname, join, resolve } from "node:path";
import { removeQuietly } from "../../foundation/atomic.ts";
import type { JsonObject } from "../../foundation/canonical.ts";
import { CallError, RetortError } from "../../foundation/errors.ts";
import { guarded } from "../../foundation/faults.ts";
import { digestFile } from "../../foundation/file_digest.ts";
import { badFileName } from "../../foundation/file_names.ts";
import type { Artifact, FileEntry } from "../codec.ts";
import { artifactFromJson, makeArtifact } from "../store/artifacts.ts";
import { listFolder } from "../store/blobs.ts";
import { ABOUT, type ModelHub, withHub } from "./hub.ts";

/** What was got. */
export interface Got {
  readonly repository: string;
  /** The commit that it is of. */
  readonly commit: string;
  readonly folder: string;
  readonly digest: string;
  readonly files: number;
  readonly bytes: number;
}

/** Largest description of an artifact and largest card that are taken. */
const SMALL = 16 << 20;

/**
 * Gets a published model into a folder, which appears when everything is there and has the digests that `artifact.json` names.
 * What an attempt that broke off has got lies beside it (`.FOLDER.part`) and is not got again.
 *
 * @param revision a branch, a tag or a commit.
 * @throws CallError when the folder is not empty, RetortError when the Hub refuses or bytes are not what they should be.
 */
export async function getModel(
  repository: string,
  folder: string,
  hub: ModelHub,
  { revision = "main", signal }: { revision?: string; signal?: AbortSignal } = {},
): Promise<Got> {
  const target = resolve(folder);
  if (listFolder(target).length > 0) {
    throw new CallError("command/folder-not-empty", `${target} is not empty`, { hint: "Name a new folder." });
  }
  const { downloadFile, modelInfo } = await import("@huggingface/hub");
  const access = {
    hubUrl: hub.url,
    ...(hub.token === undefined ? {} : { accessToken: hub.token }),
    ...(signal === undefined ? {} : { fetch: interruptible(signal) }),
  };
  return await withHub(hub, `getting ${repository}`, signal, async () => {
    const { sha } = await modelInfo({ ...access, name: repository, revision, additionalFields: ["sha"] });
    if (sha === undefined) throw new RetortError("hub/refused", `the Hub names no commit of ${repository}`);
    // All files are of this one commit, whatever is published meanwhile.
    const blobOf = (path: string) =>
      downloadFile({ ...access, repo: repository, path, revision: sha, xet: false });
    const about = await (await blobOf(ABOUT))?.text();
    const artifact = described(repository, about);
    const card = artifact.files.some(({ name }) => name === "README.md") ? null : await blobOf("README.md");
    const part = join(dirname(target), `.${basename(target)}.part`);
    await guarded("writing", part, async () => {
      await Deno.mkdir(part, { recursive: true });
      for (const file of artifact.files) {
        const blob = await blobOf(file.name);
        if (blob === null) throw damaged(repository, file, "it is not there");
        await take(repository, blob, file, partPath(part, file), signal);
      }
      const whole = join(part, "whole");
      removeQuietly(whole);
      for (const file of artifact.files) {
        const path = join(whole, file.name);
        await Deno.mkdir(dirname(path), { recursive: true });
        await Deno.copyFile(partPath(part, file), path);
      }
      await Deno.writeTextFile(join(whole, ABOUT), about!);
      if (card !== null && card.size <= SMALL) {
        await Deno.writeTextFile(join(whole, "README.md"), await card.text());
      }
      removeQuietly(target); // An empty folder, as was seen above.
      await Deno.rename(whole, target);
      removeQuietly(part);
    });
    return {
      ...{ repository, commit: sha, folder: target, digest: artifact.digest, files: artifact.files.length },
      bytes: artifact.files.reduce((sum, { size }) => sum + size, 0),
    };
  });
}

/** `fetch` that ends with a signal, whatever is being read of its answer. */
function interruptible(signal: AbortSignal): typeof fetch {
  return (input, init) => fetch(input, { ...init, signal });
}

/** The artifact that `artifact.json` describes, if its digest says so. */
function described(repository: string, text: string | undefined): Artifact {
  let found: Artifact | undefined;
  try {
    found = text === undefined || text.length > SMALL
      ? undefined
      : artifactFromJson((JSON.parse(text) as JsonObject).artifact);
  } catch {
    // No JSON: not of Retort's.
  }
  const bad = found?.files.find(({ name }) => badFileName(name) !== undefined || name === ABOUT);
  if (found === undefined || bad !== undefined) {
    throw new RetortError("hub/not-retort", `${repository} holds no model of Retort's`, {
      hint: `A model that \`deno task publish\` wrote has a file ${ABOUT}.`,
    });
  }
  const { digest } = makeArtifact(found.codec, found.version, found.facts, found.files);
  if (digest !== found.digest) {
    throw new RetortError("hub/damaged", `${ABOUT} of ${repository} is not what its digest says`, {
      hint: "Somebody changed it after it was published: get another --revision.",
    });
  }
  return found;
}

function partPath(part: string, { digest }: FileEntry): string {
  return join(part, digest);
}

/** Appends to what is there already, and checks the whole. */
async function take(
  repository: string,
  blob: Blob,
  file: FileEntry,
  path: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const had = await sizeOf(path);
  if (blob.size !== file.size) throw damaged(repository, file, `it has ${blob.size} bytes, not ${file.size}`);
  if (had < file.size) {
    using out = await Deno.open(path, { append: true, create: true });
    // Piece by piece: what has come when the line breaks is kept.
    for await (const piece of blob.slice(had).stream()) {
      for (let at = 0; at < piece.length;) at += await out.write(piece.subarray(at));
    }
  }
  const has = await sizeOf(path);
  if (has < file.size) {
    throw new RetortError(
      "hub/unreachable",
      `${file.name} of ${repository} broke off after ${has} of ${file.size} bytes`,
      {
        hint: "The same command goes on from there.",
      },
    );
  }
  const { digest, size } = await digestFile(path, signal === undefined ? {} : { signal });
  if (digest === file.digest && size === file.size) return;
  // Not to go on with what is wrong.
  removeQuietly(path);
  throw damaged(repository, file, "it has other bytes than its digest says");
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await Deno.stat(path)).size;
  } catch {
    return 0;
  }
}

function damaged(repository: string, { name }: FileEntry, why: string): RetortError {
  return new RetortError("hub/damaged", `file ${name} of ${repository} is not what was published: ${why}`, {
    hint: "Get it again, or another --revision; nothing was written to the folder.",
  });
}

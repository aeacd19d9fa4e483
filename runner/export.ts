import { dirname, join, resolve } from "node:path";
import type { JsonObject } from "../foundation/canonical.ts";
import { CallError, RetortError } from "../foundation/errors.ts";
import type { ArtifactRecord } from "./records/rows.ts";
import { artifactJson, artifactReader } from "./store/artifacts.ts";
import { listFolder } from "./store/blobs.ts";
import { guarded } from "../foundation/faults.ts";
import { shellWord } from "../foundation/text.ts";
import type { Store } from "./store/store.ts";

/** What an export wrote. */
export interface Export {
  readonly folder: string;
  readonly files: number;
  readonly bytes: number;
}

/**
 * Copies an artifact's files, checked, into a folder, with `artifact.json` that says what made them.
 *
 * @param card a model card, written as README.md.
 * @throws CallError when the folder is not empty, RetortError when the artifact is damaged or swept.
 */
export async function exportArtifact(
  store: Store,
  record: ArtifactRecord,
  folder: string,
  card?: string,
): Promise<Export> {
  const target = resolve(folder);
  if (listFolder(target).length > 0) {
    throw new CallError("command/folder-not-empty", `${target} is not empty`, { hint: "Name a new folder." });
  }
  const { artifact } = record;
  const missing = artifact.files.find((file) =>
    file.location === undefined && !store.blobs.has(file.digest, file.size)
  );
  if (missing !== undefined) {
    const dropped = store.droppedOutputs(record.key)?.[record.output];
    throw new RetortError(
      "artifact/missing-file",
      `file ${missing.name} of the artifact is no longer in the store` +
        (dropped === undefined ? "" : `: it is temporary and was dropped on ${dropped.slice(0, 10)}`),
      {
        hint: `Make it again: run the pipeline \`${record.pipeline}\`` +
          (dropped === undefined ? "." : ` with --only ${shellWord(record.node)}, which keeps it.`),
      },
    );
  }
  return await guarded("exporting to", target, async () => {
    const reader = artifactReader(store.blobs, artifact);
    let bytes = 0;
    for (const file of artifact.files) {
      const path = join(target, file.name);
      await Deno.mkdir(dirname(path), { recursive: true });
      await Deno.copyFile(await reader.path(file.name), path);
      await Deno.chmod(path, 0o644);
      bytes += file.size;
    }
    const about: JsonObject = {
      artifact: artifactJson(artifact),
      output: record.output,
      node: record.node,
      stage: record.stage,
      pipeline: record.pipeline,
      key: record.key,
      params: record.components.params,
      inputs: record.components.inputs as JsonObject,
    };
    await Deno.mkdir(target, { recursive: true });
    if (card !== undefined && !artifact.files.some((file) => file.name === "README.md")) {
      await Deno.writeTextFile(join(target, "README.md"), card);
    }
    // Its own name may be taken by a file of the artifact.
    const name = artifact.files.some((file) => file.name === "artifact.json")
      ? "retort-artifact.json"
      : "artifact.json";
    await Deno.mkdir(target, { recursive: true });
    await Deno.writeTextFile(join(target, name), `${JSON.stringify(about, null, 2)}\n`);
    return { folder: target, files: artifact.files.length, bytes };
  });
}

import type { Artifact, Codec } from "../../runner/codec.ts";
import { runStage } from "retort/testing";
import type { z } from "zod";
import type { AnyStage, InputTypes, OutputTypes, Stage } from "../../runner/stage.ts";
import { artifactReader, writeArtifact } from "../../runner/store/artifacts.ts";
import { Blobs } from "../../runner/store/blobs.ts";

/** A small store in a folder of its own, for codecs and stages that are tested without a runner. */
export interface SmallStore {
  readonly scratch: string;
  // deno-lint-ignore no-explicit-any -- tests write and read what they know
  write(codec: Codec<any, any>, value: unknown): Promise<Artifact>;
  // deno-lint-ignore no-explicit-any -- as above
  read<R>(codec: Codec<R, any>, artifact: Artifact): Promise<R>;
}

/** Runs `action` in such a place and removes it. */
export async function inPlace(action: (place: SmallStore) => Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync({ prefix: "retort-place-" });
  try {
    for (const name of ["tmp", "scratch"]) Deno.mkdirSync(`${folder}/${name}`);
    const blobs = new Blobs(`${folder}/objects`, `${folder}/tmp`, `${folder}/damaged`);
    await action({
      scratch: `${folder}/scratch`,
      write: (codec, value) => writeArtifact(blobs, codec as Codec<unknown>, value, "it"),
      read: (codec, artifact) => codec.read(artifactReader(blobs, artifact)),
    });
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** Runs a stage with inputs as they are, of any type; parameters are checked and completed as the runner does. */
export async function runHere(
  stage: AnyStage,
  inputs: Record<string, unknown>,
  params: unknown = {},
  context: Record<string, unknown> = {},
  // deno-lint-ignore no-explicit-any -- tests know what the stage returns
): Promise<any> {
  return await runStage(stage as Stage<z.ZodType, InputTypes, OutputTypes>, inputs, params, context);
}

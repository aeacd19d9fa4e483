import { bytesText } from "../foundation/format.ts";
import { inContext, RetortError } from "../foundation/errors.ts";
import type { Artifact } from "./codec.ts";
import { isOfStore } from "./errors.ts";
import type { OutputRef } from "./graph.ts";
import { artifactReader, artifactSize } from "./store/artifacts.ts";
import type { Blobs } from "./store/blobs.ts";

/** Most bytes of an artifact that a build reads: it is read whenever the pipeline is planned. */
const LARGEST = 1_000_000;

/**
 * The value of an artifact that a build waits for.
 *
 * @throws RetortError when it is too large or cannot be decoded, DamagedError when its bytes are not what they should be.
 */
export async function readAwaited(blobs: Blobs, source: OutputRef, artifact: Artifact): Promise<unknown> {
  const what = `the build reads ${outputName(source)}`;
  const size = artifactSize(artifact);
  if (size > LARGEST) {
    throw new RetortError(
      "pipeline/read",
      `${what}, which has ${bytesText(size)}; it may read 1 MB at most`,
      {
        hint: "Let a stage make a small artifact of what the build has to know, and read that.",
      },
    );
  }
  try {
    return await source.node.stage.outputs[source.output]!.read(artifactReader(blobs, artifact));
  } catch (error) {
    throw isOfStore(error) ? error : inContext(what, error, "pipeline/read");
  }
}

/** An output as messages and drawings name it. */
export function outputName({ node, output }: OutputRef): string {
  return `\`${output}\` of \`${node.name}\``;
}

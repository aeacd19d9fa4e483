import { PipelineSession, type SessionOptions } from "../runner/session.ts";
import { projectOf } from "../runner/project.ts";
import { continueIn } from "./relaunch.ts";

/**
 * Opens a pipeline in a process of its project: this one, or another that this one waits for.
 *
 * @param permissions of the command.
 */
export async function openPipeline(
  options: SessionOptions,
  permissions: readonly string[],
): Promise<PipelineSession> {
  await continueIn(projectOf(options.file), permissions);
  return await PipelineSession.open(options);
}

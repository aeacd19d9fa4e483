import { hintOf, messageOf } from "../../foundation/errors.ts";
import { checkDeclared, stageAt } from "../declaration.ts";
import { executeJob } from "./execute.ts";
import type { Job, JobMessage, Outcome } from "./job.ts";

/**
 * Finds the stage of a job by importing its module, and executes the job. For processes and threads that import
 * nothing but this one module, so that the stage is what its module alone declares.
 */
export async function hostJob(
  job: Job,
  tell: (message: JobMessage) => void,
  stop: AbortSignal,
): Promise<Outcome> {
  let stage;
  try {
    stage = await stageAt(job, job.stage);
    checkDeclared(stage, job, job.declared);
  } catch (error) {
    const stack = error instanceof Error ? error.stack : undefined;
    return {
      kind: "failed",
      error: `cannot load the stage: ${messageOf(error)}`,
      ...(hintOf(error) === undefined ? {} : { hint: hintOf(error)! }),
      ...(stack === undefined ? {} : { stack }),
    };
  }
  return await executeJob(stage, job, tell, stop);
}

import { messageOf } from "../../foundation/errors.ts";
import { checkDeclared, stageAt } from "../declaration.ts";
import { executeJob } from "./execute.ts";
import type { Job, JobMessage, Outcome } from "./job.ts";
import { failureOf, outcomeOf } from "./outcome.ts";
import { withStrays } from "./strays.ts";

/**
 * Finds the stage of a job by importing its module, and executes the job. For processes and threads that import
 * nothing but this one module, so that the stage is what its module alone declares.
 */
export async function hostJob(
  job: Job,
  tell: (message: JobMessage) => void,
  stop: AbortSignal,
): Promise<Outcome> {
  try {
    let stage;
    try {
      stage = await withStrays(() => stageAt(job, job.stage));
      checkDeclared(stage, job, job.declared);
    } catch (error) {
      return { ...failureOf(error), error: `cannot load the stage: ${messageOf(error)}` };
    }
    return await executeJob(stage, job, tell, stop);
  } catch (error) {
    return outcomeOf(error, stop);
  }
}

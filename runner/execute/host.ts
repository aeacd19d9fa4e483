import { codeOf, messageOf } from "../../foundation/errors.ts";
import { checkDeclared, stageAt } from "../declaration.ts";
import type { StageDefinition } from "../stage.ts";
import { checkVariables } from "../variables.ts";
import { executeJob } from "./execute.ts";
import type { Job, JobMessage, Outcome } from "./job.ts";
import type { Reads } from "./reads.ts";
import { failureOf, outcomeOf } from "./outcome.ts";
import { withStrays } from "./strays.ts";

/**
 * Finds the stage of a job by importing its module, and executes the job. For processes and threads that import
 * nothing but this one module, so that the stage is what its module alone declares.
 *
 * @param reads of this process or thread.
 */
export async function hostJob(
  job: Job,
  tell: (message: JobMessage) => void,
  stop: AbortSignal,
  reads: Reads,
): Promise<Outcome> {
  try {
    let stage: StageDefinition;
    try {
      stage = await reads.importing(() => withStrays(() => stageAt(job, job.stage)));
      checkDeclared(stage, job, job.declared);
      checkVariables(job.components.env ?? {});
    } catch (error) {
      return {
        ...failureOf(error),
        code: codeOf(error) ?? "stage/load-failed",
        error: `cannot load the stage: ${messageOf(error)}`,
      };
    }
    const log = (text: string) => tell({ type: "log", text });
    return await reads.executing(stage.env, log, () => executeJob(stage, job, tell, stop));
  } catch (error) {
    return outcomeOf(error, stop);
  }
}

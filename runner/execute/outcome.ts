import { clipped, codeOf, hintOf, messageOf, textOf } from "../../foundation/errors.ts";
import { DamagedError, InterruptedError } from "../errors.ts";
import type { Outcome } from "./job.ts";

/** Number of nested causes shown. */
const CAUSES = 8;

/** The outcome of an execution that threw. */
export function outcomeOf(error: unknown, stop: AbortSignal): Outcome {
  try {
    if (error instanceof DamagedError) {
      return { kind: "damaged", code: error.code, error: error.message, digests: error.digests };
    }
    if (stop.aborted && (error instanceof InterruptedError || error === stop.reason || isAbort(error))) {
      return { kind: "interrupted" };
    }
    return failureOf(error);
  } catch {
    return {
      kind: "failed",
      code: "stage/threw",
      error: `something that cannot be shown was thrown: ${textOf(error)}`,
    };
  }
}

/** Converts anything thrown to a failure. */
export function failureOf(error: unknown): Outcome & { kind: "failed" } {
  const hint = hintOf(error);
  const stack = stackOf(error);
  return {
    kind: "failed",
    code: codeOf(error) ?? "stage/threw",
    error: messageOf(error),
    ...(hint === undefined ? {} : { hint: clipped(hint) }),
    ...(stack === undefined ? {} : { stack: clipped(stack) }),
  };
}

function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

/** The stack with those of its causes; undefined for what is no error. */
function stackOf(error: unknown): string | undefined {
  const stacks: string[] = [];
  const seen = new Set<unknown>();
  try {
    for (let e = error; e instanceof Error && !seen.has(e) && stacks.length < CAUSES; e = e.cause) {
      seen.add(e);
      stacks.push(typeof e.stack === "string" ? e.stack : messageOf(e));
    }
  } catch {
    // Inspecting the error throws: keep what was collected so far.
  }
  return stacks.length === 0 ? undefined : stacks.join("\nCaused by: ");
}

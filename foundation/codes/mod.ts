/**
 * All error codes: what each means, an example, what to do. docs/errors.md is made of them by `deno task docs:errors`.
 *
 * A code reads `subject/problem`. It is stable from one version to the next: programs compare it and people look it up.
 */
import { circuitCodes } from "./circuits.ts";
import { commandCodes } from "./commands.ts";
import { dataCodes } from "./datasets.ts";
import type { CodeEntry } from "./entry.ts";
import { fileCodes } from "./foundation.ts";
import { kernelCodes } from "./kernels.ts";
import { runnerCodes } from "./runner.ts";
import { stageCodes } from "./stages.ts";
import { storeCodes } from "./store.ts";
import { textCodes } from "./texts.ts";

export type { CodeEntry };

/** All codes of Retort, in the order of docs/errors.md. */
export const errorCodes = {
  ...commandCodes,
  ...runnerCodes,
  ...storeCodes,
  ...fileCodes,
  ...dataCodes,
  ...textCodes,
  ...stageCodes,
  ...circuitCodes,
  ...kernelCodes,
} as const;

/** A code for the errors of your own stages and pipelines: `own/` and a name. */
export type OwnCode = `own/${string}`;

/** Identifies a kind of error: one of those in docs/errors.md, or one of your own. */
export type ErrorCode = keyof typeof errorCodes | OwnCode;

/**
 * All error codes: what each means, an example, what to do. docs/errors.md is made of them by `deno task golden`.
 *
 * A code reads `subject/problem`. It is stable from one version to the next: programs compare it and people look it up.
 */
import { type CircuitCode, circuitCodes } from "./circuits.ts";
import { type CommandCode, commandCodes } from "./commands.ts";
import { type ControlCode, controlCodes } from "./control.ts";
import { type DataCode, dataCodes } from "./datasets.ts";
import type { CodeEntry } from "./entry.ts";
import { type FileCode, fileCodes } from "./foundation.ts";
import { type HubCode, hubCodes } from "./hub.ts";
import { type KernelCode, kernelCodes } from "./kernels.ts";
import { type RemoteCode, remoteCodes } from "./remote.ts";
import { type RunnerCode, runnerCodes } from "./runner.ts";
import { type StageCode, stageCodes } from "./stages.ts";
import { type StoreCode, storeCodes } from "./store.ts";
import { type TextCode, textCodes } from "./texts.ts";

export type {
  CircuitCode,
  CodeEntry,
  CommandCode,
  ControlCode,
  DataCode,
  FileCode,
  HubCode,
  KernelCode,
  RemoteCode,
  RunnerCode,
  StageCode,
  StoreCode,
  TextCode,
};

/** The codes that Retort's own errors have. */
export type RetortCode =
  | CommandCode
  | RunnerCode
  | StoreCode
  | RemoteCode
  | FileCode
  | HubCode
  | DataCode
  | TextCode
  | StageCode
  | CircuitCode
  | KernelCode
  | ControlCode;

/** All codes of Retort, in the order of docs/errors.md. */
export const errorCodes: Readonly<Record<RetortCode, CodeEntry>> = {
  ...commandCodes,
  ...runnerCodes,
  ...storeCodes,
  ...remoteCodes,
  ...fileCodes,
  ...hubCodes,
  ...dataCodes,
  ...textCodes,
  ...stageCodes,
  ...circuitCodes,
  ...kernelCodes,
  ...controlCodes,
};

/** A code for the errors of your own stages and pipelines: `own/` and a name. */
export type OwnCode = `own/${string}`;

/** Identifies a kind of error: one of those in docs/errors.md, or one of your own. */
export type ErrorCode = RetortCode | OwnCode;

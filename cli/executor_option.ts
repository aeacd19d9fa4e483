import { Option } from "commander";
import { EXECUTORS } from "../runner/execute/executors.ts";
import type { ExecutorKind } from "../runner/execute/executor.ts";

/** `--executor`, of commands that run stages. */
export const EXECUTOR = new Option(
  "--executor <name>",
  "what executes stages (default: processes, or threads with --jobs 0)",
).choices(EXECUTORS.map(({ name }) => name));

/** The executor of a name, for a session. */
export function chosenExecutor(name: string | undefined): { executor?: ExecutorKind } {
  const executor = EXECUTORS.find((kind) => kind.name === name);
  return executor === undefined ? {} : { executor };
}

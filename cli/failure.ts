import { CommanderError } from "commander";
import { codeOf, type ErrorCode, exitCodeOf, hintOf, messageOf } from "../foundation/errors.ts";
import { fileFault, isWall } from "../foundation/faults.ts";
import { clean, hasAnswered, note, paint, printJson } from "./output.ts";

/** What `--json` prints in the place of a result when a command fails. */
export interface Failure {
  readonly error: { readonly code: ErrorCode; readonly message: string; readonly hint: string | null };
}

/**
 * Shows why a command failed: to a person on standard error, and with `--json` as the document on standard output, unless
 * the command has written one that tells more.
 *
 * @param args of the command line.
 * @returns the exit code.
 */
export function showFailure(thrown: unknown, args: readonly string[]): number {
  const error = isWall(thrown) ? fileFault(thrown, "using", "a file") : thrown;
  const { code, message, hint, exitCode } = factsOf(error);
  if (exitCode === 0) return 0; // `--help` and `--version`.
  if (args.includes("--json") && !hasAnswered()) {
    printJson({ error: { code, message, hint: hint ?? null } } satisfies Failure);
  }
  if (error instanceof CommanderError) return exitCode; // It has told.
  note(`${paint("red", "error")}${paint("dim", `[${code}]`)}${paint("red", ":")} ${clean(message)}`);
  if (hint !== undefined) note(clean(hint));
  if (args.includes("--verbose")) {
    for (let e: unknown = error; e instanceof Error; e = e.cause) note(e.stack ?? e.message);
  } else if (code === "command/unexpected") {
    note("This looks like a fault in Retort or in a stage. Run again with --verbose for the stack trace.");
  }
  return exitCode;
}

/** What there is to tell of anything that was thrown. */
interface Facts {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string | undefined;
  readonly exitCode: number;
}

function factsOf(error: unknown): Facts {
  if (error instanceof CommanderError) {
    // Commander's own faults are wrong calls.
    const message = error.message.replace(/^error: /, "");
    return { code: "command/usage", message, hint: undefined, exitCode: error.exitCode === 0 ? 0 : 2 };
  }
  if (error instanceof Deno.errors.NotCapable) {
    return {
      code: "file/permission",
      message: messageOf(error),
      hint:
        "The task's permissions in deno.json do not cover this; docs/permissions.md says what each is for.",
      exitCode: 1,
    };
  }
  return {
    code: codeOf(error) ?? "command/unexpected",
    message: messageOf(error),
    hint: hintOf(error),
    exitCode: exitCodeOf(error) ?? 1,
  };
}

/** The command line: parses arguments, calls the runner, shows what came of it. */
import { exit } from "./exit.ts";
import { CommanderError } from "commander";
import { exitCodeOf, hintOf, messageOf } from "../foundation/errors.ts";
import { fileFault, isWall } from "../foundation/faults.ts";
import { clean, note, paint } from "./output.ts";
import { COMMANDS } from "./commands.ts";
import { calledCommand, loadCommands, parserOf } from "./parser.ts";

/** Commander's own faults are wrong calls: exit code 2. */
function throwInsteadOfExit(
  command: { exitOverride(): unknown; configureOutput(o: object): unknown; commands: readonly unknown[] },
) {
  command.exitOverride();
  command.configureOutput({ writeErr: (text: string) => note(text.trimEnd()) });
  for (const sub of command.commands) throwInsteadOfExit(sub as typeof command);
}

/** Shows an error to a person and returns the exit code. */
function report(thrown: unknown): number {
  const error = isWall(thrown) ? fileFault(thrown, "using", "a file") : thrown;
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const refused = error instanceof Deno.errors.NotCapable;
  const known = refused ? 1 : exitCodeOf(error);
  note(`${paint("red", "error:")} ${clean(messageOf(error))}`);
  const hint = refused
    ? "The task's permissions in deno.json do not cover this; docs/permissions.md says what each is for."
    : hintOf(error);
  if (hint !== undefined) note(clean(hint));
  if (Deno.args.includes("--verbose")) {
    for (let e: unknown = error; e instanceof Error; e = e.cause) note(e.stack ?? e.message);
  } else if (known === undefined) {
    note("This looks like a fault in Retort or in a stage. Run again with --verbose for the stack trace.");
  }
  return known ?? 1;
}

/** Runs the command that was called and returns the exit code. */
async function main(): Promise<number> {
  try {
    const called = calledCommand(Deno.args);
    const parser = parserOf(await loadCommands(called === undefined ? Object.keys(COMMANDS) : [called]));
    throwInsteadOfExit(parser as never);
    await parser.parseAsync(Deno.args, { from: "user" });
    return Number(Deno.exitCode);
  } catch (error) {
    return report(error);
  }
}

// Without an `await` here, so that a command that waits for what never comes can be told apart from one that has ended.
globalThis.addEventListener("beforeunload", (event) => {
  // Where a pipeline or a stage is at work it is their failure, which another listener makes of it.
  queueMicrotask(() => {
    if (event.defaultPrevented) return;
    exit(report(new Error("the command awaits a promise that never settles, and nothing is left to do")));
  });
});
// Not left to the event loop: a stage that was stopped in this process may still hold a timer.
main().then(exit);

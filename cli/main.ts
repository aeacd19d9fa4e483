/** The command line: parses arguments, calls the runner, shows the outcome. */
import { exit } from "./exit.ts";
import { showFailure } from "./failure.ts";
import { note } from "./output.ts";
import { loadCommands, neededCommands, parserOf } from "./parser.ts";

/** Commander's own faults are wrong calls: exit code 2. */
function throwInsteadOfExit(
  command: { exitOverride(): unknown; configureOutput(o: object): unknown; commands: readonly unknown[] },
) {
  command.exitOverride();
  command.configureOutput({
    writeErr: (text: string) => note(text.trimEnd()),
    outputError: (text: string, write: (text: string) => void) =>
      write(text.replace(/^error:/, "error[command/usage]:")),
  });
  for (const sub of command.commands) throwInsteadOfExit(sub as typeof command);
}

/** Runs the command that was called and returns the exit code. */
async function main(): Promise<number> {
  try {
    const parser = parserOf(await loadCommands(neededCommands(Deno.args)));
    throwInsteadOfExit(parser as never);
    await parser.parseAsync(Deno.args, { from: "user" });
    return Number(Deno.exitCode);
  } catch (error) {
    return showFailure(error, Deno.args);
  }
}

// No top-level `await`: Deno would end with an error of its own if the command awaited a promise that never settles.
globalThis.addEventListener("beforeunload", (event) => {
  // If a pipeline or a stage is running, its own listener turns this into its failure.
  queueMicrotask(() => {
    if (event.defaultPrevented) return;
    exit(
      showFailure(
        new Error("the command awaits a promise that never settles, and nothing is left to do"),
        Deno.args,
      ),
    );
  });
});
// Exit explicitly: a stage stopped in this process may still hold a timer.
main().then(exit);

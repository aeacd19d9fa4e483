import { Argument } from "commander";
import { completionScript, type Shell, SHELLS } from "../completion/scripts.ts";
import { JSON_OUTPUT, VERBOSE } from "../options.ts";
import { print, printJson } from "../output.ts";
import { defineCommand } from "../command.ts";

export default defineCommand({
  name: "completion",
  summary: "print what a shell needs to complete commands, options, nodes and runs",
  permissions: ["--allow-read", "--allow-env=NO_COLOR,FORCE_COLOR,CLICOLOR_FORCE,CI,TERM,INIT_CWD"],
  quiet: true,
  declare: (command) =>
    command.addArgument(new Argument("<shell>", "the shell").choices(SHELLS)).addOption(JSON_OUTPUT)
      .addOption(VERBOSE).action(completion),
});

function completion(shell: Shell, options: { json?: true }): void {
  const script = completionScript(shell);
  if (options.json) printJson({ shell, script });
  else print(script.trimEnd());
}

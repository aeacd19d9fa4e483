import { dirname, relative } from "node:path";
import { CallError } from "../../foundation/errors.ts";
import { guardedSync } from "../../foundation/faults.ts";
import { didYouMean } from "../../foundation/nearest.ts";
import { OWN_ROOT } from "../../foundation/own_package.ts";
import { configAbove } from "../../runner/project.ts";
import { defineCommand } from "../command.ts";
import { callFolder, JSON_OUTPUT, VERBOSE } from "../options.ts";
import { print, printJson, table } from "../output.ts";

export default defineCommand({
  name: "example",
  summary: "copy a pipeline of Retort's own into the project; without a name, list them",
  permissions: [
    "--allow-read",
    "--allow-write",
    "--allow-env=INIT_CWD,CI,TERM,NO_COLOR,FORCE_COLOR,CLICOLOR_FORCE",
  ],
  declare: (command) =>
    command.argument("[name]", "as the list names it").addOption(JSON_OUTPUT).addOption(VERBOSE)
      .action(example),
});

/** Where Retort's own pipelines lie: each runs by itself, in any project. */
const FOLDER = new URL("pipelines/", OWN_ROOT);

function example(name: string | undefined, options: { json?: true }): void {
  const names = [...Deno.readDirSync(FOLDER)].map((entry) => entry.name.replace(/\.ts$/, "")).sort();
  if (name === undefined) return listed(names, options);
  if (!names.includes(name)) {
    throw new CallError(
      "command/no-pipeline-file",
      `there is no pipeline \`${name}\`${didYouMean(name, names)}`,
      { hint: "`deno task example` lists them." },
    );
  }
  const config = configAbove(callFolder());
  if (config === undefined) {
    throw new CallError(
      "project/none",
      `${callFolder()} lies in no project: no folder above it has a deno.json`,
      {
        hint: "`retort init DIR` makes a project.",
      },
    );
  }
  const project = dirname(config), path = `${project}/pipelines/${name}.ts`;
  copy(textOf(name), path);
  const shown = relative(callFolder(), path);
  if (options.json) printJson({ name, file: path });
  else print(`${shown}\n\n  deno task run pipelines/${name}.ts --dry-run`);
}

function listed(names: readonly string[], options: { json?: true }): void {
  const rows = names.map((name) => ({ name, about: aboutIn(textOf(name)) }));
  if (options.json) printJson(rows);
  else print(table(["NAME", "WHAT"], rows.map(({ name, about }) => [name, about])));
}

function textOf(name: string): string {
  return Deno.readTextFileSync(new URL(`${name}.ts`, FOLDER));
}

/** The first clause of the comment that a pipeline file begins with. */
function aboutIn(text: string): string {
  const [, comment] = /^\/\*\*(.*?)\*\//s.exec(text) ?? [];
  return (comment ?? "").replaceAll(/\s*\n \* ?/g, " ").trim().split(/[:.](?:\s|$)/, 1)[0]!;
}

/** @throws CallError where there is another file: it may be the user's work. */
function copy(text: string, path: string): void {
  guardedSync("writing", path, () => {
    Deno.mkdirSync(dirname(path), { recursive: true });
    try {
      Deno.writeTextFileSync(path, text, { createNew: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      if (Deno.readTextFileSync(path) === text) return;
      throw new CallError("command/file-there", `${path} is there, with another text`, {
        hint: "Move it away, or give it another name.",
      });
    }
  });
}

import { basename, dirname, relative, resolve } from "node:path";
import { Option } from "commander";
import { removeQuietly, uniqueName } from "../../foundation/atomic.ts";
import { CallError } from "../../foundation/errors.ts";
import { fileFault, guardedSync } from "../../foundation/faults.ts";
import { badFileName } from "../../foundation/file_names.ts";
import { VERSION } from "../../foundation/own_package.ts";
import { defineCommand, type TaskCommand } from "../command.ts";
import { projectConfig } from "../init/config.ts";
import { type ProjectTemplate, readTemplate, TEMPLATES } from "../init/template.ts";
import { callFolder, JSON_OUTPUT, userPath, VERBOSE } from "../options.ts";
import { print, printJson } from "../output.ts";

/** The version of Deno with which a new project's tests run elsewhere. */
const DENO = Deno.version.deno;

export default defineCommand({
  name: "init",
  summary: "make a project of your own: pipelines, a stage with its test, tasks",
  permissions: ["--allow-read", "--allow-write", "--allow-env"],
  declare: (command, all) =>
    command.argument("<dir>", "a new or empty folder").addOption(
      new Option("--template <name>", "what the first pipeline is about").choices(TEMPLATES).default("plain"),
    ).addOption(JSON_OUTPUT).addOption(VERBOSE)
      .action(async (dir, options) => init(dir, options, await all())),
});

function init(
  dir: string,
  options: { template: ProjectTemplate; json?: true },
  commands: readonly TaskCommand[],
): void {
  const folder = userPath(dir);
  const name = basename(folder);
  checkPlace(folder, name);
  // Who came by `npx` may have no Deno of their own.
  const task = `${Deno.env.get("RETORT_DENO") || "deno"} task`;
  const template = readTemplate(options.template, { name, version: VERSION, task, deno: DENO });
  const files = new Map(template.files);
  files.set("deno.json", new TextEncoder().encode(`${JSON.stringify(projectConfig(commands), null, 2)}\n`));
  writeAll(folder, files);
  const call = `${task} run ${template.try}`;
  if (options.json) {
    return printJson({ folder, template: options.template, files: [...files.keys()].sort(), try: call });
  }
  const inside = relative(callFolder(), folder);
  print(
    `${folder}: ${template.summary}\n\n` +
      (inside === "" ? "" : `  cd ${inside.startsWith("..") ? folder : inside}\n`) +
      `  ${call}\n  ${task} test`,
  );
}

/** @throws CallError when no project can be made there. */
function checkPlace(folder: string, name: string): void {
  const fault = badFileName(name) ?? (name.startsWith("-") ? "it begins like an option" : undefined);
  if (fault !== undefined) {
    throw new CallError("command/options", `${JSON.stringify(name)} cannot name a project: ${fault}`, {
      hint: "Letters, digits, `.`, `_` and `-` are good in every name.",
    });
  }
  let info: Deno.FileInfo;
  try {
    info = Deno.lstatSync(folder);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    if (error instanceof Deno.errors.NotADirectory) {
      throw new CallError("command/options", `${folder} cannot be made: a folder of its path is a file`);
    }
    throw fileFault(error, "making", folder);
  }
  if (!info.isDirectory) throw new CallError("command/folder-not-empty", `${folder} is no folder`);
  if ([...Deno.readDirSync(folder)].length > 0) {
    throw new CallError("command/folder-not-empty", `${folder} is not empty`, { hint: "Name a new folder." });
  }
}

/** Writes a project: all of it appears, or nothing. */
function writeAll(folder: string, files: ReadonlyMap<string, Uint8Array>): void {
  const made = firstMissing(folder);
  const temp = `${folder}.${uniqueName()}`;
  const moved: string[] = [];
  try {
    guardedSync("making", folder, () => {
      for (const [path, bytes] of files) {
        Deno.mkdirSync(dirname(resolve(temp, path)), { recursive: true });
        Deno.writeFileSync(resolve(temp, path), bytes);
      }
      if (made !== undefined) return Deno.renameSync(temp, folder);
      // Somebody may be in the empty folder: it stays the same one.
      for (const { name } of [...Deno.readDirSync(temp)]) {
        Deno.renameSync(`${temp}/${name}`, `${folder}/${name}`);
        moved.push(`${folder}/${name}`);
      }
      Deno.removeSync(temp);
    });
  } catch (error) {
    for (const path of [temp, ...moved, ...made === undefined ? [] : [made]]) removeQuietly(path);
    throw error;
  }
}

/** The topmost folder of a path that is not there yet. */
function firstMissing(folder: string): string | undefined {
  try {
    Deno.statSync(folder);
    return undefined;
  } catch {
    return firstMissing(dirname(folder)) ?? folder;
  }
}

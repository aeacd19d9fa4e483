import process from "node:process";
import { CallError } from "../foundation/errors.ts";
import { isPacked, OWN_ROOT, ownExport, PACKAGE_NAME, VERSION } from "../foundation/own_package.ts";
import { programArguments } from "../runner/program.ts";
import { configAbove, type Project } from "../runner/project.ts";
import { exit } from "./exit.ts";

/** Tells a process that this one starts with which configuration it was started. */
const CONFIG = "RETORT_CONFIG";

/**
 * Continues in a process whose imports are those of the project; where that is this one, returns. Deno chooses a configuration when it
 * starts: by the folder of the main module, or for npm packages by the working folder.
 *
 * @param permissions of the command.
 * @throws CallError for a project that does not name Retort.
 */
export async function continueIn(project: Project, permissions: readonly string[]): Promise<void> {
  if (project.config === configOfProcess() && isReachable(permissions)) return;
  const names = Object.values(project.imports.imports);
  if (isPacked && !names.some((target) => ownExport(target) !== undefined)) {
    throw new CallError("project/import", `no import of ${project.config} is Retort`, {
      hint: `Add to its imports: "retort": "npm:${PACKAGE_NAME}@${VERSION}".`,
    });
  }
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", ...permissions],
      ...programArguments(new URL(isPacked ? "cli/main.js" : "cli/main.ts", OWN_ROOT), project.config),
      ...Deno.args,
    ],
    env: { [CONFIG]: `${Deno.pid} ${project.config}` },
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
  // Ctrl-C at a terminal reaches both; what is sent to this process alone is passed on.
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => {
      try {
        child.kill(signal);
      } catch {
        // It has ended.
      }
    });
  }
  exit((await child.status).code);
}

/** Whether this process may reach the hosts that the permissions name. */
function isReachable(permissions: readonly string[]): boolean {
  const hosts = permissions.flatMap((flag) => /^--allow-net=(.+)$/.exec(flag)?.[1]?.split(",") ?? []);
  return hosts.every((host) => Deno.permissions.querySync({ name: "net", host }).state === "granted");
}

/** The configuration with which Deno started this process. */
function configOfProcess(): string | undefined {
  const told = /^(\d+) (.+)$/.exec(Deno.env.get(CONFIG) ?? "");
  // A variable of a process further up is not about this one.
  if (told !== null && Number(told[1]) === process.ppid) return told[2];
  return configAbove(isPacked ? Deno.cwd() : OWN_ROOT.pathname);
}

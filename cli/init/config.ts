import { fileURLToPath } from "node:url";
import { isPacked, OWN_ROOT, ownManifest, PACKAGE_NAME, VERSION } from "../../foundation/own_package.ts";
import type { TaskCommand } from "../command.ts";
import { tasksOf } from "../tasks.ts";

/** Commands that a project's own tasks are not for: a project is made once. */
const WITHOUT = ["init"];

/**
 * The `deno.json` of a new project: packages by exact version, and tasks that may do what each command needs and no more.
 *
 * @param commands that become tasks.
 */
export function projectConfig(commands: readonly TaskCommand[]): object {
  const { imports } = ownManifest();
  const zod = imports["zod"]!;
  const main = isPacked ? "retort/cli" : fileURLToPath(new URL("cli/main.ts", OWN_ROOT));
  const tasks = {
    ...tasksOf(commands.filter(({ name }) => !WITHOUT.includes(name)), main),
    test: "deno test --allow-read --allow-write --allow-run --allow-env --allow-sys --allow-ffi",
  };
  if (isPacked) {
    return {
      imports: { retort: `npm:${PACKAGE_NAME}@${VERSION}`, zod },
      tasks,
      nodeModulesDir: "none",
      // What Retort's release of today needs is older than a day, as everything else must be.
      minimumDependencyAge: { age: "P1D", exclude: [`npm:${PACKAGE_NAME}`] },
      compilerOptions: {
        strict: true,
        noUncheckedIndexedAccess: true,
        lib: ["deno.window", "deno.unstable"],
      },
    };
  }
  const own = (target: string) => target.startsWith(".") ? new URL(target, OWN_ROOT).href : target;
  const all = Object.fromEntries(Object.entries(imports).map(([name, target]) => [name, own(target)]));
  const exported = Object.entries(all).filter(([name]) => /^retort(?:\/|$)/.test(name));
  return {
    imports: { ...Object.fromEntries(exported), zod },
    scopes: { [OWN_ROOT.href]: all },
    tasks,
    nodeModulesDir: "none",
    compilerOptions: {
      strict: true,
      noUncheckedIndexedAccess: true,
      lib: ["deno.window", "deno.unstable"],
      jsx: "react-jsx",
      jsxImportSource: "preact",
    },
  };
}

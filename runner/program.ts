import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { writeFileAtomic } from "../foundation/atomic.ts";
import { digestBytes } from "../foundation/canonical.ts";
import { guardedSync } from "../foundation/faults.ts";
import { isPacked, OWN_ROOT, ownPath, PACKAGE_NAME, VERSION } from "../foundation/own_package.ts";
import { isOwnProject, joinedMap, type Project, readProject } from "./project.ts";

/**
 * Arguments of Deno, after the permissions, that start one of Retort's own modules as a program of a project: the project's
 * configuration and lock file decide, and Retort's own modules keep what Retort says of their imports.
 *
 * @param module file URL.
 * @param config path of the project's `deno.json`; without one, Retort alone decides.
 */
export function programArguments(module: URL, config?: string): string[] {
  const path = fileURLToPath(module);
  if (!isPacked) {
    const own = fileURLToPath(new URL("deno.json", OWN_ROOT));
    const project = config === undefined || config === own ? undefined : readProject(config);
    if (project === undefined || isOwnProject(project)) return ["--config", own, path];
    // A project that `init` made here says it all itself.
    if (Object.hasOwn(project.imports.scopes, OWN_ROOT.href)) return ["--config", project.config, path];
    return ["--config", project.config, `--import-map=${joinedMapFile(project)}`, path];
  }
  if (config !== undefined) return ["--config", config, path];
  // npm's own folders need no configuration; Deno's cache is found by the package's name alone.
  return OWN_ROOT.pathname.includes("/node_modules/")
    ? ["--no-config", "--node-modules-dir=manual", path]
    : ["--no-config", `npm:${PACKAGE_NAME}@${VERSION}/${ownPath(module.href)}`];
}

/** Path of a file with the joined import map, which Deno takes from files alone. */
function joinedMapFile(project: Project): string {
  const text = JSON.stringify(joinedMap(project.imports));
  const folder = `${dirname(project.config)}/.retort/imports`;
  const path = `${folder}/${digestBytes(text).slice(0, 16)}.json`;
  if (!existsSync(path)) {
    guardedSync("making", folder, () => Deno.mkdirSync(folder, { recursive: true }));
    writeFileAtomic(folder, path, new TextEncoder().encode(text));
  }
  return path;
}

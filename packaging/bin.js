#!/usr/bin/env node
/**
 * The `retort` command. Deno runs it as it is; Node starts the Deno that npm has installed beside it, with the permissions of the command
 * that is called, and in a project with the Retort that the project names.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

if (globalThis.Deno === undefined) start();
else await import("../cli/main.js");

function start() {
  const own = fileURLToPath(new URL("..", import.meta.url));
  const { name, retort: { permissions, deno, lock } } = JSON.parse(
    readFileSync(join(own, "package.json"), "utf8"),
  );
  const args = process.argv.slice(2);
  const config = configAbove(process.cwd());
  const specifier = config === undefined ? undefined : named(readFileSync(config, "utf8"), name);
  const fault = config === undefined ? undefined : lockFault(config, lock);
  if (fault !== undefined) {
    console.error(fault);
    process.exitCode = 2;
    return;
  }
  const flags = permissions[args[0]] ?? permissions[""];
  const main = specifier === undefined
    ? ["--no-config", "--node-modules-dir=manual", join(own, "cli", "main.js")]
    : ["--config", config, `${specifier}/cli`];
  const [program, ...first] = denoProgram(deno);
  const child = spawn(program, [...first, "run", "--quiet", ...flags, ...main, ...args], {
    stdio: "inherit",
    // Windows starts `npx.cmd` by its shell alone.
    shell: program === "npx" && process.platform === "win32",
    // Paths are meant as the caller wrote them; a project's store lies in its folder.
    cwd: specifier === undefined ? process.cwd() : dirname(config),
    env: {
      ...process.env,
      INIT_CWD: process.cwd(),
      RETORT_DENO: onPath("deno") ? "deno" : `npx deno@${deno}`,
    },
  });
  // Ctrl-C reaches all of a terminal's processes: this one waits for the other to save what it has.
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    console.error(
      `error: cannot start Deno, which Retort runs in: ${error.message}\n` +
        `Install it (https://deno.com), or npm with its program npx; or add deno@${deno} to your package.json.`,
    );
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? (signal === "SIGINT" ? 130 : 1);
    if (code !== 0 && program === "npx" && !isFetched(deno)) {
      console.error(
        `error: Retort runs in Deno ${deno}, which npx could not fetch: is there a network? Nothing was done.\n` +
          "Install Deno (https://deno.com), or call Retort once where there is a network: npm keeps what it fetched.",
      );
    }
  });
}

/** What is wrong with the lock file of a project, which Deno would read before any program of Retort's. */
function lockFault(config, newest) {
  // One at another place is Deno's to read.
  if (/"lock"\s*:/.test(readFileSync(config, "utf8"))) return undefined;
  const path = join(dirname(config), "deno.lock");
  if (!existsSync(path)) return undefined;
  const advice =
    "Restore it, from version control for instance. Or delete it: Deno writes a new one, with the newest " +
    "versions of packages that fit.";
  let version;
  try {
    ({ version } = JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    return `error[project/lock]: ${path} is damaged: ${error.message}\n${advice}`;
  }
  if (Number(version) >= 1 && Number(version) <= newest) return undefined;
  const told = version === undefined ? "no version" : `version ${JSON.stringify(version)}`;
  return `error[project/lock]: ${path} has ${told}; expected one of 1 to ${newest}\n${advice}`;
}

/** Whether `npx` has a version of Deno without asking anybody. */
function isFetched(version) {
  const shell = process.platform === "win32";
  return spawnSync("npx", ["--yes", "--offline", `deno@${version}`, "--version"], { shell }).status === 0;
}

/** How to start Deno: that of the npm package `deno` if it is installed beside, one on the path, or that which `npx` fetches. */
function denoProgram(version) {
  try {
    return [createRequire(import.meta.url)("deno/install_api.cjs").runInstall()];
  } catch {
    const { stdout } = spawnSync("deno", ["--version"], { encoding: "utf8" });
    const [, major, minor] = /^deno (\d+)\.(\d+)\./.exec(stdout ?? "") ?? [];
    const [wantedMajor, wantedMinor] = version.split(".");
    if (major === wantedMajor && Number(minor) >= Number(wantedMinor)) return ["deno"];
    return ["npx", "--yes", `deno@${version}`];
  }
}

/** The nearest `deno.json` in a folder or above it. */
function configAbove(folder) {
  for (const file of ["deno.json", "deno.jsonc"]) {
    if (existsSync(join(folder, file))) return join(folder, file);
  }
  const above = dirname(folder);
  return above === folder ? undefined : configAbove(above);
}

/** The specifier by which a project names this package with an exact version. */
function named(text, name) {
  const quoted = name.replaceAll(/[/.]/g, "\\$&");
  return new RegExp(`"npm:(${quoted}@\\d+\\.\\d+\\.\\d+[^"/]*)/?"`).exec(text)?.[1].replace(/^/, "npm:");
}

/** Whether the caller finds a program; npm itself adds folders while it runs this one. */
function onPath(program) {
  return (process.env.PATH ?? "").split(process.platform === "win32" ? ";" : ":")
    .filter((folder) => !/node_modules[\\/]\.bin[\\/]?$/.test(folder))
    .some((folder) => ["", ".exe", ".cmd"].some((ending) => existsSync(resolve(folder, program + ending))));
}

import { availableParallelism, hostname } from "node:os";
import { VERSION } from "../foundation/own_package.ts";
import type { Packages } from "./packages.ts";
import type { EngineChoice } from "./stage.ts";

/** Where a run took place: recorded, never part of a key. */
export interface Environment {
  readonly deno: string;
  readonly v8: string;
  readonly typescript: string;
  readonly os: string;
  readonly host: string;
  readonly cores: number;
  readonly retort: string;
  /** Locked versions of the packages that the import map names. */
  readonly packages: Readonly<Record<string, string>>;
  /** The engine asked for. */
  readonly engine: EngineChoice;
  /** Part of the name of the WebGPU adapter asked for, if one was. */
  readonly adapter?: string;
  /** Commit and whether files differed from it; null outside a repository. */
  readonly git: { readonly commit: string; readonly dirty: boolean } | null;
}

/** Describes this machine and this code. `folder` is asked for its git commit. */
export async function describeEnvironment(
  packages: Packages,
  { engine, adapter }: { engine: EngineChoice; adapter: string | undefined },
  folder: string,
): Promise<Environment> {
  return {
    deno: Deno.version.deno,
    v8: Deno.version.v8,
    typescript: Deno.version.typescript,
    os: `${Deno.build.os} ${Deno.build.arch}`,
    host: hostname(),
    cores: availableParallelism(),
    retort: VERSION,
    packages: packages.versions(),
    engine,
    ...(adapter === undefined ? {} : { adapter }),
    git: await gitState(folder),
  };
}

async function gitState(folder: string): Promise<Environment["git"]> {
  try {
    // One call for both facts: the branch header names the commit, other lines are changes.
    const { code, stdout } = await new Deno.Command("git", {
      args: ["-C", folder, "status", "--porcelain=v2", "--branch", "--untracked-files=no"],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).output();
    if (code !== 0) return null;
    const lines = new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "");
    const commit = lines.find((line) => line.startsWith("# branch.oid "))?.slice(13) ?? "";
    if (!/^[0-9a-f]{40,64}$/.test(commit)) return null;
    return { commit, dirty: lines.some((line) => !line.startsWith("#")) };
  } catch {
    return null; // No git on this machine: nothing to record.
  }
}

/** A machine whose settings of npm and pip are those of a test. */
import type { Machine } from "../../datasets/registries/machine.ts";

export function machineWith(
  given: {
    env?: Record<string, string>;
    files?: Record<string, string>;
    pip?: string;
    os?: string;
    fetched?: string;
  } = {},
): Machine {
  return {
    env: (name) => given.env?.[name],
    read: (path) => given.files?.[path],
    ask: (program) => Promise.resolve(program === "pip" ? given.pip : undefined),
    fetched: given.fetched ?? "file:///home/me/.cache/deno/npm/packages.example/zod/4.0.0/index.js",
    folder: "/home/me/project/inner",
    os: given.os ?? "linux",
  };
}

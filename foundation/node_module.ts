import { RetortError } from "./errors.ts";

/** The modules of Node's, which Deno and Bun have too. */
interface Modules {
  "node:async_hooks": typeof import("node:async_hooks");
  "node:crypto": typeof import("node:crypto");
  "node:fs/promises": typeof import("node:fs/promises");
  "node:os": typeof import("node:os");
  "node:path": typeof import("node:path");
  "node:stream": typeof import("node:stream");
  "node:url": typeof import("node:url");
  "node:util": typeof import("node:util");
  "node:zlib": typeof import("node:zlib");
}

/**
 * A module of Node's, asked for when it is needed: bundlers for browsers must not see an import of it, and Deno starts each
 * of the larger ones in some 20 milliseconds, and the small ones together in 10.
 *
 * @throws RetortError in a browser.
 */
export function nodeModule<N extends keyof Modules>(name: N): Modules[N] {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: N): Modules[N] | undefined } };
  const found = process?.getBuiltinModule?.(name);
  if (found !== undefined) return found;
  throw new RetortError("file/no-files", `there are no files here: ${name} is missing`, {
    hint: "In a browser use the functions that take and give text and bytes, such as `decodeCircuit`.",
  });
}

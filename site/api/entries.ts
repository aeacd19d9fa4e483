import type { ApiEntry } from "./pages.ts";

/** The modules that others import. */
export function entries(): ApiEntry[] {
  return [
    { specifier: "retort", module: "mod.ts" },
    { specifier: "retort/circuits", module: "circuits/mod.ts" },
    { specifier: "retort/engines", module: "kernels/mod.ts" },
  ];
}

import { REPOSITORY } from "../repository.ts";
import type { ApiEntry } from "./pages.ts";

/** The modules that others import, as the import map of `deno.json` names them: `retort`, `retort/circuits`, … */
export function entries(): ApiEntry[] {
  const { imports } = JSON.parse(Deno.readTextFileSync(`${REPOSITORY}/deno.json`)) as {
    imports: Record<string, string>;
  };
  return Object.entries(imports).filter(([name]) => /^retort(?:\/|$)/.test(name) && name !== "retort/cli")
    .map(([specifier, path]) => ({ specifier, module: path.replace(/^\.\//, "") }));
}

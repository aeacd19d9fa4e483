/**
 * Builds the documentation as a static site.
 *
 *     deno task docs                    # into build/docs
 *     deno task docs --out FOLDER
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { buildSite } from "./site.ts";

const { values } = parseArgs({ options: { out: { type: "string", default: "build/docs" } } });
const out = resolve(Deno.env.get("INIT_CWD") ?? ".", values.out);
const { pages, bytes } = await buildSite(out);
console.log(`${pages} pages, ${(bytes / 2 ** 20).toFixed(1)} MiB: ${out}/index.html`);

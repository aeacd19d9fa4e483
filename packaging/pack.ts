/**
 * Packs Retort for npm: modules as JavaScript with their declarations, what they read beside them, templates of projects.
 *
 *     deno task pack                         # makes NAME-VERSION.tgz here
 *     deno task pack --output FILE.tgz
 *     deno task pack --version 0.3.1         # as another version, to try an upgrade
 */
import { dirname, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { packageFiles } from "./files.ts";
import { tarballOf } from "./tarball.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

const { values } = parseArgs({
  args: Deno.args,
  options: { output: { type: "string" }, version: { type: "string" } },
});
const packed = await packageFiles(ROOT, values.version);
const { name, version, files } = packed;
const output = resolve(
  process.env["INIT_CWD"] ?? ".",
  values.output ?? `${name.replace("@", "").replace("/", "-")}-${version}.tgz`,
);
const { tarball, unpacked } = await tarballOf(packed);
Deno.mkdirSync(dirname(output), { recursive: true });
Deno.writeFileSync(output, tarball);
console.log(
  `${output}: ${name}@${version}, ${files.size} files, ${(unpacked / 1e6).toFixed(1)} MB unpacked`,
);

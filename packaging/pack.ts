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
import { gzipSync } from "node:zlib";
import { packTar, type TarEntry } from "modern-tar";
import { packageFiles } from "./files.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

const { values } = parseArgs({
  args: Deno.args,
  options: { output: { type: "string" }, version: { type: "string" } },
});
const { name, version, files } = await packageFiles(ROOT, values.version);
const output = resolve(
  process.env["INIT_CWD"] ?? ".",
  values.output ?? `${name.replace("@", "").replace("/", "-")}-${version}.tgz`,
);
const tar = await packTar(
  [...files].sort(([a], [b]) => a < b ? -1 : 1).map(([path, body]): TarEntry => ({
    // Times and owners say nothing: the same sources make the same bytes.
    header: {
      name: `package/${path}`,
      size: body.length,
      mode: path.startsWith("bin/") ? 0o755 : 0o644,
      mtime: new Date(0),
    },
    body,
  })),
);
Deno.mkdirSync(dirname(output), { recursive: true });
Deno.writeFileSync(output, gzipSync(tar));
console.log(
  `${output}: ${name}@${version}, ${files.size} files, ${(tar.length / 1e6).toFixed(1)} MB unpacked`,
);

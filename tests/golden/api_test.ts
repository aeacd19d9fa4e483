import assert from "node:assert/strict";
import { dirname } from "node:path";
import { sourcesIn } from "../architecture/modules.ts";
import { ROOT } from "../command.ts";
import { checkGolden } from "../golden.ts";

/** The modules that others import: their names, signatures and types are what a version promises. */
const PUBLIC = {
  pipelines: "mod.ts",
  circuits: "circuits/mod.ts",
  kernels: "kernels/mod.ts",
  control: "control/mod.ts",
};
const ROOMS = ["mod.ts", "foundation", "circuits", "kernels", "runner", "datasets", "teachers", "control"];

/** What `deno doc` says of a module in a folder: names and signatures, if the sources there have no comments. */
async function signatures(folder: string, module: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", module],
    cwd: folder,
    env: { NO_COLOR: "1" },
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  const lines = new TextDecoder().decode(stdout).split("\n").map((line) => line.trimEnd());
  return lines.filter((line) => line !== "" && !line.startsWith("Defined in ")).join("\n");
}

Deno.test("golden: what the public modules export, with signatures", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "retort-api-" });
  try {
    for (const file of ROOMS.flatMap((room) => sourcesIn(room, /\.(tsx?|wgsl)$/))) {
      Deno.mkdirSync(dirname(`${folder}/${file}`), { recursive: true });
      const text = Deno.readTextFileSync(`${ROOT}/${file}`);
      Deno.writeTextFileSync(`${folder}/${file}`, text.replaceAll(/^[ \t]*\/\*\*[^]*?\*\/[ \t]*\n/gm, ""));
    }
    for (const file of ["deno.json", "deno.lock"]) Deno.copyFileSync(`${ROOT}/${file}`, `${folder}/${file}`);
    for (const [name, module] of Object.entries(PUBLIC)) {
      const text = await signatures(folder, module);
      assert.ok(text.split("\n").length > 20, text);
      checkGolden(`api_${name}.txt`, text);
    }
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

import assert from "node:assert/strict";
import { packModules } from "../../packaging/modules.ts";
import { ROOT } from "../command.ts";

/** All modules that importing a module loads, with the bytes of those that are files. */
async function graphOf(module: string): Promise<{ specifier: string; size?: number }[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", module],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).modules;
}

Deno.test("importing retort loads few modules, only of runner and foundation, and what starts quickly of Node and npm", async () => {
  const graph = await graphOf("mod.ts");
  const outside = graph.map(({ specifier }) => specifier).filter((one) => !one.startsWith("file:"))
    .map((one) => one.replace(/^npm:\/|@\d.*$/g, ""));
  // What is here costs every pipeline and worker: bench/package.ts says how much. `node:crypto` alone would be a quarter.
  assert.deepEqual(outside.sort(), [
    ...["canonicalize", "leven"],
    ...["node:async_hooks", "node:path", "node:url", "node:util"],
    ...["npyjs", "zod"],
  ]);
  const own = graph.filter(({ specifier }) => specifier.startsWith("file:"));
  assert.deepEqual(
    own.map(({ specifier }) => specifier.slice(`file://${ROOT}/`.length).split("/")[0])
      .filter((room) => !["mod.ts", "runner", "foundation"].includes(room!)),
    [],
  );
  const bytes = own.reduce((sum, { size = 0 }) => sum + size, 0);
  assert.ok(own.length <= 55 && bytes <= 300_000, `${own.length} modules, ${bytes} bytes`);
});

Deno.test("the package's modules import each other and packages by exact version, and hold what they import as text", async () => {
  const { imports } = JSON.parse(Deno.readTextFileSync(`${ROOT}/deno.json`));
  const { files, dependencies } = await packModules(
    ROOT,
    ["runner/bundle.ts", "runner/execute/worker_pool.ts", "kernels/webgpu/shaders/mod.ts", "cli/parser.ts"],
    imports,
  );
  assert.deepEqual(Object.keys(dependencies), ["@commander-js/extra-typings", "esbuild"]);
  for (const version of Object.values(dependencies)) assert.match(version, /^\d+\.\d+\.\d+$/);
  const all = [...files.values()].join("\n");
  assert.doesNotMatch(all, /(?:from |import\(|new URL\()"\.[^"]*\.tsx?"/);
  assert.match(files.get("runner/execute/worker_pool.js")!, /new URL\("\.\/worker\.js", import\.meta\.url\)/);
  assert.match(files.get("kernels/webgpu/shaders/mod.js")!, /@compute/);
  assert.doesNotMatch(all, new RegExp(ROOT));
  await assert.rejects(packModules(ROOT, ["cli/parser.ts"], {}), /does not name the package of "commander"/);
});

import assert from "node:assert/strict";
import { packModules } from "../../packaging/modules.ts";
import { ROOT } from "../command.ts";

/** Specifiers of all modules that importing a module loads. */
async function graphOf(module: string): Promise<string[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", module],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as { modules: { specifier: string }[] };
  return modules.map(({ specifier }) => specifier);
}

Deno.test("importing retort loads few modules and none that computes: no ONNX Runtime, no bundler, no circuits", async () => {
  const graph = await graphOf("mod.ts");
  const packages = graph.filter((one) => one.startsWith("npm:")).map((one) =>
    one.replace(/^npm:\/|@\d.*$/g, "")
  );
  assert.deepEqual(packages.sort(), ["canonicalize", "fastest-levenshtein", "npyjs", "zod"]);
  assert.ok(graph.length < 70, `${graph.length} modules`);
  assert.deepEqual(
    graph.filter((one) => /^file:.*\/(?:circuits|kernels|stages|teachers|web|cli)\/[^/]*\.ts$/.test(one)),
    [],
  );
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

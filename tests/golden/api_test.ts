import assert from "node:assert/strict";
import { dirname } from "node:path";
import { sourcesIn } from "../architecture/modules.ts";
import { ROOT } from "../command.ts";
import { checkGolden } from "../golden.ts";

const CONFIG = `${ROOT}/deno.json`;
const { exports: EXPORTS } = JSON.parse(Deno.readTextFileSync(CONFIG)) as { exports: Record<string, string> };

/** The modules that others import: their names, signatures and types are what a version promises. Commands have help instead. */
const PUBLIC = Object.entries(EXPORTS).filter(([name]) => name !== "./cli");

const ROOMS = [
  ...[
    "mod.ts",
    "foundation",
    "circuits",
    "kernels",
    "runner",
    "datasets",
    "teachers",
    "control",
    "stages",
    "browser",
  ],
];

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
    for (const [name, module] of PUBLIC) {
      const text = await signatures(folder, module);
      assert.match(text, /^(?:async )?(?:function|class|const|interface|type) /m);
      checkGolden(`api/${name === "." ? "retort" : name.slice(2).replaceAll("/", "_")}.txt`, text);
    }
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("golden: the imports of deno.json name every export, so that this project imports as others do", () => {
  const config = JSON.parse(Deno.readTextFileSync(CONFIG)) as { imports: Record<string, string> };
  const own = Object.fromEntries(
    Object.entries(EXPORTS).map(([name, path]) => [`retort${name.slice(1)}`, path]),
  );
  const isOwn = ([name]: [string, string]) => /^retort(?:\/|$)/.test(name);
  const all = Object.entries(config.imports);
  if (Deno.env.get("RETORT_RENEW_GOLDEN") === "1") {
    const imports = { ...own, ...Object.fromEntries(all.filter((entry) => !isOwn(entry))) };
    Deno.writeTextFileSync(CONFIG, JSON.stringify({ ...config, imports }, null, 2) + "\n");
    return;
  }
  assert.deepEqual(Object.fromEntries(all.filter(isOwn)), own, "renew deno.json: deno task golden");
});

Deno.test("every stage is exported, by one module of retort/stages", async () => {
  const modules = PUBLIC.filter(([name]) => name.startsWith("./stages")).map(([, path]) => path);
  const exported = await Promise.all(modules.map((path) => import(new URL(path, `file://${ROOT}/`).href)));
  const names = exported.flatMap((module) => Object.keys(module));
  const made = sourcesIn("stages").flatMap((file) =>
    [
      ...Deno.readTextFileSync(`${ROOT}/${file}`).matchAll(
        /^export const (\w+)(?:: [^=]+)? = define(?:Stage|Source)\(/gm,
      ),
    ]
      .map((match) => match[1]!)
  );
  assert.ok(made.length > 50);
  assert.deepEqual(made.filter((name) => names.filter((other) => other === name).length !== 1), []);
});

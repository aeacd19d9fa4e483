import assert from "node:assert/strict";
import { command, Folder } from "../command.ts";

const PIPELINE = `
  import process, { env } from "node:process";
  import { definePipeline, defineStage, text } from "retort";
  const imported = Deno.env.get("READ_WHEN_IMPORTED") ?? "";
  export const declares = defineStage({
    name: "declares",
    env: ["DECLARED", "DECLARED_TOO"],
    outputs: { text },
    run: () => ({ text: String((Deno.env.get("DECLARED") ?? "").length + (process.env.DECLARED_TOO ?? "").length) }),
  });
  export const reads = defineStage({
    name: "reads",
    outputs: { text },
    run() {
      for (let i = 0; i < 3; i++) {
        Deno.env.get("READ_BY_DENO");
        Deno.env.has("ASKED_FOR");
        process.env.READ_BY_NODE;
        env.READ_BY_NAME;
      }
      return { text: imported };
    },
  });
  export const looks = defineStage({
    name: "looks", outputs: { text }, run: () => ({ text: String(Object.keys({ ...process.env }).length > 0) }),
  });
  export default definePipeline({
    name: "variables",
    build: () => ({ declares: declares({}).text, reads: reads({}).text, looks: looks({}).text }),
  });`;

/** All files of a folder, as text. */
function allText(folder: string): string {
  return [...Deno.readDirSync(folder)].map(({ name, isDirectory }) =>
    isDirectory
      ? allText(`${folder}/${name}`)
      : new TextDecoder("latin1").decode(Deno.readFileSync(`${folder}/${name}`))
  ).join("\n");
}

Deno.test("declared environment variables are in the key, by digests alone; others that are read are named in the log once", async () => {
  using folder = new Folder();
  Deno.writeTextFileSync(`${folder.path}/pipe.ts`, PIPELINE);
  const run = async (jobs: string, env: Record<string, string>) => {
    const args = [
      `${folder.path}/pipe.ts`,
      "--store",
      `${folder.path}/store${jobs}`,
      "--jobs",
      jobs,
      "--json",
    ];
    const ended = await command("run", args, { env });
    assert.equal(ended.code, 0, ended.stderr);
    const { nodes } = JSON.parse(ended.stdout) as {
      nodes: { node: string; state: string; reasons: string[]; log?: string }[];
    };
    return Object.fromEntries(nodes.map((node) => [node.node, node]));
  };
  for (const jobs of ["0", "1"]) {
    const first = await run(jobs, { DECLARED: "first-secret", DECLARED_TOO: "" });
    const log = (node: string) => Deno.readTextFileSync(first[node]!.log!);
    assert.doesNotMatch(log("declares"), /DECLARED/);
    // Its module reads it when it is imported: each of its stages may depend on that.
    assert.equal(log("declares").split("READ_WHEN_IMPORTED,").length, 2);
    for (const name of ["READ_WHEN_IMPORTED", "READ_BY_DENO", "ASKED_FOR", "READ_BY_NODE", "READ_BY_NAME"]) {
      assert.equal(
        log("reads").split(`environment variable ${name}, which is not in its key`).length,
        2,
        name,
      );
    }
    assert.match(log("reads"), /declare it: `env: \["READ_BY_NODE"\]`/);
    assert.match(log("looks"), /looks at all environment variables/);
    assert.ok(log("looks").split("\n").length < 8, log("looks"));

    const states = async (env: Record<string, string>) => {
      const { declares, reads } = await run(jobs, env);
      assert.equal(reads!.state, "cached");
      return [declares!.state, ...declares!.reasons];
    };
    assert.deepEqual(await states({ DECLARED: "first-secret", DECLARED_TOO: "" }), ["cached"]);
    assert.deepEqual(await states({ DECLARED: "other-secret", DECLARED_TOO: "" }), [
      "ran",
      "environment variable DECLARED changed",
    ]);
    assert.deepEqual(await states({ DECLARED: "other-secret" }), [
      "ran",
      "environment variable DECLARED_TOO is not set any more",
    ]);
    assert.doesNotMatch(allText(`${folder.path}/store${jobs}`), /-secret/);
  }
});

Deno.test("a variable that a stage declares and another one sets, and a name that is none, are refused", async () => {
  using folder = new Folder();
  const pipeline = (env: string, set: string) => `
    import { definePipeline, defineStage, text } from "retort";
    export const sets = defineStage({
      name: "sets", outputs: { text }, run() { Deno.env.set("${set}", "x"); return { text: "" }; },
    });
    export const declares = defineStage({
      name: "declares", env: ${env}, inputs: { text }, outputs: { text },
      run: () => ({ text: Deno.env.get("DECLARED") ?? "none" }),
    });
    export default definePipeline({ name: "p", build: () => ({ t: declares({ text: sets({}).text }).text }) });`;
  Deno.writeTextFileSync(`${folder.path}/pipe.ts`, pipeline(`["DECLARED"]`, "DECLARED"));
  // One worker executes both: what the first stage sets, the second one would see.
  const ended = await command("run", [`${folder.path}/pipe.ts`, "--store", folder.store, "--jobs", "1"]);
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /environment variables changed since the node was planned: DECLARED/);
  for (const name of [`[""]`, `["A B"]`, `["A=B"]`, "[7]"]) {
    Deno.writeTextFileSync(`${folder.path}/pipe.ts`, pipeline(name, "X"));
    const ended = await command("run", [`${folder.path}/pipe.ts`, "--store", folder.store]);
    assert.equal(ended.code, 2, name);
    assert.match(ended.stderr, /in `env` cannot name an environment variable/);
  }
});

import assert from "node:assert/strict";
import { command, fixture, Folder, ROOT, signalAfter, taskArguments } from "../command.ts";

const PIPELINE = `
import { z } from "zod";
import { definePipeline, defineSource, defineStage, files, text } from "retort";
const words = new URL("../words.txt", import.meta.url);
export const data = defineSource({
  name: "data",
  params: z.object({ path: z.string() }),
  locate: ({ params }) => ["a.txt", "b.txt"].map((name) => ({ name, path: params.path + "/" + name })),
});
export const join = defineStage({
  name: "join",
  inputs: { files },
  outputs: { text },
  sources: [words],
  env: ["GREETING"],
  run: async ({ inputs }) => {
    const text = [await inputs.files.text("a.txt"), Deno.readTextFileSync(words), Deno.env.get("GREETING")].join(" ");
    const data = Deno.env.get("SAVED_MEANWHILE");
    if (data !== undefined && await inputs.files.text("b.txt") === "b.txt") Deno.writeTextFileSync(data, "meanwhile");
    return { text };
  },
});
export default definePipeline({
  name: "saved",
  params: z.object({ path: z.string() }),
  build: ({ params }) => ({ text: join({ files: data({}, params).files }).text }),
});
`;

function prepare(folder: Folder): string[] {
  const path = `${folder.path}/project/pipelines`;
  Deno.mkdirSync(path, { recursive: true });
  Deno.writeTextFileSync(`${path}/saved.ts`, PIPELINE);
  for (const name of ["project/words.txt", "a.txt", "b.txt"]) {
    Deno.writeTextFileSync(`${folder.path}/${name}`, name);
  }
  return [`${path}/saved.ts`, "--store", folder.store, "--set", `path=${folder.path}`, "--jobs", "0"];
}

Deno.test("why names the source file, the variable and the file outside the store that changed", async () => {
  using folder = new Folder();
  const args = prepare(folder);
  const env = { GREETING: "hello" };
  assert.equal((await command("run", args, { env })).code, 0);
  const reasons = async (more: Record<string, string> = {}) => {
    const { stdout, stderr } = await command("run", [...args, "--dry-run", "--json"], {
      env: { ...env, ...more },
    });
    assert.equal(stderr, "");
    const plan = JSON.parse(stdout) as { node: string; reasons: { text: string }[] }[];
    return plan.find(({ node }) => node === "join")!.reasons.map(({ text }) => text);
  };
  assert.deepEqual(await reasons(), []);
  assert.deepEqual(await reasons({ GREETING: "ho" }), ["environment variable GREETING changed"]);
  Deno.writeTextFileSync(`${folder.path}/project/words.txt`, "others");
  assert.deepEqual(await reasons(), ["source file ../words.txt changed"]);
  Deno.writeTextFileSync(`${folder.path}/b.txt`, "others");
  const [source, input] = await reasons();
  assert.equal(source, "source file ../words.txt changed");
  assert.match(input!, /^input files \(data:files\) changed: \w{8} -> \w{8} \(b\.txt\)$/);
});

Deno.test("--on-end tells a command what came of the run", async () => {
  using folder = new Folder();
  const args = prepare(folder);
  const told = await command("run", [
    ...args,
    "--on-end",
    `echo "$RETORT_PIPELINE $RETORT_STATUS $RETORT_RAN" > ${folder.path}/told`,
  ]);
  assert.equal(told.code, 0, told.stderr);
  assert.equal(Deno.readTextFileSync(`${folder.path}/told`), "saved done 1\n");
  const failed = await command("run", [...args, "--on-end", "exit 3"]);
  assert.equal(failed.code, 0, "the run itself is done");
  assert.match(failed.stderr, /--on-end: the command ended with 3/);
  // An error of the pipeline itself ends a run without a summary.
  const tell = `echo "$RETORT_STATUS $RETORT_RAN" > ${folder.path}/told`;
  const broken = await command("run", [
    ...[fixture("growing"), "--store", folder.store, "--jobs", "0", "--set", "large=true"],
    ...["--on-end", tell],
  ]);
  assert.match(broken.stderr, /1 MB at most/);
  assert.equal(Deno.readTextFileSync(`${folder.path}/told`), "failed 1\n");
  Deno.removeSync(`${folder.path}/told`);
  await command("run", [fixture("growing"), "--store", folder.store, "--set", "nothing=1", "--on-end", tell]);
  assert.throws(() => Deno.statSync(`${folder.path}/told`), Deno.errors.NotFound, "there was no run");
});

Deno.test("--watch runs again what a saved file changed, and ends by Ctrl-C", async () => {
  using folder = new Folder();
  const args = prepare(folder);
  const pipelines = `${folder.path}/project/pipelines`;
  const saves = [
    () => Deno.writeTextFileSync(`${folder.path}/project/words.txt`, "others"),
    () => Deno.writeTextFileSync(`${folder.path}/a.txt`, "others"),
    // A module with a fault, which is mended.
    () => {
      Deno.writeTextFileSync(`${pipelines}/more.ts`, "export const more = ;");
      Deno.writeTextFileSync(
        `${pipelines}/saved.ts`,
        `import { more } from "./more.ts";\nvoid more;${PIPELINE}`,
      );
    },
    () => Deno.writeTextFileSync(`${pipelines}/more.ts`, "export const more = 1;"),
  ];
  const child = new Deno.Command(Deno.execPath(), {
    args: taskArguments("run", [...args, "--watch"]),
    cwd: ROOT,
    env: { NO_COLOR: "1", SAVED_MEANWHILE: `${folder.path}/b.txt` },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  signalAfter(child, 100_000, "SIGKILL"); // Should it hang.
  let all = "", rounds = 0;
  for await (const part of child.stderr.pipeThrough(new TextDecoderStream())) {
    all += part;
    if (all.split("Ctrl-C ends").length - 1 === rounds) continue;
    rounds++;
    await new Promise((resolve) => setTimeout(resolve, 300));
    const save = saves.shift();
    if (save === undefined) child.kill("SIGINT");
    else save();
  }
  assert.equal((await child.status).code, 130, all);
  const saved = all.split(/\n(\S+) was saved/).slice(1).filter((_, i) => i % 2 === 0);
  assert.deepEqual(saved.map((path) => path.slice(folder.path.length + 1)), [
    "b.txt", // While the first run was at work, which had not yet told that it reads it.
    "project/words.txt",
    "a.txt",
    "project/pipelines/saved.ts",
    "project/pipelines/more.ts",
  ], all);
  assert.match(
    all,
    /source file \.\.\/words\.txt changed[\s\S]*\(a\.txt\)[\s\S]*more\.ts was saved\ndone in/,
  );
});

import assert from "node:assert/strict";
import { command, Folder } from "../command.ts";

/** Runs a task of a project as a user does. */
async function task(folder: string, ...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", ...args],
    cwd: folder,
    env: { NO_COLOR: "1", INIT_CWD: folder, RETORT_STORE: "", CI: "" },
  }).output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

/** Makes a project from a template, to be removed with its folder. */
async function made(folder: Folder, template: string): Promise<string> {
  const project = `${folder.path}/mine`;
  const ended = await command("init", [project, "--template", template]);
  assert.equal(ended.code, 0, ended.stderr);
  return project;
}

/** The test of a project's own stage. Types of templates are checked with those of all files. */
async function testPasses(project: string): Promise<void> {
  const tested = await task(project, "test", "--no-check");
  assert.equal(tested.code, 0, tested.stderr);
  assert.match(tested.stdout, /1 passed/);
}

// What the template of images runs and tests, and what the one of texts runs, tests/docs/tutorials_test.ts does as the tutorials say.

Deno.test("the template text comes with a test of its stage that passes", async () => {
  using folder = new Folder();
  await testPasses(await made(folder, "text"));
});

Deno.test("the template rows runs on its own small data, and its stage has a test that passes", async () => {
  using folder = new Folder();
  const project = await made(folder, "rows");
  const set = ["latents=[2]", "bells=2", "epochs=3", "seeds=1", 'ask=[{"plant":"bean","weeks":6}]']
    .flatMap((one) => ["--set", one]);
  const ran = await task(project, "run", "pipelines/first.ts", "--jobs", "0", ...set);
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(ran.stdout, /independent columns[\s\S]*answers[\s\S]*1 +likeliest +bean/);
  await testPasses(project);
});

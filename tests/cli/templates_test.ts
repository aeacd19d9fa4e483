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

/** Small settings of each template, and what its run says in the end. */
const TRIED = {
  text: [
    ["states=[3]", "epochs=2", "iterations=3", "window=8"],
    /random start[\s\S]*perplexities[\s\S]*sentences/,
  ],
  images: [
    [
      ...["size=8", "most=40", "clusters=[2]", "latents=2", "treeLatents=[2]"],
      'autoencoder={"width":8,"layers":1,"decoderWidth":8,"decoderLayers":1,"heads":2,"epochs":1}',
      'epochs={"patches":2,"top":1,"together":1}',
    ],
    /hidden Chow-Liu tree[\s\S]*inpainting[\s\S]*bits\/dim/,
  ],
  rows: [
    ["latents=[2]", "bells=2", "epochs=3", "seeds=1", 'ask=[{"plant":"bean","weeks":6}]'],
    /independent columns[\s\S]*answers[\s\S]*1 +likeliest +bean/,
  ],
} as const;

for (const [template, [settings, told]] of Object.entries(TRIED)) {
  Deno.test(`the template ${template} runs on its own small data, and its stage has a test that passes`, async () => {
    using folder = new Folder();
    const project = `${folder.path}/mine`;
    const made = await command("init", [project, "--template", template]);
    assert.equal(made.code, 0, made.stderr);
    const set = settings.flatMap((one) => ["--set", one]);
    const ran = await task(project, "run", "pipelines/first.ts", "--jobs", "0", ...set);
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, told);
    const tested = await task(project, "test");
    assert.equal(tested.code, 0, tested.stderr);
    assert.match(tested.stdout, /1 passed/);
  });
}

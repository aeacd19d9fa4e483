import assert from "node:assert/strict";
import { command, fixture, Folder } from "../../command.ts";

Deno.test("all arms of the image pipelines run, repeated, and come from the store the second time", async () => {
  using folder = new Folder();
  const run = () =>
    command("run", [
      fixture("toy_lvd"),
      ...["--store", `${folder.path}/store`, "--jobs", "2", "--json"],
      ...["--set", "patch=2", "--set", "clusters=[3]", "--set", "latents=2", "--set", "treeLatents=[2]"],
      ...["--set", 'epochs={"patches":2,"top":2,"together":1}', "--set", "repetitions=2"],
    ]);
  const first = await run();
  assert.equal(first.code, 0, first.stderr);
  const nodesOf = (stdout: string) =>
    (JSON.parse(stdout) as { nodes: { node: string; state: string }[] }).nodes;
  const names = nodesOf(first.stdout).map(({ node }) => node);
  assert.ok(names.some((name) => /train-patches.*\.1$/.test(name)), "repetitions have nodes of their own");
  const second = await run();
  assert.equal(second.code, 0, second.stderr);
  assert.ok(nodesOf(second.stdout).every(({ state }) => state === "cached"), second.stdout);
});

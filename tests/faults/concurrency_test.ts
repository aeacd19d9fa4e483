import assert from "node:assert/strict";
import { command, fixture, Folder, signalAfter } from "../command.ts";

interface NodeJson {
  readonly node: string;
  readonly state: string;
}

function ranIn(stdout: string): string[] {
  return (JSON.parse(stdout) as { nodes: NodeJson[] }).nodes.filter((node) => node.state === "ran").map((n) =>
    n.node
  );
}

Deno.test("concurrent runs of one pipeline on one store compute each node once", async () => {
  using folder = new Folder();
  const run = () => command("run", [fixture("walks"), "--json", "--store", folder.store]);
  const ended = await Promise.all([run(), run(), run(), run()]);
  for (const one of ended) assert.equal(one.code, 0, one.stderr);
  const ran = ended.flatMap((one) => ranIn(one.stdout));
  assert.equal(ran.length, 5);
  assert.equal(new Set(ran).size, 5);
  assert.equal((await command("verify", ["--store", folder.store])).code, 0);
});

Deno.test("a run goes on with what another run that is killed was computing", async () => {
  using folder = new Folder();
  const args = [fixture("walks"), "--json", "--store", folder.store, "--set", "steps=60"];
  const env = { RETORT_CHECKPOINT_SECONDS: "0" };
  const first = command("run", args, {
    env,
    onStart: (child) => signalAfter(child, 350, "SIGKILL"),
  });
  await new Promise((resolve) => setTimeout(resolve, 150));
  const second = await command("run", args, { env });
  assert.notEqual((await first).code, 0);
  assert.equal(second.code, 0, second.stderr);
  assert.equal((await command("verify", ["--store", folder.store])).code, 0);
});

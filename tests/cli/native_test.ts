import assert from "node:assert/strict";
import { findGpu } from "../../foundation/gpu.ts";
import { command, fixture, Folder } from "../command.ts";
import { partNeeds } from "../needs.ts";

interface RunJson {
  readonly outputs: Readonly<Record<string, { readonly facts: { readonly value: unknown } } | null>>;
}

Deno.test("stages reach ONNX Runtime and WebGPU in a worker, in the run's own process, in repro and verify", async () => {
  using folder = new Folder();
  const adapter = (await findGpu()?.requestAdapter())?.info.description ?? "";
  partNeeds("webgpu", adapter !== "");
  const expected = { sum: [2, 5], adapter };
  for (const jobs of ["1", "0"]) {
    const args = [fixture("native"), "--store", `${folder.store}-${jobs}`, "--jobs", jobs];
    const ended = await command("run", [...args, "--json"]);
    assert.equal(ended.code, 0, ended.stderr);
    const { outputs } = JSON.parse(ended.stdout) as RunJson;
    const values = Object.entries(outputs).map(([name, artifact]) => [name, artifact!.facts.value]);
    assert.deepEqual(Object.fromEntries(values), expected);
    if (jobs === "0") assert.equal((await command("verify", ["--execute", ...args])).code, 0);
  }
  const flag = `${folder.path}/flag`;
  const args = [fixture("native"), "--store", folder.store, "--set", `fail=${flag}`];
  assert.equal((await command("run", args)).code, 1);
  Deno.writeTextFileSync(flag, "");
  const again = await command("repro", ["native.add", "--store", folder.store]);
  assert.equal(again.code, 0, again.stderr);
  const ran = await command("run", args);
  assert.match(ran.stderr, /: 0 ran, 2 cached/);
});

Deno.test("what only looks at a pipeline may load its native libraries as well", async () => {
  using folder = new Folder();
  const ended = await command("graph", [fixture("native"), "--store", folder.store]);
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(ended.stdout, /native\.add/);
});

import assert from "node:assert/strict";
import { command, fixture, Folder } from "../command.ts";

Deno.test("jobs of any size: 20,000 inputs, a folder of many files, a parameter of two megabytes, in workers and here", async () => {
  using folder = new Folder();
  const digests: unknown[] = [];
  for (const [jobs, more] of [["2", []], ["0", ["--no-cache"]]] as const) {
    const set = ["inputs=20000", "files=3000", "text=200000"].flatMap((one) => ["--set", one]);
    const ended = await command("run", [
      ...[fixture("large"), "--store", folder.store, "--json", "--jobs", jobs, ...set, ...more],
    ]);
    assert.equal(ended.code, 0, ended.stderr);
    const { outputs, nodes } = JSON.parse(ended.stdout) as {
      outputs: Record<string, { digest: string; facts: { value: { size: number } } }>;
      nodes: { state: string }[];
    };
    assert.ok(nodes.every((node) => node.state === "ran"));
    const sizes = Object.fromEntries(
      Object.entries(outputs).map(([name, { facts }]) => [name, facts.value.size]),
    );
    assert.deepEqual(sizes, { gathered: 20_000, read: 3000 * 2999 / 2, long: 200_000 * 6 });
    digests.push(outputs);
  }
  assert.deepEqual(digests[0], digests[1]);
});

import assert from "node:assert/strict";
import { command, Folder } from "../command.ts";

const PIPELINE = `
import { z } from "zod";
import { definePipeline, json } from "retort";
import { summing as add } from "./add.ts";
import { last } from "./last.ts";
export default definePipeline({
  name: "accepting",
  params: z.object({ to: z.int().default(10) }),
  build: ({ params }) => ({ sum: last({ sum: add({}, params).sum }).sum }),
});`;

const stage = (expression: string) => `
import { z } from "zod";
import { defineStage, json } from "retort";
export const summing = defineStage({
  name: "add",
  params: z.object({ to: z.int() }),
  outputs: { sum: json("sum", z.number()) },
  run: ({ params: { to } }) => ({ sum: ${expression} }),
});`;

const LAST = `
import { z } from "zod";
import { defineStage, json } from "retort";
const sum = json("sum", z.number());
export const last = defineStage({ name: "last", inputs: { sum }, outputs: { sum }, run: ({ inputs }) => inputs });`;

Deno.test("accepted code makes nothing run; lineage tells of it, verify judges it, --no-accept takes it back", async () => {
  using folder = new Folder();
  const write = (expression: string) => Deno.writeTextFileSync(`${folder.path}/add.ts`, stage(expression));
  Deno.writeTextFileSync(`${folder.path}/last.ts`, LAST);
  Deno.writeTextFileSync(`${folder.path}/p.ts`, PIPELINE);
  write("to * (to + 1) / 2");
  const file = `${folder.path}/p.ts`, store = ["--store", folder.store];
  const run = async (...more: string[]) =>
    JSON.parse((await command("run", [file, ...store, "--jobs", "0", "--json", ...more])).stdout).nodes
      .map((node: { node: string; state: string }) => `${node.node} ${node.state}`).join();
  const accept = (...more: string[]) => command("accept", [file, ...more, ...store]);
  assert.equal(await run(), "add ran,last ran");
  assert.match((await accept("add", "--message", "x")).stderr, /has a result already/);

  write("(to * to + to) / 2");
  assert.match((await accept("add")).stderr, /--message is missing/);
  assert.match((await accept("ad", "--message", "x")).stderr, /no such node; did you mean `add`/);
  const other = await accept("add", "--message", "x", "--set", "to=11");
  assert.equal(other.code, 2);
  assert.match(other.stderr, /not only its code differs: parameter to changed/);
  const accepted = await accept("add", "--message", "multiplied out", "--by", "Ada");
  assert.equal(accepted.code, 0, accepted.stderr);
  assert.match(accepted.stdout, /^add: accepted by Ada: code changed: add\.ts/);
  assert.equal(await run(), "add cached,last cached");
  const shown = await command("show", ["sum", ...store]);
  assert.match(
    shown.stdout,
    /add:sum .*\n +accepted by Ada on \d{4}-\d\d-\d\d: multiplied out \(code changed: add\.ts/,
  );
  const verified = await command("verify", [file, "--execute", "--jobs", "0", ...store]);
  assert.equal(verified.code, 0, verified.stderr);
  assert.match(
    verified.stdout,
    /^same +add +Ada accepted a change of code \(multiplied out\): it is harmless/m,
  );

  assert.equal((await accept("add", "--no-accept")).code, 0);
  assert.match((await accept("add", "--no-accept")).stderr, /has no accepted result/);
  assert.equal(await run(), "add ran,last cached");

  write("to * to");
  assert.equal((await accept("add", "--message", "hopefully", "--by", "Bob")).code, 0);
  const wrong = await command("verify", [file, "--execute", "--jobs", "0", ...store]);
  assert.equal(wrong.code, 1);
  assert.match(
    wrong.stdout,
    /^different +add .*Bob accepted a change of code \(hopefully\): it is not harmless/m,
  );
});

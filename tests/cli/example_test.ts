import assert from "node:assert/strict";
import { command, Folder, ROOT } from "../command.ts";

/** Calls `example` in a folder. */
async function example(cwd: string, ...args: string[]) {
  return await command("example", args, { cwd });
}

Deno.test("Retort's own pipelines are listed, each with what it is about", async () => {
  const { code, stdout } = await example(ROOT, "--json");
  assert.equal(code, 0);
  const rows = JSON.parse(stdout) as { name: string; about: string }[];
  const files = [...Deno.readDirSync(`${ROOT}/pipelines`)].map(({ name }) => name).sort();
  assert.deepEqual(rows.map(({ name }) => `${name}.ts`), files);
  for (const { name, about } of rows) assert.match(about, /^[A-Z][^*]{10,}[\w)]$/, `${name}: ${about}`);
  assert.match((await example(ROOT)).stdout, /^NAME .*\n(.*\n)*quickstart /);
});

Deno.test("one of them is copied into the project, whose work is never overwritten", async () => {
  using folder = new Folder();
  const outside = await example(folder.path, "quickstart", "--json");
  assert.match(outside.stderr, /^error\[project\/none\]/);
  Deno.writeTextFileSync(`${folder.path}/deno.json`, "{}");
  Deno.mkdirSync(`${folder.path}/inside`);
  for (let calls = 0; calls < 2; calls++) {
    const { code, stdout, stderr } = await example(`${folder.path}/inside`, "quickstart");
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^\.\.\/pipelines\/quickstart\.ts\n/);
  }
  const copied = `${folder.path}/pipelines/quickstart.ts`;
  assert.equal(Deno.readTextFileSync(copied), Deno.readTextFileSync(`${ROOT}/pipelines/quickstart.ts`));
  Deno.writeTextFileSync(copied, "// mine\n");
  const refused = await example(folder.path, "quickstart");
  assert.equal(refused.code, 2);
  assert.match(
    refused.stderr,
    /^error\[command\/file-there\]: .*quickstart\.ts is there, with another text$/m,
  );
  assert.equal(Deno.readTextFileSync(copied), "// mine\n");
});

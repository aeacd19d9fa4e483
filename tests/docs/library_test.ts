import assert from "node:assert/strict";
import { Folder, ROOT } from "../command.ts";
import { deno } from "./code_blocks.ts";
import { programs, writeFiles } from "./library.ts";

Deno.test("the programs of docs/library.md run as they stand, one after another in one folder", async () => {
  using folder = new Folder();
  await writeFiles(folder.path);
  assert.ok(programs.length >= 2);
  for (const { file, line, code } of programs) {
    const path = `${folder.path}/line_${line}.ts`;
    Deno.writeTextFileSync(path, code);
    const { code: exit, stderr } = await deno(
      ["run", "--quiet", "--no-check", "--config", `${ROOT}/deno.json`, "--allow-all", path],
      folder.path,
    );
    assert.equal(exit, 0, `${file}:${line}: ${stderr}`);
  }
});

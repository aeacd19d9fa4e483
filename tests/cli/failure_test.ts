import assert from "node:assert/strict";
import { COMMANDS } from "../../cli/commands.ts";
import type { Failure } from "../../cli/failure.ts";
import { command, Folder } from "../command.ts";

const NOWHERE = ["--store", "/nonexistent/store"];

/** A wrong call of every command, with the code and the exit code that it ends with. */
const WRONG: Record<string, readonly [args: readonly string[], code: string, exitCode: number]> = {
  "run": [["nowhere.ts"], "command/no-pipeline-file", 2],
  "graph": [["nowhere.ts"], "command/no-pipeline-file", 2],
  "runs": [NOWHERE, "store/missing", 1],
  "show": [["latest/model", ...NOWHERE], "store/missing", 1],
  "compare": [["latest", ...NOWHERE], "store/missing", 1],
  "report": [["latest", ...NOWHERE], "store/missing", 1],
  "dashboard": [NOWHERE, "store/missing", 1],
  "gc": [NOWHERE, "store/missing", 1],
  "accept": [["nowhere.ts", "train", "--message", "harmless"], "command/no-pipeline-file", 2],
  "verify": [["--execute"], "command/options", 2],
  "export": [["latest", "/tmp/nowhere", ...NOWHERE], "store/missing", 1],
  "publish": [["latest/model", "--to", "me/model", ...NOWHERE], "store/missing", 1],
  "get": [["no-owner", "model"], "hub/name", 2],
  "push": [["--remote", "s3://a:b@c", ...NOWHERE], "store/missing", 1],
  "pull": [["--remote", "s3://a:b@c", ...NOWHERE], "remote/url", 2],
  "work": [NOWHERE, "store/missing", 1],
  "repro": [["train", ...NOWHERE], "store/missing", 1],
  "completion": [["tcsh"], "command/usage", 2],
  "doctor": [["--colour"], "command/usage", 2],
  "init": [["bad name", "--template", "nothing"], "command/usage", 2],
  "example": [["quikstart"], "command/no-pipeline-file", 2],
  "data list": [["--colour"], "command/usage", 2],
  "data fetch": [["mnits"], "data/unknown", 2],
};

Deno.test("every command is called wrongly here", () => {
  assert.deepEqual(Object.keys(WRONG).sort(), Object.keys(COMMANDS).sort());
});

for (const [name, [args, code, exitCode]] of Object.entries(WRONG)) {
  Deno.test(`${name}: a failure has its code on the terminal and in JSON`, async () => {
    using folder = new Folder();
    const [task, ...words] = name.split(" ");
    const ended = await command(task!, [...words, ...args, "--json"], { cwd: folder.path });
    assert.equal(ended.code, exitCode, ended.stderr);
    const { error } = JSON.parse(ended.stdout) as Failure;
    assert.equal(error.code, code);
    assert.ok(ended.stderr.startsWith(`error[${code}]: ${error.message}`), ended.stderr);
    if (error.hint !== null) assert.ok(ended.stderr.includes(error.hint));
  });
}

import assert from "node:assert/strict";
import { ROOT } from "../command.ts";

Deno.test("through generate of transformers.js draws have exactly the conditional distribution, batch by batch", async () => {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    // Without the lock: its packages are not the project's.
    args: ["run", "--quiet", "--no-lock", "--allow-all", "tests/control/transformers_generate.ts"],
    cwd: ROOT,
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert.match(text(stdout), /^as it should be$/m, text(stderr));
});

import assert from "node:assert/strict";
import { needs } from "../needs.ts";
import { onGpu } from "./webgpu/host.ts";

const SCRIPT = `
import { hmm } from "./circuits/mod.ts";
import { openEngine } from "./kernels/open.ts";
await (await openEngine(hmm({ length: 2, states: 2, symbols: 2 }), { engine: "webgpu" })).close();
`;

Deno.test({
  ...onGpu,
  ...(onGpu.ignore ? {} : needs("linux", Deno.build.os === "linux")),
  name: "drivers that a thread has loaded are marked as never to be unloaded",
  async fn() {
    const root = new URL("../../", import.meta.url).pathname;
    const run = async (...allowed: string[]) => {
      const child = new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "--no-check",
          "--no-prompt",
          "--allow-read",
          "--allow-env",
          "--allow-sys",
          ...allowed,
          "-",
        ],
        cwd: root,
        // What the loader of libraries does, on standard error.
        env: { LD_DEBUG: "files", DENO_WEBGPU_BACKEND: "vulkan", XDG_RUNTIME_DIR: "/tmp" },
        stdin: "piped",
        stderr: "piped",
        stdout: "null",
      }).spawn();
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode(SCRIPT));
      await writer.close();
      const { code, stderr } = await child.output();
      assert.equal(code, 0);
      return new TextDecoder().decode(stderr);
    };
    assert.match(await run("--allow-ffi"), /marking \S*libvulkan\S* \[0\] as NODELETE/);
    // Without the permission nobody is asked for it, and all else goes on.
    assert.doesNotMatch(await run(), /marking \S*libvulkan\S* \[0\] as NODELETE/);
  },
});

/** bench/gpu.sh in small sizes on whatever adapter is here, prepared from what is cached and without a network. */
import assert from "node:assert/strict";
import { ROOT } from "../command.ts";
import { onGpu } from "../kernels/webgpu/host.ts";
import { needs } from "../needs.ts";

Deno.test({
  ...onGpu,
  ...(onGpu.ignore ? {} : needs("linux", Deno.build.os === "linux")),
  name: "a prepared folder measures a card without a network, part by part, whatever fails",
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "retort-gpu-" });
    const run = async (program: string, args: string[], env: Record<string, string>) => {
      const { code, stderr } = await new Deno.Command(program, { args, env, clearEnv: true, stdout: "null" })
        .output();
      return { code, stderr: new TextDecoder().decode(stderr) };
    };
    const parts = (results: string) =>
      Deno.readTextFileSync(`${results}/parts.jsonl`).trim().split("\n").map((line) =>
        JSON.parse(line) as { part: string; code: number }
      );
    const read = (part: string) => JSON.parse(Deno.readTextFileSync(`${folder}/results/${part}.json`));
    try {
      const prepared = await run("bash", [
        `${ROOT}/bench/gpu.sh`,
        "--prepare",
        `${folder}/kit`,
        "--without-peer",
      ], {
        ...Deno.env.toObject(),
        XZ_OPT: "-0",
      });
      assert.equal(prepared.code, 0, prepared.stderr);
      // Neither Deno nor its packages are found anywhere but in the folder.
      const bare = { PATH: "/usr/bin:/bin", HOME: folder };
      const measure = (results: string, more = {}) =>
        run("unshare", ["--map-root-user", "--net", `${folder}/kit/gpu.sh`, "--small", results], {
          ...bare,
          ...more,
        });
      const { code, stderr } = await measure(`${folder}/results`);
      const ran = parts(`${folder}/results`);
      const logs = ran.map(({ part }) => Deno.readTextFileSync(`${folder}/results/${part}.log`)).join("");
      assert.equal(code, 0, `${stderr}${logs}`);
      assert.deepEqual(ran.map(({ part }) => part).filter((part) => part !== "card"), [
        "doctor",
        "engines",
        "hmm-64",
        "hclt-16",
      ]);
      assert.ok(
        read("doctor").engines.some(({ selfTest }: { selfTest?: unknown }) => selfTest !== undefined),
      );
      assert.ok(read("engines").figures.length >= 5);
      for (const part of ["hmm-64", "hclt-16"]) assert.ok(read(part).tflops > 0);

      const without = await measure(`${folder}/without`, { ADAPTER: "no such card" });
      assert.equal(without.code, 1);
      assert.deepEqual(parts(`${folder}/without`).map(({ part }) => part), ran.map(({ part }) => part));
      assert.match(Deno.readTextFileSync(`${folder}/without/hmm-64.log`), /no such card/);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

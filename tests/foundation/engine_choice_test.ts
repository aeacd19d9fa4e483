import assert from "node:assert/strict";

const ROOT = new URL("../../", import.meta.url);

/** What a rule of each room makes of choices on a machine with these adapters, with the name of one of them and without. */
async function choices(adapters: readonly { description: string; isFallbackAdapter?: boolean }[]) {
  const script = `
    const adapters = ${JSON.stringify(adapters)}.map((info) => ({ info }));
    const requestAdapter = ({ powerPreference, forceFallbackAdapter } = {}) =>
      Promise.resolve(
        (forceFallbackAdapter ? adapters.at(-1) : powerPreference === "low-power" ? adapters[1] : adapters[0]) ?? null,
      );
    Object.defineProperty(navigator, "gpu", { value: { requestAdapter } });
    const { impliedEngine, resolveEngine } = await import("./foundation/engine_choice.ts");
    const { chooseEngine } = await import("./kernels/open.ts");
    const found = [];
    for (const adapter of [undefined, "card"]) {
      for (const engine of ["cpu", "webgpu", "auto"]) {
        const options = { engine, ...(adapter !== undefined && { adapter }) };
        const implied = await resolveEngine(impliedEngine(engine, adapter));
        found.push([await resolveEngine(engine, adapter), implied, await chooseEngine(options)]);
      }
    }
    console.log(JSON.stringify(found));`;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", script],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  const found: string[][] = JSON.parse(new TextDecoder().decode(stdout));
  for (const rules of found) assert.equal(new Set(rules).size, 1, `the rules disagree: ${rules.join(", ")}`);
  return found.map(([engine]) => engine);
}

Deno.test("`auto` is webgpu where an adapter computes on hardware, or where one is named; other choices stand", async () => {
  const software = { description: "llvmpipe (LLVM 15.0.6, 256 bits)" }, card = { description: "A card" };
  const named = ["cpu", "webgpu", "webgpu"];
  assert.deepEqual(await choices([]), ["cpu", "webgpu", "cpu", ...named]);
  assert.deepEqual(await choices([software]), ["cpu", "webgpu", "cpu", ...named]);
  assert.deepEqual(await choices([{ description: "A card", isFallbackAdapter: true }]), [
    ...["cpu", "webgpu", "cpu"],
    ...named,
  ]);
  // Hardware that is not the default adapter counts as well.
  assert.deepEqual(await choices([software, card]), ["cpu", "webgpu", "webgpu", ...named]);
  assert.deepEqual(await choices([card, software]), ["cpu", "webgpu", "webgpu", ...named]);
});

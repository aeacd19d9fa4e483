/**
 * Runs the suites in whatever runtime loads it, a test after another, and prints a line for each and one for all.
 *
 *     node run.js TRUTH.json             # the engine cpu
 *     node run.js TRUTH.json webgpu      # the engine webgpu; where the runtime has none, on that of the npm package `webgpu`
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { collected } from "../registry.ts";
import { runtimeSuites } from "./suites.ts";

const [, , truth, engine = "cpu"] = process.argv as [string, string, string, ("cpu" | "webgpu")?];

if (engine === "webgpu" && navigator.gpu === undefined) {
  // Not to be seen by whoever collects the project's dependencies.
  const dawn = "webgpu";
  const { create, globals } = await import(dawn) as {
    create(flags: readonly string[]): GPU;
    globals: object;
  };
  Object.assign(globalThis, globals);
  Object.defineProperty(navigator, "gpu", { value: create([]) });
}

const tests = collected(() => runtimeSuites(JSON.parse(readFileSync(truth, "utf8")), engine));
let failed = 0;
for (const { name, fn } of tests) {
  const context = { name, origin: import.meta.url } as Deno.TestContext;
  try {
    await fn(context);
    console.log(`passed ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAILED ${name}`);
    console.error(error);
  }
}
console.log(`${tests.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

/** Runs the suites in whatever runtime loads it, a test after another, and prints a line for each and one for all. */
import { readFileSync } from "node:fs";
import process from "node:process";
import { collected } from "../registry.ts";
import { runtimeSuites } from "./suites.ts";

const tests = collected(() => runtimeSuites(JSON.parse(readFileSync(process.argv[2]!, "utf8"))));
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

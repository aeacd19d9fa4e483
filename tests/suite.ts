/**
 * The whole test suite: format, lint, types, documentation, tests. Prints what this machine made it leave out and
 * how to get that, and a closing line `N passed, N failed`, with `, N skipped` where tests were left out; exit code 1
 * when anything failed, and in CI (`CI` is set) when anything was left out.
 *
 *     deno task test
 *     deno task test tests/runner/key_test.ts     only these tests, without the other checks
 */
import { stripVTControlCharacters } from "node:util";
import { leftOutIn, leftOutText } from "./needs.ts";

/** What others import, whose documentation is checked; commands have help instead. */
const EXPORTED = Object.entries(
  JSON.parse(Deno.readTextFileSync(new URL("../deno.json", import.meta.url))).exports as Record<
    string,
    string
  >,
).filter(([name]) => name !== "./cli").map(([, path]) => path);

/** Types of zod stand in our signatures; the documentation check takes them for private ones of ours. */
const FOREIGN_TYPES = /references private type '(?:Zod\w+|\$stri(?:p|ct)|input|output|Extend)'/;

let passed = 0;
let failed = 0;
let skipped = 0;

/** Runs Deno with arguments; output goes through as it comes and is returned as well. */
async function deno(
  args: readonly string[],
  show = true,
  env: Record<string, string> = {},
): Promise<{ code: number; text: string }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1", ...env },
  }).spawn();
  let text = "";
  const pump = async (from: ReadableStream<Uint8Array>, to: { writeSync(bytes: Uint8Array): number }) => {
    const decoder = new TextDecoder();
    for await (const bytes of from) {
      text += decoder.decode(bytes, { stream: true });
      if (show) { for (let at = 0; at < bytes.length;) at += to.writeSync(bytes.subarray(at)); }
    }
  };
  await Promise.all([pump(child.stdout, Deno.stdout), pump(child.stderr, Deno.stderr)]);
  return { code: (await child.status).code, text: stripVTControlCharacters(text) };
}

async function check(name: string, args: readonly string[]): Promise<void> {
  const { code, text } = await deno(args, false);
  report(name, code === 0, text);
}

function report(name: string, ok: boolean, text: string): void {
  if (ok) passed++;
  else failed++;
  console.log(`${name} ... ${ok ? "ok" : "FAILED"}`);
  if (!ok) console.log(text);
}

async function checkDocumentation(files: readonly string[]): Promise<void> {
  const { text } = await deno(["doc", "--lint", ...files], false);
  const faults = text.split(/\n(?=error\[)/).filter((part) => part.startsWith("error["));
  const ours = faults.filter((fault) => !FOREIGN_TYPES.test(fault));
  const broken = faults.length === 0 && !text.includes("Checked");
  report(
    `documentation of ${files.join(", ")}`,
    ours.length === 0 && !broken,
    broken ? text : ours.join("\n"),
  );
}

/** Modules with an example in a comment: these examples are programs, and must run. */
function modulesWithExamples(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    const path = folder === "." ? name : `${folder}/${name}`;
    if (name.startsWith(".") || ["node_modules", "tests", "fixtures"].includes(name)) return [];
    if (isDirectory) return modulesWithExamples(path);
    return /\.tsx?$/.test(name) && /^ *\* ```ts$/m.test(Deno.readTextFileSync(path)) ? [path] : [];
  }).sort();
}

async function test(files: readonly string[]): Promise<void> {
  // Tests wait for processes, browsers and disks a third of their time: one more at once than there are cores.
  const jobs = Deno.env.get("DENO_JOBS") ?? String(navigator.hardwareConcurrency + 1);
  const { code, text } = await deno(
    [
      "test",
      "--allow-all",
      "--no-check",
      "--parallel",
      "--permit-no-files",
      ...files,
    ],
    true,
    { DENO_JOBS: jobs },
  );
  const summary = /^(?:ok|FAILED) \| (\d+) passed(?: \([^)]*\))? \| (\d+) failed/m.exec(text);
  if (summary === null) {
    failed++;
    return;
  }
  passed += Number(summary[1]);
  failed += Number(summary[2]);
  // A failure outside any test (an uncaught error, a leak) is a failure all the same.
  if (code !== 0 && summary[2] === "0") failed++;
  const leftOut = leftOutIn(text);
  skipped += leftOut.tests;
  if (leftOut.needs.size > 0) {
    console.log(`\nLeft out on this machine, and how to get it:\n\n${leftOutText(leftOut)}`);
    if (Deno.env.has("CI")) report("nothing is left out in CI", false, leftOutText(leftOut));
  }
  if (leftOut.unexplained.length > 0) {
    report("every test that is left out says why", false, leftOut.unexplained.join("\n"));
  }
}

const chosen = Deno.args;
if (chosen.length === 0) {
  const examples = modulesWithExamples(".");
  report("examples in comments are found", examples.length > 5, examples.join("\n"));
  // Checking types takes one core, and longer than all the others.
  await Promise.all([
    check("types", ["check", "--quiet", "."]),
    (async () => {
      await check("format", ["fmt", "--check", "--quiet"]);
      await check("lint", ["lint", "--quiet"]);
      await checkDocumentation(EXPORTED);
      // Every export names its types, and no module of the package is missing. Types are checked beside it.
      await check("package", ["publish", "--dry-run", "--allow-dirty", "--no-check"]);
      await check(`examples of ${examples.length} modules and of docs/circuits.md`, [
        ...["test", "--allow-all", "--quiet", "--doc", "docs/circuits.md"],
        ...examples,
      ]);
    })(),
  ]);
}
await test(chosen.length === 0 ? ["tests"] : chosen);
console.log(`\n${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`);
Deno.exit(failed === 0 ? 0 : 1);

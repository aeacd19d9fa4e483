import assert from "node:assert/strict";
import { ROOT } from "./command.ts";
import { leftOutIn, leftOutText } from "./needs.ts";

const NEEDY = `
import { needs, partNeeds } from ${JSON.stringify(`${ROOT}/tests/needs.ts`)};
Deno.test({ name: "first", ...needs("mount", false), fn() {} });
Deno.test({ name: "second", ...needs("linux", false), fn() {} });
Deno.test({ name: "third", ...needs("linux", true), fn() {} });
Deno.test("fourth", () => { partNeeds("data", false); });
`;
/** One telling for several tests, as of files that share a device. */
const SHARED = `
import { needs } from ${JSON.stringify(`${ROOT}/tests/needs.ts`)};
const shared = needs("webgpu", false);
for (const name of ["a", "b", "c"]) Deno.test({ name, ...shared, fn() {} });
`;
const SILENT = `Deno.test({ name: "for no reason", ignore: true, fn() {} });`;

/** What the suite says of test files, where `CI` is set or not. */
async function suite(files: Record<string, string>, ci: boolean) {
  const folder = Deno.makeTempDirSync({ prefix: "retort-suite-" });
  try {
    for (const [name, text] of Object.entries(files)) Deno.writeTextFileSync(`${folder}/${name}`, text);
    const { CI: _, ...env } = Deno.env.toObject();
    const { code, stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-read", "--allow-run", "--allow-env", `${ROOT}/tests/suite.ts`, "."],
      cwd: folder,
      clearEnv: true,
      env: { ...env, ...(ci ? { CI: "true" } : {}) },
    }).output();
    return { code, lines: new TextDecoder().decode(stdout).trim().split("\n") };
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test("what a machine lacks is left out, counted, and told with how to get it", async () => {
  const { code, lines } = await suite({ "needy_test.ts": NEEDY, "shared_test.ts": SHARED }, false);
  assert.equal(code, 0, lines.join("\n"));
  assert.equal(lines.at(-1), "2 passed, 0 failed, 5 skipped");
  const end = lines.slice(lines.findIndex((line) => line.startsWith("Left out on this machine"))).join("\n");
  assert.match(end, /^ {2}3 tests for want of a WebGPU adapter\n.*apt-get install libvulkan1/m);
  assert.match(end, /^ {2}1 test for want of a user who may mount/m);
  assert.match(end, /^ {2}1 test for want of Linux/m);
  assert.match(end, /^ {2}1 part of tests for want of data sets/m);
});

Deno.test("in CI nothing is left out: it fails", async () => {
  const { code, lines } = await suite({ "shared_test.ts": SHARED }, true);
  assert.equal(code, 1);
  assert.match(lines.at(-1)!, /^0 passed, [1-9]\d* failed/);
  const part = `import { partNeeds } from ${JSON.stringify(`${ROOT}/tests/needs.ts`)};
    Deno.test("part", () => { partNeeds("data", false); });`;
  assert.equal((await suite({ "part_test.ts": part }, true)).code, 1);
});

Deno.test("a test that is left out without a reason is a failure everywhere", async () => {
  const { code, lines } = await suite({ "silent_test.ts": SILENT }, false);
  assert.equal(code, 1, lines.join("\n"));
  assert.ok(lines.some((line) => line.includes("silent_test.ts => for no reason")));
});

Deno.test("a machine that lacks nothing is told of nothing", () => {
  const nothing = leftOutIn("./a_test.ts => a ... ok (1ms)\n\nok | 1 passed | 0 failed (1ms)\n");
  assert.deepEqual([nothing.tests, nothing.unexplained, leftOutText(nothing)], [0, [], ""]);
});

Deno.test("tests are left out by tests/needs.ts alone", () => {
  const found: string[] = [];
  const visit = (folder: string) => {
    for (const { name, isDirectory } of Deno.readDirSync(folder)) {
      const path = `${folder}/${name}`;
      if (isDirectory) visit(path);
      else if (path.endsWith(".ts") && name !== "needs.ts" && name !== "suite_test.ts") {
        const text = Deno.readTextFileSync(path);
        // An option that is not taken from `needs`, a test that is switched off, a look whether this is CI.
        if (/\bignore: (?!boolean)|Deno\.test\.(?:ignore|only)|\bonly: true/.test(text)) found.push(path);
        if (/Deno\.env\.(?:get|has)\("CI"\)/.test(text) && name !== "suite.ts") found.push(path);
      }
    }
  };
  visit(`${ROOT}/tests`);
  assert.deepEqual(found, []);
});

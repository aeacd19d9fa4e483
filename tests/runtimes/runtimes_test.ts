/** The library in other runtimes than Deno: the suites of the engines, and the programs of docs/library.md. */
import assert from "node:assert/strict";
import { transform } from "esbuild";
import { PACKAGE_NAME } from "../../foundation/own_package.ts";
import { Folder } from "../command.ts";
import { programs, writeFiles } from "../docs/library.ts";
import { needs } from "../needs.ts";
import { collected } from "../registry.ts";
import { truthHere } from "./library_suite.ts";
import { bundleProgram, installLibrary, pathOf, runIn, RUNTIMES } from "./package.ts";
import { runtimeSuites } from "./suites.ts";

const paths = await Promise.all(RUNTIMES.map(({ program }) => pathOf(program)));
const options = needs("runtimes", paths.every((path) => path !== undefined));

Deno.test({
  ...options,
  name: "in Node 22 and Bun the library does what it does in Deno, and runs the programs of docs/library.md",
  async fn(test) {
    using folder = new Folder();
    await installLibrary(folder.path);
    await bundleProgram("tests/runtimes/run.ts", `${folder.path}/run.js`);
    const truth = await truthHere();
    Deno.writeTextFileSync(`${folder.path}/truth.json`, JSON.stringify(truth));
    const names = collected(() => runtimeSuites(truth)).map(({ name }) => name);
    assert.ok(names.length > 100, `${names.length} tests`);

    for (const [i, { title, modern }] of RUNTIMES.entries()) {
      const program = paths[i] as string;
      await test.step(`${title}: the suites of the engines`, async () => {
        const { success, stdout, stderr } = await runIn(program, ["run.js", "truth.json"], folder.path);
        const passed = stdout.split("\n").flatMap((line) =>
          line.startsWith("passed ") ? [line.slice(7)] : []
        );
        assert.ok(success, `${stdout}\n${stderr}`);
        assert.deepEqual(passed, names, "every one of them ran");
        // What a suite leaves out there counts here.
        for (const line of stdout.split("\n")) if (line.startsWith("[left out")) console.log(line);
      });

      await test.step(`${title}: docs/library.md`, async () => {
        using own = new Folder();
        await writeFiles(own.path);
        Deno.symlinkSync(`${folder.path}/node_modules`, `${own.path}/node_modules`);
        Deno.writeTextFileSync(`${own.path}/package.json`, '{"type":"module"}');
        const begin: string[] = [];
        for (const { file, line, code } of programs) {
          const packaged = code.replaceAll(' from "retort/', ` from "${PACKAGE_NAME}/`);
          const path = `line_${line}.${modern ? "ts" : "js"}`;
          Deno.writeTextFileSync(
            `${own.path}/${path}`,
            modern
              ? packaged
              : (await transform(packaged, { loader: "ts", format: "esm", target: "node22" })).code,
          );
          begin.push(`console.error("${file}:${line}"); await import("./${path}");`);
        }
        // One after another in one process: starting one costs more than most programs.
        Deno.writeTextFileSync(`${own.path}/all.js`, begin.join("\n"));
        const { success, stderr } = await runIn(program, ["all.js"], own.path);
        assert.ok(success, stderr);
        assert.equal(stderr.match(/^docs\/library\.md:\d+$/gm)?.length, programs.length, stderr);
      });
    }
  },
});

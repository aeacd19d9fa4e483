/**
 * Runs the suites on the engine webgpu in Node and Bun, by Dawn: the npm package `webgpu`, whose 130 MB are why no test of CI does. Prints
 * a line for each runtime, and what failed.
 *
 *     deno run --allow-all tests/runtimes/dawn.ts
 *
 * Without a graphics card: VK_ICD_FILENAMES=/usr/lib/chromium/vk_swiftshader_icd.json XDG_RUNTIME_DIR=/tmp before it.
 */
import { Folder } from "../command.ts";
import { truthHere } from "./library_suite.ts";
import { bundleProgram, installLibrary, pathOf, runIn, RUNTIMES } from "./package.ts";

using folder = new Folder();
await installLibrary(folder.path, { webgpu: "0.6.2" });
await bundleProgram("tests/runtimes/run.ts", `${folder.path}/run.js`);
Deno.writeTextFileSync(`${folder.path}/truth.json`, JSON.stringify(await truthHere()));
for (const { title, program } of RUNTIMES) {
  const { stdout, stderr } = await runIn(
    (await pathOf(program))!,
    ["run.js", "truth.json", "webgpu"],
    folder.path,
  );
  console.log(`${title} (${program}): ${stdout.trimEnd().split("\n").at(-1)}`);
  for (const line of stdout.split("\n")) if (line.startsWith("FAILED")) console.log(line);
  if (/^FAILED/m.test(stdout)) console.log(stderr);
}

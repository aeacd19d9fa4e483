/** What the library may use where it shall run in Node 22 and Bun as well: checked without them. */
import assert from "node:assert/strict";
import { importsOf } from "../architecture/modules.ts";
import { ROOT } from "../root.ts";

/** The public modules of the library, and the threads that they start. */
const ENTRIES = [
  "circuits/mod.ts",
  "kernels/mod.ts",
  "kernels/kmeans/mod.ts",
  "kernels/webgpu/worker.ts",
  "kernels/gates/worker.ts",
];

/** Loaded under Deno alone. */
const DENO_ONLY = ["kernels/drivers.ts"];

/** Of the standard library what Node 22 lacks. */
const NEWER =
  /\.getOrInsert|\bPromise\.try\b|\bRegExp\.escape\b|\bError\.isError\b|\bMath\.(?:sumPrecise|f16round)\b|\bIterator\.(?:concat|zip)|\bAsyncDisposableStack\b|\bDisposableStack\b|\bTemporal\.|\.(?:toHex|toBase64)\(|\.(?:fromHex|fromBase64)\(|\bJSON\.rawJSON\b/;

/** Code without comments. */
function codeOf(file: string): string {
  return Deno.readTextFileSync(`${ROOT}/${file}`).replaceAll(/\/\*[^]*?\*\/|(?<=^|\s)\/\/.*$/gm, "");
}

function reached(): string[] {
  const seen = new Set(ENTRIES);
  for (const file of seen) {
    for (const { to, kind } of importsOf(file)) if (kind !== "type" && to.endsWith(".ts")) seen.add(to);
  }
  return [...seen].filter((file) => !DENO_ONLY.includes(file));
}

Deno.test("what circuits, engines and k-means are made of uses neither Deno nor what Node 22 lacks", () => {
  const files = reached();
  assert.ok(files.length > 200, `${files.length} modules`);
  assert.ok(files.includes("foundation/file_system.ts") && files.includes("kernels/cpu/engine.ts"));
  const faults = files.flatMap((file) => {
    const found = NEWER.exec(codeOf(file)) ?? /\bDeno\./.exec(codeOf(file));
    return found === null ? [] : [`${file}: ${found[0]}`];
  });
  assert.deepEqual(faults, [], "use foundation/newer.ts and foundation/file_system.ts");
  assert.match("map.getOrInsertComputed(1, f); Deno.stat(x)", NEWER);
});

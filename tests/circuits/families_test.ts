import assert from "node:assert/strict";
import { type FamilyName, familyNames, leafFamilies } from "../../circuits/mod.ts";
import type { DeviceLeaf } from "../../kernels/leaves/device_leaf.ts";
import { deviceLeaf, deviceLeaves } from "../../kernels/leaves/mod.ts";

const ROOT = new URL("../../", import.meta.url);
/** Rooms that may know leaf families only through their descriptors. */
const ROOMS = ["circuits", "kernels", "stages", "web", "cli", "runner", "teachers", "datasets"];
/** Where the descriptors are. */
const HOME = /^(circuits|kernels)\/leaves\//;

function* filesUnder(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(`${folder}/`, ROOT))) {
    if (isDirectory) yield* filesUnder(`${folder}/${name}`);
    else if (/\.(tsx?|wgsl)$/.test(name)) yield `${folder}/${name}`;
  }
}

const names = Object.keys(leafFamilies).join("|");
const compares = [
  new RegExp(String.raw`\bfamily\)?\s*[!=]==\s*["'\`]`),
  new RegExp(String.raw`["'\`](${names})["'\`]\s*[!=]==\s*[\w.?]*family\b`),
  new RegExp(String.raw`\[[^\]]*["'](${names})["'][^\]]*\](\.includes|\.indexOf)\(`),
  new RegExp(String.raw`\bcase ["'](${names.replace("categorical|", "").replace("|external", "")})["']`),
  new RegExp(String.raw`//# if \w+ == (${names})\b`),
];

Deno.test("nothing but a family's descriptors knows it by its name", () => {
  const found = ROOMS.flatMap((room) => [...filesUnder(room)]).filter((file) => !HOME.test(file)).flatMap(
    (file) =>
      Deno.readTextFileSync(new URL(file, ROOT)).split("\n").flatMap((line, i) =>
        compares.some((pattern) => pattern.test(line)) ? [`${file}:${i + 1}: ${line.trim()}`] : []
      ),
  );
  assert.deepEqual(found, []);
  for (
    const line of [
      'if (node.family !== "gaussian") {',
      'if ("logistic" === group.family) {',
      '["categorical", "bernoulli"].includes(family)',
      'case "gaussian":',
      "//# if KIND == indicator",
    ]
  ) assert.ok(compares.some((pattern) => pattern.test(line)), line);
});

Deno.test("every family has both descriptors, under its own name", () => {
  assert.deepEqual(Object.keys(deviceLeaves), Object.keys(leafFamilies));
  for (const [name, family] of Object.entries(leafFamilies)) {
    assert.equal(family.name, name);
    assert.ok(familyNames().includes(name));
    assert.equal(deviceLeaf(name), deviceLeaves[name as FamilyName]);
  }
  assert.throws(() => deviceLeaf("unheard of"), /how a device computes `unheard of` leaves/);
  const { gaussian: _, ...others } = deviceLeaves;
  // @ts-expect-error a family without a device descriptor does not compile
  const unwired: Readonly<Record<FamilyName, DeviceLeaf>> = others;
  assert.equal(Object.keys(unwired).length, Object.keys(leafFamilies).length - 1);
});

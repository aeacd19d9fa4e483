import assert from "node:assert/strict";
import sharp from "sharp";
import { command, type Ended, Folder, outputValue, ROOT } from "../command.ts";

/** Everything small: what matters here is what pictures go in and what comes out. */
const SMALL = [
  "size=8",
  "patch=4",
  "clusters=[2]",
  "latents=2",
  "treeLatents=[2]",
  'autoencoder={"width":8,"layers":1,"decoderWidth":8,"decoderLayers":1,"heads":2,"epochs":1}',
  'epochs={"patches":2,"top":1,"together":1}',
];

async function images(folder: Folder, ...settings: string[]): Promise<Ended> {
  return await command("run", [
    `${ROOT}/pipelines/images.ts`,
    ...["--store", folder.store, "--jobs", "0"],
    ...[...SMALL, ...settings].flatMap((one) => ["--set", one]),
  ], { cwd: folder.path });
}

Deno.test("a folder of pictures of all kinds and sizes goes to models, figures and pictures of them", async () => {
  using folder = new Folder();
  Deno.mkdirSync(`${folder.path}/p/more`, { recursive: true });
  for (let i = 0; i < 40; i++) {
    const size = { width: 9 + i % 5, height: 8 + i % 3 };
    const kind = (["png", "jpeg", "webp"] as const)[i % 3]!;
    const background = { r: 6 * i, g: 255 - 5 * i, b: 20 * (i % 4) };
    await sharp({ create: { ...size, channels: 3, background } }).toFormat(kind)
      .toFile(`${folder.path}/p/${i % 2 ? "more/" : ""}${i}.${kind}`);
  }
  const ran = await images(folder, "images=p");
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(ran.stdout, /Do patch circuits distilled from a teacher code these pictures better/);
  const show = async (name: string) =>
    JSON.parse((await command("show", [name, "--store", folder.store, "--json"])).stdout);
  const { rows } = await outputValue(folder.store, "table");
  assert.deepEqual([...new Set(rows.map(({ arm }: { arm: string }) => arm))], [
    "hidden Chow-Liu tree",
    "distilled from autoencoder, before joint EM",
    "distilled from autoencoder",
    "distilled from pixels, before joint EM",
    "distilled from pixels",
  ]);
  for (const { figure: { bits, space } } of rows) {
    assert.ok(bits > 0 && bits < 9, `${bits}`);
    assert.deepEqual([space.height, space.width, space.channels], [8, 8, 3]);
  }
  for (const name of ["pictures", "reconstructions", "samples", "inpainting", "treeSamples", "clusters"]) {
    assert.ok((await show(name)).facts.pictures.length > 0, name);
  }
});

Deno.test("folders without pictures are refused before anything runs", async () => {
  using folder = new Folder();
  Deno.mkdirSync(`${folder.path}/empty/.hidden`, { recursive: true });
  Deno.writeTextFileSync(`${folder.path}/empty/.hidden/a.png`, "x");
  for (
    const [settings, message] of [
      [[], /expected a folder of pictures: --set images=FOLDER/],
      [["images=none"], /there is no file or folder .*none/],
      [["images=empty"], /empty holds no pictures \*\.png/],
      [["images=empty", "fit=round"], /parameter `fit`/],
    ] as const
  ) {
    const ran = await images(folder, ...settings);
    assert.notEqual(ran.code, 0, settings.join(" "));
    assert.match(ran.stderr, message);
  }
});

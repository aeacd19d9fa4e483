import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import sharp from "sharp";
import { DataSetError } from "../../../datasets/errors.ts";
import type { ImageSet } from "../../../datasets/images/mod.ts";
import { loadPictures } from "../../../stages/images/load_pictures.ts";
import { runHere } from "../in_place.ts";

/** A folder of files as a stage reads it. */
function folder(files: Record<string, Uint8Array>) {
  return {
    entries: Object.entries(files).map(([name, bytes]) => ({
      name,
      size: bytes.length,
      digest: createHash("sha256").update(bytes).digest("hex"),
    })),
    bytes: (name: string) => Promise.resolve(files[name]!),
  };
}

/** A picture whose left half is black and whose right half has a colour. */
async function halves(
  width: number,
  height: number,
  colour: string,
  kind: "png" | "jpeg" | "webp" | "gif" = "png",
) {
  const right = await sharp({
    create: { width: width >> 1, height, channels: 3, background: colour },
  }).png().toBuffer();
  const whole = sharp({ create: { width, height, channels: 3, background: "#000" } })
    .composite([{ input: right, left: width >> 1, top: 0 }]);
  return new Uint8Array(await whole.toFormat(kind, { quality: 100 }).toBuffer());
}

async function many(count: number, make: (i: number) => Promise<Uint8Array>) {
  return Object.fromEntries(
    await Promise.all(Array.from({ length: count }, async (_, i) => [`${i}`, await make(i)] as const)),
  );
}

const load = async (files: Record<string, Uint8Array>, params: unknown) => {
  const made = await runHere(loadPictures, { files: folder(files) }, params);
  return made as Record<"train" | "valid" | "test", ImageSet> & { pictures: { caption: string }[] };
};

/** The pixels of the first image, a row a line. */
const first = ({ space: { height, width, channels }, pixels }: ImageSet) =>
  Array.from(
    { length: height },
    (_, y) => [...pixels.subarray(y * width * channels, (y + 1) * width * channels)],
  );

Deno.test("pictures of any size are cropped, squashed or padded to one size", async () => {
  // Twice as wide as high: the middle square has both halves, a squashed one too, padding is white above and below.
  const files = await many(
    40,
    (i) => halves(16, 8, `#${(0xffffff - i).toString(16)}`),
  );
  const plain = { size: 4, transform: "none" };
  const cropped = await load(files, plain);
  assert.equal(cropped.train.count + cropped.valid.count + cropped.test.count, 40);
  assert.ok(Math.min(cropped.train.count, cropped.valid.count, cropped.test.count) > 0);
  assert.deepEqual(cropped.train.space.levels, [256, 256, 256]);
  for (const row of first(cropped.train)) {
    assert.ok(row.slice(0, 3).every((x) => x < 60) && row.slice(9).every((x) => x > 190), `${row}`);
  }
  const padded = first((await load(files, { ...plain, fit: "pad" })).train);
  assert.ok(padded[0]!.every((x) => x > 250) && padded[3]!.every((x) => x > 250), `${padded[0]}`);
  assert.ok(padded[1]!.slice(0, 3).every((x) => x < 60), `${padded[1]}`);
  const squashed = (await load(files, { ...plain, size: { height: 2, width: 4 }, fit: "squash" })).train;
  assert.deepEqual([squashed.space.height, squashed.space.width], [2, 4]);
  const few = await load(files, { ...plain, most: 30 });
  assert.equal(few.train.count + few.valid.count + few.test.count, 30);
});

Deno.test("all grey is grey, one in colour makes colours; what is transparent is white; formats mix", async () => {
  const grey = (i: number) =>
    sharp({ create: { width: 8, height: 8, channels: 3, background: { r: 6 * i, g: 6 * i, b: 6 * i } } })
      .toColourspace("b-w").png().toBuffer().then((bytes) => new Uint8Array(bytes));
  const files = await many(40, grey);
  assert.equal((await load(files, { size: 4 })).train.space.channels, 1);
  const mixed = {
    ...files,
    red: await halves(8, 8, "#ff0000", "webp"),
    blue: await halves(8, 8, "#0000ff", "gif"),
  };
  const { train } = await load(mixed, { size: 4 });
  assert.deepEqual([train.space.channels, train.space.transform], [3, "ycocg-r-511"]);
  assert.equal((await load(mixed, { size: 4, colours: "grey" })).train.space.channels, 1);
  const clear = await many(40, async (i) =>
    new Uint8Array(
      await sharp({
        create: { width: 8, height: 8, channels: 4, background: { r: 0, g: 0, b: i, alpha: 0 } },
      }).png().toBuffer(),
    ));
  const white = (await load(clear, { size: 2, transform: "none" })).train;
  assert.ok(white.pixels.every((x) => x === 255), `${white.pixels.subarray(0, 6)}`);
});

Deno.test("broken files are named, or left out if so wished; too few pictures are refused", async () => {
  const files = await many(40, (i) => halves(8 + i % 3, 8, `rgb(${5 * i},0,0)`));
  const broken = {
    ...files,
    "cut.png": files["3"]!.subarray(0, 60),
    "note.jpg": new TextEncoder().encode("no picture"),
  };
  await assert.rejects(load(broken, { size: 4 }), (error: DataSetError) => {
    assert.equal(error.code, "images/format");
    assert.match(error.message, /2 of 42 files are no pictures:/);
    assert.match(error.message, /cut\.png cannot be decoded/);
    assert.match(error.message, /note\.jpg cannot be decoded/);
    assert.match(error.hint!, /`broken` set to "skip"/);
    return true;
  });
  const told: string[] = [];
  const made = await runHere(loadPictures, { files: folder(broken) }, { size: 4, broken: "skip" }, {
    log: (line: string) => told.push(line),
  });
  assert.equal(made.train.count + made.valid.count + made.test.count, 40);
  assert.equal(told.filter((line) => line.startsWith("left out: ")).length, 2);
  await assert.rejects(load({ one: files["1"]! }, { size: 4 }), {
    code: "images/too-few",
    message: /there are 1 pictures \(.*\): at least 20 are needed/,
  });
  await assert.rejects(load(files, { size: 4, shares: { train: 1, valid: 0, test: 0 } }), {
    code: "images/too-few",
  });
});

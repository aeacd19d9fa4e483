import assert from "node:assert/strict";
import { gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { TextError } from "../../../datasets/text/errors.ts";
import { fileText } from "../../../datasets/text/file_text.ts";
import { decodeUtf8 } from "../../../datasets/text/utf8.ts";
import { holds } from "../../property.ts";

async function decoded(pieces: Iterable<Uint8Array>): Promise<string> {
  async function* source() {
    yield* pieces;
  }
  let text = "";
  for await (const piece of decodeUtf8(source(), "it")) text += piece;
  return text;
}

function cutAt(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, i) => bytes.subarray(places[i], end));
}

Deno.test("text is read however its bytes are cut", async (test) => {
  await holds(
    test,
    fc.asyncProperty(
      fc.string({ unit: "binary" }).filter((text) => text.isWellFormed() && !text.startsWith("\ufeff")),
      fc.array(fc.nat(), { maxLength: 6 }),
      async (text, cuts) => {
        assert.equal(await decoded(cutAt(new TextEncoder().encode(text), cuts)), text);
      },
    ),
    { numRuns: 40 },
  );
  assert.equal(await decoded([new TextEncoder().encode("\ufeffa\ufeff")]), "a\ufeff");
});

Deno.test("the first byte that is no UTF-8 is named", async (test) => {
  await holds(
    test,
    fc.asyncProperty(
      fc.string({ unit: "grapheme" }),
      fc.constantFrom([0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x28], [0xf0, 0x9f, 0x98]),
      fc.array(fc.nat(), { maxLength: 4 }),
      async (text, wrong, cuts) => {
        const good = new TextEncoder().encode(text);
        const bytes = Uint8Array.from([...good, ...wrong]);
        await assert.rejects(
          decoded(cutAt(bytes, cuts)),
          (error: Error) =>
            error instanceof TextError && error.message.startsWith(`it: not UTF-8 at byte ${good.length}: `),
        );
      },
    ),
  );
});

Deno.test("files are read plain and packed, by what they begin with; faults name the file", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "retort-text-" });
  try {
    const read = async (name: string, bytes: Uint8Array) => {
      Deno.writeFileSync(`${folder}/${name}`, bytes);
      let text = "";
      for await (const piece of fileText(`${folder}/${name}`, name)) text += piece;
      return text;
    };
    const text = "Zwölf Boxkämpfer\n".repeat(20_000);
    const bytes = new TextEncoder().encode(text);
    assert.equal(await read("plain", bytes), text);
    assert.equal(await read("a.gz", gzipSync(bytes)), text);
    assert.equal(await read("named.txt", zstdCompressSync(bytes)), text);
    assert.equal(await read("empty", new Uint8Array()), "");
    await assert.rejects(read("short.gz", gzipSync(bytes).subarray(0, 100)), /short\.gz: cannot be read: /);
    await assert.rejects(read("latin.txt", Uint8Array.of(0x5a, 0x77, 0xf6, 0x6c, 0x66)), {
      name: "TextError",
      message: "latin.txt: not UTF-8 at byte 2: f6 6c 66",
      hint: /iconv/,
    });
    await assert.rejects(fileText(`${folder}/none`, "none").next(), /none: there is no such file: .*\/none/);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

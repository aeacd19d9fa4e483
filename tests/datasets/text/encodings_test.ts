import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { TextError } from "../../../datasets/text/errors.ts";
import { fileText } from "../../../datasets/text/file_text.ts";
import { holds } from "../../property.ts";

async function read(bytes: Uint8Array): Promise<string> {
  const path = await Deno.makeTempFile({ prefix: "retort-encoding-" });
  try {
    await Deno.writeFile(path, bytes);
    let text = "";
    for await (const piece of fileText(path, "it")) text += piece;
    return text;
  } finally {
    await Deno.remove(path);
  }
}

/** Code units in the order of bytes wanted, with a mark or without. */
function utf16(text: string, little: boolean, mark = true): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(2 * (text.length + (mark ? 1 : 0))));
  (mark ? `\ufeff${text}` : text).split("").forEach((unit, i) =>
    view.setUint16(2 * i, unit.charCodeAt(0), little)
  );
  return new Uint8Array(view.buffer);
}

function utf32(text: string, little: boolean): Uint8Array {
  const points = [...text], view = new DataView(new ArrayBuffer(4 * points.length));
  points.forEach((point, i) => view.setUint32(4 * i, point.codePointAt(0)!, little));
  return new Uint8Array(view.buffer);
}

Deno.test("UTF-16 with a mark is read, of either order of bytes, packed or not", async (test) => {
  await holds(
    test,
    fc.asyncProperty(
      fc.string({ unit: "binary" }).filter((text) => text.isWellFormed() && !/^[\ufeff\0]/.test(text)),
      fc.boolean(),
      async (text, little) => assert.equal(await read(utf16(text, little)), text),
    ),
    { numRuns: 60 },
  );
  // Characters of two units at every place of the pieces in which a file is read.
  const long = `x${"😀東".repeat(60_000)}`;
  for (const little of [true, false]) {
    assert.equal(await read(utf16(long, little)), long);
    assert.equal(await read(gzipSync(utf16(long, little))), long);
  }
  assert.equal(await read(utf16("", true)), "");
});

Deno.test("what is no UTF-8 and no UTF-16 is refused with what it seems to be, and how to mend it", async () => {
  const text = "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich.\n".repeat(3);
  const latin = Uint8Array.from(text, (c) => c.charCodeAt(0));
  // 東京 in Shift JIS.
  const japanese = Uint8Array.from({ length: 400 }, (_, i) => [0x93, 0x8c, 0x8b, 0x9e][i % 4]!);
  const ascii = (text: string) => new TextEncoder().encode(text);
  const refused: [Uint8Array, RegExp, RegExp][] = [
    [utf32(`\ufeff${text}`, true), /it is UTF-32LE/, /iconv -f UTF-32LE/],
    [utf32(`\ufeff${text}`, false), /it is UTF-32BE/, /iconv -f UTF-32BE/],
    [utf32(text, true), /seems to be UTF-32LE without/, /iconv -f UTF-32LE/],
    [utf32(text, false), /seems to be UTF-32BE without/, /iconv -f UTF-32BE/],
    [utf16(text, true, false), /seems to be UTF-16LE without/, /iconv -f UTF-16LE/],
    [utf16(text, false, false), /seems to be UTF-16BE without/, /iconv -f UTF-16BE/],
    [
      utf16(text, true).subarray(0, 21),
      /not UTF-16LE, as its mark says: it ends inside a character/,
      /cut short/,
    ],
    [utf16("a\ud800b", false), /not UTF-16BE, as its mark says/, /cut short/],
    [latin, /not UTF-8 at byte 2: f6/, /WINDOWS-1252/],
    [japanese, /not UTF-8 at byte 0: 93/, /SHIFT_JIS/],
    [ascii("%PDF-1.7\nx"), /it is a PDF document, not text/, /pdftotext/],
    [ascii("PK\u0003\u0004docx"), /it is a zip archive/, /Unpack/],
    [Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0), /it is packed with xz/, /unxz/],
    [ascii("BZh91AY"), /it is packed with bzip2/, /bunzip2/],
    [ascii("PAR1..."), /it is a parquet file/, /column/],
    [Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0), /byte 7 is zero: this is not text/, /endings/],
    [Uint8Array.from({ length: 300 }, (_, i) => 1 + (i * 37) % 255), /not UTF-8/, /does not seem to be text/],
  ];
  for (const [bytes, message, hint] of refused) {
    for (const given of [bytes, gzipSync(bytes)]) {
      await assert.rejects(read(given), (error: unknown) => {
        assert.ok(error instanceof TextError, String(error));
        assert.match(error.message, message);
        assert.match(error.hint ?? "", hint, error.message);
        return true;
      });
    }
  }
});

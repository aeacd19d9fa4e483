import assert from "node:assert/strict";
import fc from "fast-check";
import { byteLines, encodeMessage, type FromWorker, readMessages } from "../../runner/execute/protocol.ts";
import { holds } from "../property.ts";

/** A stream of bytes in pieces of the given sizes, over and over. */
function inPieces(bytes: Uint8Array, sizes: readonly number[]): ReadableStream<Uint8Array> {
  return ReadableStream.from(function* () {
    for (let at = 0, i = 0; at < bytes.length; i++) yield bytes.subarray(at, at += sizes[i % sizes.length]!);
  }());
}

const log = (text: string): FromWorker => ({ type: "message", message: { type: "log", text } });

Deno.test("messages of any text and size come through, whatever is printed between their frames", async (test) => {
  const texts = fc.array(
    fc.oneof(
      fc.string({ unit: "binary", maxLength: 50 }),
      fc.integer({ min: 0, max: 10_000 }).map((n) => 'é語😀\n\u001e"'.repeat(n)),
    ),
    { minLength: 1, maxLength: 4 },
  );
  const sizes = fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 4 });
  await holds(
    test,
    fc.asyncProperty(texts, sizes, fc.boolean(), async (texts, sizes, noisy) => {
      const parts: Uint8Array[] = [];
      let noise = 0;
      for (const text of texts) {
        for (const frame of encodeMessage("token", log(text))) {
          assert.ok(frame.length <= 4096, "a frame is written in one piece");
          parts.push(frame);
          // What another program prints comes between frames, never into them.
          if (noisy) parts.push(new TextEncoder().encode(`noise ${noise++}`));
        }
      }
      const found: FromWorker[] = [];
      const lines: string[] = [];
      const bytes = new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
      await readMessages(
        inPieces(bytes, sizes),
        "token",
        (message) => found.push(message),
        (line) => lines.push(line),
      );
      assert.deepEqual(
        found,
        texts.map((text) => log(text.toWellFormed() === text ? text : JSON.parse(JSON.stringify(text)))),
      );
      assert.deepEqual(lines, Array.from({ length: noise }, (_, i) => `noise ${i}`));
    }),
    { numRuns: 12 },
  );
});

Deno.test("lines of any length come whole, or in pieces where a log wants them so", async () => {
  const long = "x".repeat(5_000_000);
  const read = async (longest?: number) => {
    const lines: string[] = [];
    const stream = inPieces(new TextEncoder().encode(`a\n\n${long}\nb`), [65_536]);
    for await (const line of byteLines(stream, longest)) lines.push(line);
    return lines;
  };
  assert.deepEqual(await read(), ["a", "", long, "b"]);
  const pieces = await read(1_000_000);
  assert.ok(pieces.length > 5 && pieces.every((piece) => piece.length < 1_100_000));
  assert.equal(pieces.join(""), `a${long}b`);
});

import assert from "node:assert/strict";
import { blobOf } from "../../web/playground/page/long_text.ts";
import { ownModel } from "../../web/playground/page/own_models.ts";
import { smallImages, smallModel } from "./playground.ts";

Deno.test("a long text becomes a blob in many tasks, and no character is cut in two", async () => {
  const text = "a".repeat(2 ** 19 - 1) + "\u{1d538}" + "b".repeat(2 ** 20) + "\u{1d539}";
  let others = 0;
  const timer = setInterval(() => others++);
  const blob = await blobOf(text);
  clearInterval(timer);
  assert.ok(await blob.text() === text);
  assert.ok(others > 0, "nothing else had a turn");
  assert.equal((await blobOf("")).size, 0);
});

Deno.test("of a file of the visitor's only the header says what it is a model of", async () => {
  const kindOf = async (...parts: BlobPart[]) => {
    const { kind, file } = await ownModel(new Blob(parts), "mine", "own");
    URL.revokeObjectURL(file);
    return kind;
  };
  assert.equal(await kindOf(smallImages("pixels").bytes), "images");
  assert.equal(await kindOf(smallModel("text", 1).bytes, '"images":"'), "text");
  assert.equal(await kindOf("short"), "text");
  assert.equal(await kindOf(new Uint8Array(16).fill(255)), "text");
});

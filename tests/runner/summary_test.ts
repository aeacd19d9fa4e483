import assert from "node:assert/strict";
import { z } from "zod";
import { array } from "../../runner/codecs/array.ts";
import { json } from "../../runner/codecs/json.ts";
import { text } from "../../runner/codecs/text.ts";
import { summaryOf } from "../../runner/summary.ts";
import { writeArtifact } from "../../runner/store/artifacts.ts";
import { Store } from "../../runner/store/store.ts";
import type { AnyCodec } from "../../runner/codec.ts";
import { Folder } from "../command.ts";

Deno.test("summaries: what the codec says, else small JSON and text as they are, else nothing", async () => {
  using folder = new Folder();
  const { blobs } = Store.open(folder.store, { create: true });
  const scores = z.array(z.object({ model: z.string(), bits: z.number() }));
  const plain = json("scores", scores);
  const told = json("scores", scores, 1, { summary: (value) => `${value.length} models` });
  const value = [{ model: "a", bits: 1.25 }, { model: "b", bits: 2 }];
  const summary = async (codec: AnyCodec, what: unknown, known = true) =>
    await summaryOf(blobs, await writeArtifact(blobs, codec, what, "it"), known ? codec : undefined);

  assert.equal(await summary(told, value), "2 models");
  assert.equal(await summary(plain, value), "model  bits\na      1.25\nb      2.00");
  const sorted = "bits  model\n1.25  a\n2.00  b";
  assert.equal(await summary(told, value, false), sorted, "without the codec, as it stands on disk");
  const [one, two] = [
    await writeArtifact(blobs, plain, value, ""),
    await writeArtifact(blobs, told, value, ""),
  ];
  assert.equal(one.digest, two.digest, "a summary is no part of the artifact");

  assert.equal(await summary(json("score", z.object({ bits: z.number() })), { bits: 1 }), undefined);
  assert.equal(await summary(text, "one\ntwo\n"), "one\ntwo");
  const lines = (await summary(text, "line\n".repeat(100)))!.split("\n");
  assert.deepEqual([lines.length, lines.at(-1)], [40, "… 61 more lines"]);
  assert.equal(await summary(text, "x".repeat(40_000)), undefined, "too much to say");
  const vector = { data: new Float32Array(3), shape: [3] };
  assert.equal(await summary(array("vector", "f4", 1), vector), undefined);
});

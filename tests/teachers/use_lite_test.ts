import assert from "node:assert/strict";
import { pieceTokenizer } from "../../datasets/text/pieces.ts";
import { embedSuffixesOf } from "../../teachers/suffixes.ts";
import { openTeacher } from "../../teachers/teacher.ts";
import { useLite } from "../../teachers/use_lite.ts";
import reference from "../fixtures/teachers/use_lite.json" with { type: "json" };

const files = await useLite();

Deno.test("the sentence encoder in ONNX gives the vectors that TensorFlow.js gives", async () => {
  await using teacher = await openTeacher(files, { threads: 1 });
  const tokens = Math.max(...reference.sequences.map((ids) => ids.length));
  const ids = new Int32Array(reference.sequences.length * tokens);
  reference.sequences.forEach((sequence, row) => ids.set(sequence, row * tokens));
  const vectors = await teacher.embed({
    count: reference.sequences.length,
    positions: tokens,
    ids,
    lengths: Int32Array.from(reference.sequences, (sequence) => sequence.length),
  });
  reference.sequences.forEach((sequence, row) =>
    sequence.forEach((_, piece) => {
      const at = (row * tokens + piece) * 512;
      const vector = vectors.subarray(at, at + 512);
      const norm = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
      assert.ok(Math.abs(norm - reference.norms[row]![piece]!) < 1e-3);
      reference.vectors[row]![piece]!.forEach((x, k) =>
        assert.ok(Math.abs(vector[k * reference.every]! - x) < 1e-3)
      );
    })
  );
});

Deno.test("its tokenizer gives the pieces that the model's own gives", () => {
  const { encode } = pieceTokenizer(files.tokenizer!);
  for (const [text, ids] of reference.texts as [string, number[]][]) assert.deepEqual(encode(text), ids);
});

Deno.test("masked, no vector knows of the words before its suffix; in one pass over all, it does", async () => {
  await using teacher = await openTeacher(files, { threads: 1 });
  const vocabulary = {
    kind: "words",
    words: ["<unk>", "<eos>", "the", "river", "bank", "money"],
    unknown: 0,
    end: 1,
  } as const;
  const rows = { count: 2, variables: 4, values: Int32Array.of(2, 3, 4, 1, 2, 5, 4, 1) };
  const difference = async (mode: "masked" | "cumulative") => {
    const vectors = await embedSuffixesOf(teacher, teacher.align(vocabulary), rows, { mode });
    const [from, other] = [2 * 512, (4 + 2) * 512];
    return Math.max(
      ...Array.from({ length: 2 * 512 }, (_, i) => Math.abs(vectors[from + i]! - vectors[other + i]!)),
    );
  };
  assert.ok(await difference("masked") < 1e-4);
  assert.ok(await difference("cumulative") > 0.1);
});

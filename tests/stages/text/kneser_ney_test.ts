import assert from "node:assert/strict";
import { KneserNeyModel } from "../../../datasets/kneser_ney.ts";
import { Ngrams } from "../../../datasets/ngrams.ts";
import { Windows } from "../../../datasets/text/windows.ts";
import { ShardWriter } from "../../../runner/codecs/shard_writer.ts";
import { evaluateKneserNey } from "../../../stages/evaluate_kneser_ney.ts";
import { tokens } from "../../../stages/text/codecs.ts";
import { inPlace, runHere } from "../in_place.ts";

const vocabulary = { kind: "words", words: ["<end>", "a", "b", "c"], unknown: null, end: 0 } as const;
const TRAIN = [1, 2, 3, 0, 1, 2, 2, 0, 1, 3, 3, 0, 1, 2, 3, 0, 2, 1, 0];
const VALID = [1, 2, 3, 0, 3];
const TEST = [1, 2, 2, 3, 0, 1, 1];

Deno.test("Kneser-Ney starts anew with each window, or reads the text through; shards and padding do not matter", async () => {
  const ngrams = new Ngrams(3, 4, 0);
  ngrams.add(Int32Array.from(TRAIN));
  const model = new KneserNeyModel(ngrams);
  await inPlace(async (place) => {
    const stored = async (ids: number[]) => {
      // Two tokens a shard: contexts reach over several of them.
      const writer = new ShardWriter({
        folder: Deno.makeTempDirSync({ dir: place.scratch }),
        type: "u1",
        width: 1,
        shardRows: 2,
      });
      await writer.append(Int32Array.from(ids));
      const made = { ids: await writer.finish(), starts: Float64Array.of(0, ids.length) };
      return await place.read(tokens, await place.write(tokens, made));
    };
    const over = (length: number) => Windows.over([0, length], { length: 3, partial: "pad" });
    const inputs = {
      vocabulary,
      train: await stored(TRAIN),
      valid: await stored(VALID),
      validWindows: over(5),
      test: await stored(TEST),
      testWindows: over(7),
    };
    const perplexity = (bits: number, count: number) => 2 ** (bits / count);
    const close = (actual: number, expected: number) =>
      assert.ok(Math.abs(actual - expected) < 1e-12, `${actual}, expected ${expected}`);

    const anew = await runHere(evaluateKneserNey, inputs, { order: 3 });
    const alone = (...windows: number[][]) =>
      windows.reduce((sum, one) => sum + model.bits(Int32Array.from(one)), 0);
    close(anew.valid.perplexity, perplexity(alone([1, 2, 3], [0, 3]), 5));
    close(anew.test.perplexity, perplexity(alone([1, 2, 2], [3, 0, 1], [1]), 7));
    assert.equal(anew.test.tokens, 7);

    const through = await runHere(evaluateKneserNey, inputs, { order: 3, restart: false });
    close(through.valid.perplexity, perplexity(model.bits(Int32Array.from(VALID), [0]), 5));
    close(through.test.perplexity, perplexity(model.bits(Int32Array.from(TEST), [0]), 7));
  });
});

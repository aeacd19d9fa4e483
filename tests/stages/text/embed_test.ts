import assert from "node:assert/strict";
import { Windows } from "../../../datasets/text/windows.ts";
import { matrixShards } from "../../../runner/codecs/shard_codecs.ts";
import { ShardWriter } from "../../../runner/codecs/shard_writer.ts";
import { shardProgress } from "../../../runner/codecs/shard_progress.ts";
import { CheckpointFolder } from "../../../runner/store/checkpoints.ts";
import { Store } from "../../../runner/store/store.ts";
import { embedRandom, embedStatic, embedSuffixes } from "../../../stages/text/embed.ts";
import { teacher } from "../../../stages/text/teachers.ts";
import { tokens, vocabulary, windows } from "../../../stages/text/codecs.ts";
import { windowSamples } from "../../../stages/text/window_samples.ts";
import { wordVectors } from "../../../stages/text/word_vectors.ts";
import { samples } from "../../../stages/codecs/samples.ts";
import { tinyTeacher, tinyVocabulary } from "../../teachers/tiny.ts";
import { inPlace, runHere, type SmallStore } from "../in_place.ts";

const TEXT = Int32Array.from({ length: 50 }, (_, i) => (i * i) % tinyVocabulary.words.length);

/** Tokens, windows, units and teacher of a tiny corpus, as stages get them. */
async function inputsOf(place: SmallStore, partial: "drop" | "pad" = "pad") {
  const writer = new ShardWriter({ folder: place.scratch, type: "u1", width: 1 });
  await writer.append(TEXT);
  const through = async <T>(codec: Parameters<SmallStore["read"]>[0], value: unknown) =>
    await place.read(codec, await place.write(codec, value)) as T;
  return {
    tokens: await through(tokens, { ids: await writer.finish(), starts: Float64Array.of(0, TEXT.length) }),
    windows: await through<Windows>(windows, Windows.over([0, TEXT.length], { length: 4, partial })),
    vocabulary: await through(vocabulary, { ...tinyVocabulary, words: [...tinyVocabulary.words] }),
    teacher: await through(teacher, tinyTeacher("encoder")),
  };
}

class Killed extends Error {}

Deno.test("killed after any save, an embedding goes on and ends with the same bytes", async () => {
  await inPlace(async (place) => {
    const inputs = await inputsOf(place);
    const folder = Deno.makeTempDirSync({ dir: place.scratch });
    const store = Store.open(`${folder}/store`, { create: true });
    let node = 0;
    const run = async (checkpoint: CheckpointFolder, killAfter: number) => {
      let saves = 0;
      const save = async (state: unknown) => {
        await checkpoint.save(state as never);
        if (++saves === killAfter) throw new Killed();
      };
      const made = await runHere(embedSuffixes, inputs, { mode: "suffix", together: 3, batch: 16 }, {
        scratch: () => Deno.makeTempDir({ dir: folder }),
        checkpoint: {
          load: () => checkpoint.load(),
          save,
          offer: async (make: () => unknown) => await save(await make()),
        },
      });
      return await place.write(matrixShards, made.vectors);
    };
    const fresh = () => new CheckpointFolder(store, (node++).toString(16).padStart(64, "0"), shardProgress);
    const expected = await run(fresh(), Infinity);
    assert.deepEqual(expected.facts, {
      type: "f2",
      rows: 13 * 4,
      width: 2,
      shardRows: expected.facts.shardRows!,
    });
    for (let killAfter = 1; killAfter <= 5; killAfter++) {
      const checkpoint = fresh();
      await assert.rejects(run(checkpoint, killAfter), Killed);
      assert.equal((await run(checkpoint, Infinity)).digest, expected.digest);
    }
  });
});

Deno.test("control teachers: static vectors follow the words, random ones the seed alone", async () => {
  await inPlace(async (place) => {
    const inputs = await inputsOf(place);
    const matrix = async (made: { vectors?: unknown; words?: unknown }) =>
      await place.read(matrixShards, await place.write(matrixShards, made.vectors ?? made.words));
    const words = await matrix(await runHere(wordVectors, inputs, { width: 3, reach: 2, contexts: 8 }));
    assert.deepEqual([words.rows, words.width], [tinyVocabulary.words.length, 3]);
    const table = await words.all();
    const summed = await matrix(
      await runHere(embedStatic, { ...inputs, words }, { decay: 0.5, precision: "f4" }),
    );
    const vectors = await summed.all();
    // The last window has two tokens and two positions of padding.
    const row = (t: number) => [...vectors.subarray(3 * (48 + t), 3 * (49 + t))];
    const word = (at: number) => [...table.subarray(3 * TEXT[at]!, 3 * TEXT[at]! + 3)];
    assert.deepEqual(row(1), word(49));
    row(0).forEach((x, i) => assert.ok(Math.abs(x - word(48)[i]! - 0.5 * word(49)[i]!) < 1e-6));
    assert.deepEqual([...row(2), ...row(3)], [0, 0, 0, 0, 0, 0]);
    const random = async (
      seed: number,
    ) => [...await (await matrix(await runHere(embedRandom, inputs, { width: 2 }, { seed }))).all()];
    assert.deepEqual(await random(5), await random(5));
    assert.notDeepEqual(await random(5), await random(6));
  });
});

Deno.test("windows become samples, padding not observed", async () => {
  await inPlace(async (place) => {
    const made = await runHere(windowSamples, await inputsOf(place));
    const found = await (await place.read(samples, await place.write(samples, made.samples))).all();
    assert.deepEqual([found.count, found.variables], [13, 4]);
    assert.deepEqual([...found.values].slice(0, 50), [...TEXT]);
    assert.deepEqual([...found.observed!].slice(46), [1, 1, 1, 1, 0, 0]);
  });
});

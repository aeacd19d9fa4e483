import assert from "node:assert/strict";
import { array } from "../../runner/codecs/array.ts";
import { CheckpointFolder } from "../../runner/store/checkpoints.ts";
import { Store } from "../../runner/store/store.ts";
import { tokens } from "../../stages/text/codecs.ts";
import { drawTexts } from "../../stages/text/draw_texts.ts";
import { openCausalLm } from "../../teachers/causal_sampling.ts";
import { inPlace, runStage } from "../stages/in_place.ts";
import { tinyTeacher } from "./tiny.ts";
import { languageModel, LOGITS, PIECES, table } from "./tiny_language_model.ts";

Deno.test("texts follow the model's distribution, at any temperature, and end after the end piece", async () => {
  await using model = await openCausalLm(await languageModel(false, false));
  for (const temperature of [1, 2]) {
    const texts = await model.draw({ first: 0, count: 4000, length: 8, temperature, seed: 7 });
    const counts = Array.from({ length: PIECES }, () => new Float64Array(PIECES));
    for (const text of texts) {
      assert.ok(text.length === 8 ? !text.slice(0, -1).includes(2) : text.indexOf(2) === text.length - 1);
      // 1 begins every text.
      [1, ...text].forEach((piece, t) => t < text.length && counts[piece]![text[t]!]!++);
    }
    counts.forEach((row, from) => {
      const seen = row.reduce((a, b) => a + b, 0);
      if (from === 2) return assert.equal(seen, 0, "nothing follows the end");
      const weights = Array.from(
        { length: PIECES },
        (_, to) => Math.exp(table[from * LOGITS + to]! / temperature),
      );
      const total = weights.reduce((a, b) => a + b, 0);
      row.forEach((count, to) => {
        const p = weights[to]! / total;
        assert.ok(
          Math.abs(count - seen * p) < 5 * Math.sqrt(seen * p * (1 - p)) + 1,
          `${from} to ${to}: ${count}`,
        );
      });
    });
  }
});

Deno.test("caches change nothing, and neither does what is drawn beside a text", async () => {
  await using plain = await openCausalLm(await languageModel(false));
  await using cached = await openCausalLm(await languageModel(true));
  const draws = { first: 0, count: 50, length: 12, temperature: 1, seed: 3 };
  const texts = await plain.draw(draws);
  assert.ok(new Set(texts.map((text) => text.length)).size > 3);
  assert.deepEqual(await cached.draw(draws), texts);
  assert.deepEqual(await cached.draw({ ...draws, first: 20, count: 5 }), texts.slice(20, 25));
  assert.notDeepEqual(await plain.draw({ ...draws, seed: 4 }), texts);
  // The sum of what came before matters: a model that forgot its cache would draw others.
  await using other = await openCausalLm(await languageModel(true, false));
  assert.notDeepEqual(await other.draw(draws), texts);
});

Deno.test("what nothing can be drawn from is refused", async () => {
  await assert.rejects(openCausalLm(tinyTeacher("encoder")), /nothing can be drawn from .* it is not causal/);
  await assert.rejects(openCausalLm(tinyTeacher("causal")), /gives no `logits`/);
  await using model = await openCausalLm(await languageModel(false));
  const draws = { first: 0, count: 1, length: 17, temperature: 1, seed: 3 };
  await assert.rejects(model.draw(draws), /takes 16 pieces at a time, and texts of 17 need 17/);
});

class Killed extends Error {}

Deno.test("drawn texts are a corpus; killed after any save, the stage ends with the same bytes", async () => {
  await inPlace(async (place) => {
    const teacher = await languageModel(true);
    const store = Store.open(`${place.scratch}/store`, { create: true });
    let node = 0;
    const codec = array("drawn-texts", "i4", 2);
    const fresh = () => new CheckpointFolder(store, (node++).toString(16).padStart(64, "0"), codec);
    const run = async (checkpoint: CheckpointFolder, killAfter: number) => {
      let saves = 0;
      const made = await runStage(drawTexts, { teacher }, { count: 21, length: 9, batch: 4 }, {
        scratch: () => Deno.makeTempDir({ dir: place.scratch }),
        checkpoint: {
          load: () => checkpoint.load(),
          async offer(make: () => unknown) {
            await checkpoint.save(await make() as never);
            if (++saves === killAfter) throw new Killed();
          },
        },
      });
      return { vocabulary: made.vocabulary, artifact: await place.write(tokens, made.tokens) };
    };
    const expected = await run(fresh(), Infinity);
    for (const killAfter of [1, 4, 6]) {
      const checkpoint = fresh();
      await assert.rejects(run(checkpoint, killAfter), Killed);
      assert.equal((await run(checkpoint, Infinity)).artifact.digest, expected.artifact.digest);
    }
    await using model = await openCausalLm(teacher);
    const texts = await model.draw({ first: 0, count: 21, length: 9, temperature: 1, seed: 1 });
    const corpus = await place.read(tokens, expected.artifact);
    const ids = await corpus.ids.all();
    texts.forEach((text, n) => assert.deepEqual(ids.slice(corpus.starts[n], corpus.starts[n + 1]), text));
    assert.equal(expected.vocabulary.words[7], "cats");
  });
});

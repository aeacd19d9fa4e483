import assert from "node:assert/strict";
import type { RetortError } from "../../foundation/errors.ts";
import { array } from "../../runner/codecs/array.ts";
import { CheckpointFolder } from "../../runner/store/checkpoints.ts";
import { Store } from "../../runner/store/store.ts";
import { tokens } from "../../stages/text/codecs.ts";
import { drawTexts } from "../../stages/text/draw_texts.ts";
import { openCausalLm } from "../../teachers/causal_sampling.ts";
import { inPlace, runHere } from "../stages/in_place.ts";
import { tinyTeacher } from "./tiny.ts";
import { languageModel, LOGITS, logitTable, PIECES } from "./tiny_language_model.ts";

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
        (_, to) => Math.exp(logitTable[from * LOGITS + to]! / temperature),
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

Deno.test("graphs of other precision, names, types and branches say the same", async () => {
  const draws = { first: 0, count: 50, length: 12, temperature: 1, seed: 3 };
  const textsOf = async (files: Awaited<ReturnType<typeof languageModel>>, cached = true) => {
    await using model = await openCausalLm(files);
    assert.equal(model.cached, cached);
    return await model.draw(draws);
  };
  const plain = await textsOf(await languageModel(true));
  const same: Record<string, Parameters<typeof languageModel>[2]> = {
    "output lm_logits": { names: ["input_ids", "lm_logits", "past_key_values.0.key", "present.0.key"] },
    "caches past_0, present_0": { names: ["input_ids", "logits", "past_0", "present_0"] },
    "caches past_key_values, present_key_values": {
      names: ["input_ids", "logits", "past_key_values.0.decoder.key", "present_key_values.0.decoder.key"],
    },
    "32 bits": { int32: true },
    "a merged decoder": { merged: true },
    "logits to keep": { keep: true },
    "all of these": { int32: true, merged: true, keep: true },
  };
  for (const [what, variant] of Object.entries(same)) {
    assert.deepEqual(await textsOf(await languageModel(true, true, variant)), plain, what);
  }
  const others = ["tokens", "scores", "memory_in.0", "memory_out.0"] as const;
  const names = { ids: "tokens", logits: "scores", past: "memory_in", present: "memory_out" };
  assert.deepEqual(await textsOf(await languageModel(true, true, { names: others }, { names })), plain);
  const rounded = await textsOf(await languageModel(true, true, { rounded: true }));
  assert.deepEqual(await textsOf(await languageModel(true, true, { half: true })), rounded);
  assert.deepEqual(await textsOf(await languageModel(false, true, { half: true }), false), rounded);
  // Caches that are not given back: the same texts, by a pass over all pieces each.
  const lost = await languageModel(true, true, { names: ["input_ids", "logits", "past.0", "other.0"] });
  assert.deepEqual(await textsOf(lost, false), plain);
});

Deno.test("graphs that are not understood are refused with what they take, and with what helps", async () => {
  const names = ["tokens", "scores", "memory_in.0", "memory_out.0"] as const;
  const refused: [Parameters<typeof languageModel>[3], RegExp, RegExp][] = [
    [
      {},
      /tiny takes `tokens` \(int64 \[batch, tokens\]\), which is not known here/,
      /by the parameter `names`/,
    ],
    [
      { names: { ids: "words" } },
      /tiny takes no `words`; it takes tokens \(int64\), attention_mask \(int64\)/,
      /^$/,
    ],
    [
      { names: { ids: "tokens" } },
      /takes `memory_in.0` \(float32 \[batch, 1, past, 1\]\), which is not known/,
      /`past`/,
    ],
    [
      { names: { ids: "tokens", past: "memory_in", logits: "lm" } },
      /no output `lm` of floats; it has scores float32/,
      /^$/,
    ],
  ];
  for (const [described, message, hint] of refused) {
    await assert.rejects(languageModel(true, true, { names }, described), (error: RetortError) => {
      assert.match(error.message, message);
      assert.match(error.hint ?? "", hint);
      return true;
    });
  }
  // Without a name its logits are nowhere: it is a teacher, but nothing can be drawn from it.
  const dumb = await languageModel(true, true, { names }, { names: { ids: "tokens", past: "memory_in" } });
  await assert.rejects(openCausalLm(dumb), /nothing can be drawn from tiny: it gives no `logits`/);
});

Deno.test("special pieces come by parameter, from the files beside the tokenizer, by their usual names", async () => {
  const config = async (described: Parameters<typeof languageModel>[3]) => {
    const { start, ends, padding } = (await languageModel(false, true, {}, described)).config;
    return [start, ends, padding];
  };
  const json = (value: unknown) => JSON.stringify(value);
  // The tokenizer's own template says [CLS] before a text; its vocabulary has [SEP] and [PAD].
  assert.deepEqual(await config({}), [[1], [2], 0]);
  const generation = json({ bos_token_id: 9, eos_token_id: [7, 2], pad_token_id: 8 });
  const map = json({ eos_token: { content: "cats", lstrip: false }, pad_token: "[UNK]" });
  assert.deepEqual(await config({ settings: { "generation_config.json": generation } }), [[1], [7, 2], 8]);
  assert.deepEqual(await config({ settings: { "special_tokens_map.json": map } }), [[1], [7], 3]);
  assert.deepEqual(
    await config({ settings: { "special_tokens_map.json": map, "config.json": json({ eos_token_id: 4 }) } }),
    [[1], [4], 3],
  );
  const special = { begin: "it", end: ["cats", 5] };
  assert.deepEqual(await config({ settings: { "generation_config.json": generation }, special }), [[9], [
    7,
    5,
  ], 8]);
  assert.deepEqual(await config({ prompt: "unseen cats" }), [[1, 4, 5, 7], [2], 0]);
  await assert.rejects(
    config({ special: { end: "<EOS>" } }),
    /the parameter `end` of tiny is "<EOS>", a piece that its/,
  );
  await assert.rejects(
    config({ settings: { "config.json": json({ eos_token_id: 50256 }) } }),
    /`eos_token` in config.json of tiny is 50256, a piece that its tokenizer does not have/,
  );
  await assert.rejects(config({ settings: { "config.json": "{" } }), /config.json of tiny is not readable/);
});

Deno.test("texts end after any of the end pieces, which the first stands for, and follow the prompt", async () => {
  const special = { begin: 9, end: [7, 2] };
  await using model = await openCausalLm(await languageModel(true, false, {}, { special, prompt: "unable" }));
  assert.equal(model.vocabulary.end, 7);
  const texts = await model.draw({ first: 0, count: 2000, length: 8, temperature: 1, seed: 7 });
  for (const text of texts) {
    assert.ok(!text.includes(2) && (text.length === 8 || text.indexOf(7) === text.length - 1), `${text}`);
  }
  // The prompt ends with the piece 6 and the logits know only the last piece: what follows it comes first here.
  const weights = Array.from({ length: PIECES }, (_, to) => Math.exp(logitTable[6 * LOGITS + to]!));
  const total = weights.reduce((a, b) => a + b, 0);
  for (const [to, weight] of weights.entries()) {
    const p = to === 2 ? 0 : (to === 7 ? weight + weights[2]! : weight) / total;
    const seen = texts.filter((text) => text[0] === to).length;
    assert.ok(
      Math.abs(seen - 2000 * p) < 5 * Math.sqrt(2000 * p * (1 - p)) + 1,
      `${to}: ${seen}, not ${2000 * p}`,
    );
  }
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
      const made = await runHere(drawTexts, { teacher }, { count: 21, length: 9, batch: 4 }, {
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

import assert from "node:assert/strict";
import { hmm } from "../../circuits/mod.ts";
import { accepts, constraintFromJson } from "../../control/mod.ts";
import { pieceTokenizer } from "../../datasets/text/pieces.ts";
import type { Vocabulary } from "../../datasets/text/vocabulary.ts";
import { ShardWriter } from "../../runner/codecs/shard_writer.ts";
import { controlledTexts, controlTable, planFacts } from "../../stages/control/codecs.ts";
import { controlCompare } from "../../stages/control/compare.ts";
import { controlGenerate } from "../../stages/control/generate.ts";
import { controlPlan } from "../../stages/control/plan.ts";
import { controlQuality, qualityTable } from "../../stages/control/quality.ts";
import type { NamedChart } from "../../stages/charts/codec.ts";
import { tokens } from "../../stages/text/codecs.ts";
import { teacher } from "../../stages/text/teachers.ts";
import { causalLmPlans, causalLmTeacher } from "../../teachers/causal_lm.ts";
import { openCausalLm } from "../../teachers/causal_sampling.ts";
import { startingNumbers } from "../../teachers/transformer.ts";
import { byteLevel } from "../control/vocabularies.ts";
import { inPlace, runHere } from "./in_place.ts";

const vocabulary: Vocabulary = {
  kind: "words",
  words: ["<unk>", "<eos>", "we", "the", "people", ","],
  unknown: 0,
  end: 1,
  glued: [5],
};
const sizes = { tokens: 6, length: 10, width: 8, layers: 2, heads: 2, hidden: 16 };
const circuit = hmm({ length: 8, states: 3, symbols: 6, seed: 4 });
const constraint = { all: [{ inOrder: ["we", " people"] }, { words: [3, 6] }] };
const PARAMS = { constraint, tokens: [2, 8], begins: "window", count: 30 };

Deno.test("stages plan, draw by each method and compare; what they write is read again", async () => {
  await inPlace(async (place) => {
    const made = causalLmTeacher(sizes, startingNumbers(causalLmPlans(sizes), 2), "tiny", vocabulary);
    const read = await place.read(teacher, await place.write(teacher, made));
    assert.deepEqual(read.vocabulary, vocabulary);
    const inputs = { circuit, teacher: read };
    const { plan } = await runHere(controlPlan, { circuit, vocabulary }, PARAMS);
    const facts = await place.read(planFacts, await place.write(planFacts, plan));
    assert.ok(facts.logProbability! < 0 && facts.states > 3 && facts.bytes > 0);
    const { automaton } = constraintFromJson(constraint);
    const drawn = [];
    for (const method of ["look-ahead", "mask", "rejection"]) {
      const metrics = new Map<string, number>();
      const { texts } = await runHere(controlGenerate, inputs, { ...PARAMS, method }, {
        metric: (name: string, value: number) => metrics.set(name, value),
      });
      const value = await place.read(controlledTexts, await place.write(controlledTexts, texts));
      assert.equal(value.method, method);
      assert.deepEqual([value.texts.length, value.satisfied, metrics.get("satisfied")], [30, 30, 1]);
      assert.ok(value.texts.every(({ text }) => accepts(automaton, text)));
      assert.ok(value.texts.every(({ tokens }) => tokens.at(-1) === 1 && tokens.length <= 9));
      assert.ok(method === "rejection" ? value.attempts > 100 : value.attempts === 30);
      assert.ok(value.perplexity! > 3 && value.perplexity! < 8, "a random model of six tokens");
      drawn.push(value);
    }
    await using model = await openCausalLm(read);
    const held = await model.draw({ first: 0, count: 50, length: 9, temperature: 1, seed: 9 });
    const writer = new ShardWriter({
      folder: Deno.makeTempDirSync({ dir: place.scratch }),
      type: "u1",
      width: 1,
    });
    const starts = [0];
    for (const text of held) {
      await writer.append(text);
      starts.push(writer.rows);
    }
    const corpus = await place.read(
      tokens,
      await place.write(tokens, { ids: await writer.finish(), starts: Float64Array.from(starts) }),
    );
    const { table } = await runHere(controlCompare, { ...inputs, texts: drawn, held: corpus });
    const { rows, quality } = await place.read(controlTable, await place.write(controlTable, table));
    assert.deepEqual(rows.map(({ method, satisfied }) => [method, satisfied]), [
      ["look-ahead", 1],
      ["mask", 1],
      ["rejection", 1],
    ]);
    assert.deepEqual([rows[2]!.tokenDistance, rows[2]!.lengthDistance], [0, 0], "to itself");
    assert.ok(rows[0]!.tokenDistance! > 0 && rows[0]!.tokenDistance! < 0.3);
    // The random HMM says little; the mask still runs into corners. Rejection's share of 30 texts is known to a sixth.
    assert.equal(rows[2]!.divergence, 0);
    assert.ok(rows[0]!.divergence! > -0.4 && rows[0]!.divergence! < rows[1]!.divergence!);
    // A random model of six tokens: near log2 6 bits; the HMM, random as well, does not know it.
    assert.ok(quality.languageModel > 2 && quality.languageModel < 2.7, `${quality.languageModel}`);
    assert.ok(quality.hmm > quality.languageModel, `${quality.hmm}`);
    assert.equal(quality.tokens, starts.at(-1));

    const log = { bestEpoch: 1, converged: false, epochs: [] };
    const found = await runHere(controlQuality, {
      ...{
        circuits: [circuit, circuit],
        logs: [log, { ...log, converged: true }],
        texts: [drawn[0], drawn[0]],
      },
      ...{ floors: drawn.slice(1), teacher: read, held: corpus },
    }, { rows: [{ draws: 1000, states: 3 }, { draws: 2000, states: 3 }] });
    const measured = await place.read(qualityTable, await place.write(qualityTable, found.table));
    assert.equal(measured.languageModel, quality.languageModel);
    assert.deepEqual(measured.rows.map(({ bits, converged }) => [bits, converged]), [
      [quality.hmm, false],
      [quality.hmm, true],
    ]);
    assert.deepEqual(measured.floors.map(({ method }) => method), ["mask", "rejection"]);
    const [perplexity, divergence] = found.charts as NamedChart[];
    assert.deepEqual(divergence!.chart.levels, [
      { label: "mask", y: rows[1]!.divergence },
      { label: "rejection", y: 0 },
    ]);
    const x = quality.hmm - quality.languageModel;
    assert.deepEqual(perplexity!.chart.series, [
      { label: "1,000 draws", points: [{ x, y: rows[0]!.perplexity, open: true }] },
      { label: "2,000 draws", points: [{ x, y: rows[0]!.perplexity }] },
    ]);
  });
});

Deno.test("rejection keeps no text with half a character, which no plan would draw", async () => {
  const { vocabulary } = pieceTokenizer(byteLevel), own = { ...sizes, tokens: vocabulary.words.length };
  const made = causalLmTeacher(own, startingNumbers(causalLmPlans(own), 2), "tiny", vocabulary);
  const circuit = hmm({ length: 8, states: 3, symbols: own.tokens, seed: 4 });
  const { texts } = await runHere(controlGenerate, { circuit, teacher: made }, {
    ...PARAMS,
    constraint: { not: "b" },
    tokens: [1, 8],
    count: 20,
    method: "rejection",
  });
  assert.equal(texts.texts.length, 20);
  for (const { text } of texts.texts) assert.ok(!text.includes("\ufffd"), text);
});

Deno.test("rejection that finds nothing says so, and the table does without", async () => {
  const made = causalLmTeacher(sizes, startingNumbers(causalLmPlans(sizes), 2), "tiny", vocabulary);
  const lines: string[] = [];
  const { texts } = await runHere(controlGenerate, { circuit, teacher: made }, {
    ...PARAMS,
    constraint: { exactly: [8, " the"] },
    tokens: [9, 9],
    method: "rejection",
    attempts: 50,
  }, { log: (line: string) => lines.push(line) });
  assert.deepEqual([texts.texts.length, texts.perplexity], [0, null]);
  assert.equal(texts.attempts, 50, "the limit counts texts, not batches");
  assert.match(
    lines[0]!,
    /^draws until 30 texts keep to exactly\(8, " the"\), and 50 texts at most \(`attempts`\)$/,
  );
  assert.match(lines.at(-1)!, /^stopped after 50 texts: 0 of them keep to exactly\(8, " the"\)$/);
});

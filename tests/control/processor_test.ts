import assert from "node:assert/strict";
import { type Constraint, inOrder, openControl, phrase, tokenHmm } from "../../control/mod.ts";
import { spellingOf } from "../../control/pieces/spelling.ts";
import { allowedTexts, randomNumbers } from "./brute_force.ts";
import { chiSquare, nextTokens } from "./language_models.ts";
import { LETTERS } from "./vocabularies.ts";

const V = LETTERS.words.length;
const numbers = randomNumbers(4, V, 3, 1.2);

/** Logits of rows of ids, with two more tokens than the vocabulary has, as exporters give them. */
function logitsOf(rows: readonly (readonly bigint[])[]) {
  const data = new Float32Array(rows.length * (V + 2));
  rows.forEach((ids, r) =>
    data.set([...Float32Array.from(nextTokens(numbers, ids.map(Number)), Math.log), 3, 3], r * (V + 2))
  );
  return { dims: [rows.length, V + 2], data };
}

/** What is left of logits of a row: its finite tokens. */
function finite({ dims, data }: { dims: readonly number[]; data: Float32Array }, row: number): number[] {
  return Array.from(data.subarray(row * dims[1]!, (row + 1) * dims[1]!).entries())
    .flatMap(([token, x]) => x === -Infinity ? [] : [token]);
}

Deno.test("a processor adjusts each row by its own text, and notices new ones", async () => {
  await using control = await openControl(tokenHmm(numbers), LETTERS);
  const plan = await control.plan("ab", { tokens: [2, 4] });
  const [processor] = [...plan.processor()];
  const step = (rows: bigint[][]) => processor!(rows, logitsOf(rows));
  const truth = (prompt: number[], tokens: number[]) => {
    const text = plan.begin(prompt);
    for (const token of tokens) text.add(token);
    const logits = Float32Array.from(nextTokens(numbers, [...prompt, ...tokens]), Math.log);
    text.adjust(logits);
    return [...logits, -Infinity, -Infinity];
  };
  // Two rows with prompts of their own.
  assert.deepEqual([...step([[2n, 2n], [3n, 4n]]).data], [...truth([2, 2], []), ...truth([3, 4], [])]);
  assert.deepEqual(
    [...step([[2n, 2n, 2n], [3n, 4n, 3n]]).data],
    [...truth([2, 2], [2]), ...truth([3, 4], [3])],
  );
  // The first row begins anew, the second goes on.
  assert.deepEqual([...step([[4n, 4n], [3n, 4n, 3n, 2n]]).data], [
    ...truth([4, 4], []),
    ...truth([3, 4], [3, 2]),
  ]);
  assert.deepEqual(finite(step([[4n, 4n, 2n], [3n, 4n, 3n, 2n, 3n]]), 1), [1, 2, 3, 4]);
  assert.deepEqual(finite(step([[4n, 4n, 2n, 3n], [3n, 4n, 3n, 2n, 3n, 4n]]), 1), [1], "as long as can be");
  // After the end there is nothing but the end.
  assert.deepEqual(finite(step([[4n, 4n, 2n, 3n, 1n], [3n, 4n, 3n, 2n, 3n, 4n, 1n]]), 0), [1]);
  assert.deepEqual(finite(step([[4n, 4n, 2n, 3n, 1n, 1n], [3n, 4n, 3n, 2n, 3n, 4n, 1n, 1n]]), 1), [1]);
  // Fewer rows, and more again.
  assert.deepEqual([...step([[2n]]).data], truth([2], []));
  assert.deepEqual([...step([[2n, 3n], [3n]]).data], [...truth([2], [3]), ...truth([3], [])]);
  // A prompt of marks alone is no text.
  const unread = Float32Array.from(nextTokens(numbers, [1]), Math.log);
  plan.begin().adjust(unread);
  assert.deepEqual([...step([[1n]]).data.slice(0, V)], [...unread]);
});

Deno.test("a processor that is reset begins new texts, also where rows would go on", async () => {
  await using control = await openControl(tokenHmm(numbers), LETTERS);
  const plan = await control.plan("ab", { tokens: [2, 4] });
  const processors = plan.processor();
  const step = (ids: bigint[]) => finite(processors.process([ids], logitsOf([ids])), 0);
  step([2n]);
  assert.deepEqual(step([2n, 2n]), [2, 3, 4], "the first token of a text after the prompt");
  step([2n, 2n, 4n]);
  assert.deepEqual(step([2n, 2n, 4n, 2n]), [3], "a fourth token must complete the phrase");
  processors.reset();
  assert.deepEqual(step([2n, 2n, 4n, 2n]), [2, 3, 4], "all of it is a prompt now");
  assert.deepEqual(step([2n]), [2, 3, 4], "a row that is shorter is another text");
});

Deno.test("rows whose text may end or go on get the end token with its share", async () => {
  await using control = await openControl(tokenHmm(numbers), LETTERS);
  const plan = await control.plan("ab", { tokens: [2, 4], ends: false });
  const [processor] = [...plan.processor()];
  processor!([[4n]], logitsOf([[4n]]));
  processor!([[4n, 2n]], logitsOf([[4n, 2n]]));
  const { data } = processor!([[4n, 2n, 3n]], logitsOf([[4n, 2n, 3n]]));
  const text = plan.begin([4]);
  text.add(2);
  text.add(3);
  const weights = data.map(Math.exp), total = weights.reduce((a, b) => a + b, 0);
  assert.ok(Math.abs(weights[1]! / total - text.shareOfEnding) < 1e-6);
  // A row that ended keeps its place in the batch, and gets the end for ever.
  const batch = plan.processor();
  const rows = [[4n], [4n]];
  const step = (...next: bigint[]) => {
    next.forEach((id, r) => rows[r]!.push(id));
    return finite(batch.process(rows.map((row) => row.slice()), logitsOf(rows)), 1);
  };
  step();
  step(2n, 2n);
  assert.ok(step(2n, 3n).includes(1));
  assert.deepEqual([step(3n, 1n), step(4n, 1n)], [[1], [1]]);
});

Deno.test("logits of another kind are refused, and vocabularies without an end for texts of several lengths", async () => {
  await using control = await openControl(tokenHmm(numbers), { ...LETTERS, end: null });
  const ranged = await control.plan("ab", { tokens: [2, 4] });
  assert.throws(() => ranged.processor(), { code: "control/argument", message: /no end token/ });
  const [processor] = [...(await control.plan("ab", { tokens: [4, 4] })).processor()];
  assert.throws(() => processor!([[2n]], { dims: [1, 5], data: new Float64Array(5) }), {
    code: "control/argument",
  });
  assert.throws(() => processor!([[2n], [2n]], { dims: [1, 5], data: new Float32Array(5) }), {
    code: "control/argument",
  });
});

Deno.test("through the calls of a generation loop draws have exactly the conditional distribution", async () => {
  const constraint: Constraint = inOrder(phrase("ab"), "b");
  await using control = await openControl(tokenHmm(numbers), LETTERS);
  const plan = await control.plan(constraint, { tokens: [3, 5] });
  const texts = allowedTexts({
    hmm: numbers,
    spelling: spellingOf(LETTERS),
    constraint,
    least: 3,
    most: 5,
    suffix: [1],
    prompt: [4],
  });
  const processors = plan.processor();
  let word = 12345;
  const uniform = () => (word = (Math.imul(word, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const counts = new Map<string, number>();
  for (let batch = 0; batch < 30; batch++) {
    const rows = Array.from({ length: 100 }, () => [4n]);
    while (rows.some((row) => row.at(-1) !== 1n)) {
      let logits = logitsOf(rows);
      for (const processor of processors) logits = processor(rows, logits);
      rows.forEach((row, r) => {
        const own = logits.data.subarray(r * (V + 2), (r + 1) * (V + 2));
        const weights = Array.from(own, Math.exp);
        let left = uniform() * weights.reduce((a, b) => a + b, 0);
        const token = weights.findIndex((weight) => (left -= weight) < 0);
        row.push(BigInt(token));
      });
    }
    for (const row of rows) {
      const key = row.slice(1, row.indexOf(1n) + 1).join();
      assert.ok(texts.has(key), key);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  const shares = new Map([...texts].map(([key, { probability }]) => [key, probability]));
  const { statistic, degrees } = chiSquare(counts, shares);
  assert.ok(degrees > 10 && statistic < degrees + 5 * Math.sqrt(2 * degrees), `${statistic} on ${degrees}`);
});

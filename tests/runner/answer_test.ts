import assert from "node:assert/strict";
import { z } from "zod";
import type { JsonValue } from "../../foundation/canonical.ts";
import { definePipeline, defineStage, json } from "../../mod.ts";
import { answerOf, differenceOf, type RunAnswer } from "../../runner/answer.ts";
import { checkAsked, type HeadlineDefinition } from "../../runner/headline.ts";
import { buildPipeline } from "../../runner/build_pipeline.ts";
import { Records } from "../../runner/records/records.ts";
import { compareVerdicts } from "../../runner/compare_verdicts.ts";
import { differenceText, spreadValue, verdictOf } from "../../runner/verdict.ts";
import { Folder } from "../command.ts";

const HEADLINE: HeadlineDefinition = {
  metric: "test perplexity",
  direction: "lower",
  baseline: "random",
  arms: { random: "random start" },
  values: [
    {
      output: "table",
      rows: "rows",
      value: "test",
      arm: "{arm}",
      setting: "{states} states",
      converged: "converged",
    },
    { output: "table", rows: "floors", value: "test", arm: "{model}", reference: true },
  ],
};

/** The answer that rows give: arm, states, test, converged. */
async function answer(
  rows: readonly (readonly [string, number, number, boolean])[],
  change: Partial<HeadlineDefinition> = {},
): Promise<RunAnswer> {
  const asked = checkAsked("p", { question: "Is it?", headline: { ...HEADLINE, ...change } }, {}, ["table"])!;
  const value: JsonValue = {
    rows: rows.map(([arm, states, test, converged]) => ({ arm, states, test, converged })),
    floors: [{ model: "bigram", test: 127 }],
  };
  return (await answerOf(asked, () => value))!;
}

Deno.test("an answer names arms, marks what was cut off, and says by how much and that one seed is not sure", async () => {
  const one = await answer([["random", 8, 127.2, true], ["distilled", 8, 126.4, false]]);
  assert.deepEqual(
    one.groups[0]!.arms.map((arm) => `${arm.label} ${spreadValue(one, arm)}`),
    ["distilled 126.4*", "random start 127.2", "bigram 127.0"],
  );
  assert.deepEqual(verdictOf(one), {
    text: "distilled is better than random start by 0.8 (0.6 %)",
    word: "better than",
    sure: false,
    why: ["one seed each, so its spread is unknown", "not converged: distilled"],
  });
  assert.deepEqual(one.groups[0]!.arms.map((arm) => differenceText(one, arm)), [
    "−0.8 (−0.6 %), better",
    "baseline",
    "−0.2 (−0.2 %), better",
  ]);
  const higher = await answer([["random", 8, 5, true], ["distilled", 8, 4, true]], { direction: "higher" });
  assert.match(verdictOf(higher).text, /^distilled is worse than random start by 1\.0 \(20 %\)$/);
  const equal = await answer([["random", 8, 5, true], ["distilled", 8, 5, true]]);
  assert.equal(verdictOf(equal).text, "distilled is as good as random start");
  const alone = await answer([["random", 8, 5, true]]);
  assert.equal(verdictOf(alone).sure, false);
});

Deno.test("seeds make it sure where Welch's interval leaves 0 out, in every setting", async () => {
  const seeds = (arm: string, states: number, values: readonly number[]) =>
    values.map((value) => [arm, states, value, true] as const);
  const sure = await answer([...seeds("random", 8, [5, 6, 7]), ...seeds("distilled", 8, [1, 2, 3])]);
  // Equal variances of 1 and 4 degrees of freedom: t is 2.776, the standard error the root of 2/3.
  const [low, high] = sure.groups[0]!.arms[0]!.difference!.interval!;
  assert.ok(
    Math.abs(low + 4 + 2.776 * Math.sqrt(2 / 3)) < 1e-9 &&
      Math.abs(high + 4 - 2.776 * Math.sqrt(2 / 3)) < 1e-9,
  );
  assert.deepEqual(verdictOf(sure).why, ["95 % interval −6.3 to −1.7"]);
  assert.ok(verdictOf(sure).sure);
  const mixed = await answer([
    ...[...seeds("random", 8, [5, 6, 7]), ...seeds("distilled", 8, [1, 2, 3])],
    ...[...seeds("random", 16, [5, 6, 7]), ...seeds("distilled", 16, [5.5, 6.5, 7.5])],
  ]);
  assert.equal(
    verdictOf(mixed).text,
    "distilled is better than random start by 4.0 (67 %) at 1 of 2 settings",
  );
  assert.deepEqual(verdictOf(mixed).why, ["worse at 1"]);
  assert.equal(differenceOf([1, 1], [2, 2], "lower").interval![0], -1, "no spread: no width");
  // scipy.stats.ttest_ind([1, 2, 6], [4, 9, 11, 12], equal_var=False).confidence_interval(0.95): -12.03299, 0.03299
  const [from, to] = differenceOf([1, 2, 6], [4, 9, 11, 12], "lower").interval!;
  assert.ok(
    from <= -12.03299 && from > -13 && to >= 0.03299 && to < 1,
    "never narrower than Welch's own",
  );
});

Deno.test("a wrong question or headline is refused with what was expected", async () => {
  const table = json("answer-table", z.object({}));
  const make = defineStage({ name: "answer.make", outputs: { table }, run: () => ({ table: {} }) });
  const faultOf = (asked: object) =>
    buildPipeline(definePipeline({
      name: "asks",
      build: () => ({ table: make({}).table }),
      ...asked,
    })).then(() => "", (error: Error) => error.message);
  const question = "Is it?";
  assert.match(await faultOf({ headline: HEADLINE }), /`headline` but no `question`/);
  assert.match(await faultOf({ question: "" }), /expected a sentence/);
  assert.match(
    await faultOf({ question, headline: { ...HEADLINE, direction: "down" } }),
    /pipeline `asks`: `headline\.direction`: .*"lower"\|"higher"/,
  );
  const [first] = HEADLINE.values;
  assert.match(
    await faultOf({ question, headline: { ...HEADLINE, values: [{ ...first, output: "tabel" }] } }),
    /`headline\.values\.0\.output` is `tabel`, which is no output of it.*table/,
  );
  assert.match(
    await faultOf({
      question,
      headline: () => {
        throw new Error("no teachers");
      },
    }),
    /pipeline `asks`: its headline threw: no teachers/,
  );
  assert.equal(await faultOf({ question, headline: HEADLINE }), "");
  assert.equal(await faultOf({ question }), "");
});

Deno.test("records of before questions are read; arms and choices are kept", () => {
  using folder = new Folder();
  Deno.mkdirSync(folder.store);
  const run = {
    id: "r",
    pipeline: "p",
    file: "f",
    command: "c",
    params: {},
    seed: 0,
    status: "done" as const,
    started: 1,
    ended: 2,
    environment: {} as never,
    pid: 1,
  };
  using records = new Records({ root: folder.store });
  records.beginRun(run);
  assert.equal(records.question("r"), undefined);
  records.putQuestion("r", { question: "Is it?", headline: null });
  assert.deepEqual(records.question("r"), { question: "Is it?", headline: null });
  records.putArm("r", { node: "n", arm: "distilled", setting: "8 states" });
  assert.deepEqual(records.arms("r").map((one) => ({ ...one })), [{
    node: "n",
    arm: "distilled",
    setting: "8 states",
  }]);
  records.putChoice("r", { node: "n", name: "weight", value: 0.1 });
  assert.equal(records.choices("r", "n")[0]!.value, 0.1);
});

Deno.test("compared runs say whether their verdict changes, and in how many they are sure", async () => {
  const better = await answer([["random", 8, 127, true], ["distilled", 8, 126, true]]);
  const worse = await answer([["random", 8, 127, true], ["distilled", 8, 128, true]]);
  const alone = await answer([["random", 8, 5, true]]);
  assert.equal(
    compareVerdicts([better, worse, undefined, worse])?.text,
    "the verdict changes: distilled is better than random start in 1 run, worse in 2",
  );
  const same = compareVerdicts([better, better]);
  assert.equal(same?.text, "the verdict stays: distilled is better than random start in both, sure in none");
  assert.deepEqual([same?.changed, same?.runs.map((one) => one?.word)], [false, [
    "better than",
    "better than",
  ]]);
  assert.equal(compareVerdicts([better, alone, undefined]), undefined);
});

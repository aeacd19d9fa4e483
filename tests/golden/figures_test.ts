/**
 * Figures of the documentation are drawn from the tables that stand beside them: neither can change without the other, and a
 * change of how charts are drawn reaches figures whose runs are long gone.
 */
import assert from "node:assert/strict";
import { describeSpace, plainSpace } from "../../datasets/images/mod.ts";
import { lineChart } from "../../stages/charts/line_chart.ts";
import { qualityCharts } from "../../stages/control/quality.ts";
import { imageCharts } from "../../stages/images/image_chart.ts";
import { languageCharts } from "../../stages/text/language_chart.ts";
import { ROOT } from "../command.ts";
import { checkGolden } from "../golden.ts";
import { runHere } from "../stages/in_place.ts";

/** Rows of the table of a page whose head begins with these columns. */
function tableOf(page: string, ...head: readonly string[]): string[][] {
  const cells = (line: string) => line.split("|").slice(1, -1).map((cell) => cell.trim());
  const lines = Deno.readTextFileSync(`${ROOT}/docs/${page}`).split("\n");
  const from = lines.findIndex((line) => {
    const found = cells(line);
    return head.every((title, i) => found[i]?.startsWith(title));
  });
  assert.ok(from >= 0, `${page} has a table ${head.join(", ")}`);
  const rows = lines.slice(from + 2);
  return rows.slice(0, rows.findIndex((line) => !line.startsWith("|"))).map(cells);
}

function numberOf(cell: string): number {
  const value = Number(cell.replaceAll(/[,*]/g, ""));
  assert.ok(cell !== "" && Number.isFinite(value), cell);
  return value;
}

Deno.test("golden: test perplexity on WikiText-2, as docs/results.md has it", async () => {
  const found = tableOf("results.md", "arm, not converged", "states", "before EM", "by epoch 4");
  const rows = found.filter((row) => row[1] !== "").map((
    [arm, states, start, atBudget, best, valid, test],
  ) => ({
    ...{ arm: arm!, states: numberOf(states!), seed: 0, bestEpoch: 12, epochs: 12, converged: false },
    ...{ start: numberOf(start!), atBudget: numberOf(atBudget!), best: numberOf(best!) },
    ...{ valid: numberOf(valid!), test: numberOf(test!) },
  }));
  assert.equal(rows.length, 12);
  const floors = found.filter((row) => row[1] === "").map((row) => ({
    ...{ model: row[0]!, valid: numberOf(row[5]!), test: numberOf(row[6]!) },
  }));
  const table = { budget: 4, rows, floors };
  const { charts: [{ chart }] } = await runHere(languageCharts, { table }, { corpus: "WikiText-2" });
  checkGolden("../../../docs/pictures/wikitext2-test.svg", await lineChart(chart));
});

Deno.test("golden: what a teacher is worth by size, as docs/results.md has it", async () => {
  const found = tableOf("results.md", "model", "states", "EM", "seeds");
  const values = (row: string[]) => ({ valid: numberOf(row[4]!), test: numberOf(row[5]!) });
  const rows = found.filter((row) => row[1] !== "").map((row) => ({
    ...{ arm: row[0]!, states: numberOf(row[1]!), seed: 0, bestEpoch: 0, epochs: 0 },
    ...{ converged: row[2]!.startsWith("converged"), start: null, atBudget: null, best: null },
    ...values(row),
  }));
  assert.ok(rows.length >= 14, `${rows.length} rows`);
  const floors = found.filter((row) => row[1] === "").map((row) => ({ model: row[0]!, ...values(row) }));
  assert.equal(floors.length, 3);
  const table = { budget: 0, rows, floors };
  const { charts: [{ chart }] } = await runHere(languageCharts, { table }, { corpus: "WikiText-2" });
  checkGolden("../../../docs/pictures/wikitext2-sizes.svg", await lineChart(chart));
});

Deno.test("golden: what an HMM's quality does to constrained texts, as docs/control.md has it", async () => {
  const found = tableOf("control.md", "draws", "states", "bits a token", "perplexity", "bits from exact");
  const same = {
    texts: 200,
    satisfied: 1,
    attempts: 1,
    length: 0,
    tokenDistance: null,
    lengthDistance: null,
  };
  const measured = (row: string[]) => ({
    ...same,
    perplexity: numberOf(row[3]!),
    divergence: numberOf(row[4]!),
  });
  const of = (kind: (row: string[]) => boolean) => found.filter(kind);
  const rows = of((row) => /^[\d,]+$/.test(row[0]!)).map((row) => ({
    ...{ draws: numberOf(row[0]!), states: numberOf(row[1]!), bits: numberOf(row[2]!) },
    ...{ converged: !row[5]!.startsWith("not"), ...measured(row) },
  }));
  assert.ok(rows.length >= 4);
  const languageModel = numberOf(of((row) => row[0] === "language model")[0]![2]!);
  const floors = of((row) => /^(?:mask|rejection)$/.test(row[0]!)).map((row) => ({
    method: row[0]!,
    ...measured(row),
  }));
  assert.equal(floors.length, 2);
  for (const { name, chart } of qualityCharts({ languageModel, rows, floors })) {
    checkGolden(`../../../docs/pictures/control-${name}.svg`, await lineChart(chart));
  }
});

for (
  const [name, bits, size] of [
    ["cifar", "bits/dim*, 32x32x3", [32, 32, 3]],
    ["fashion", "bits/dim, 28x28x1", [28, 28, 1]],
  ] as const
) {
  Deno.test(`golden: bits per dimension of ${name} against parameters, as docs/results_images.md has them`, async () => {
    const space = plainSpace(size[0], size[1], size[2]);
    const used = name === "cifar" ? { ...space, transform: "ycbcr-lossy" as const } : space;
    const rows = tableOf("results_images.md", "model", "parameters", bits).map(
      ([model, parameters, value]) => {
        const [, arm, setting, state] = /^(.*?), (\d+ \w+)(, .*)?$/.exec(model!) ?? [];
        assert.ok(arm !== undefined && setting !== undefined, model);
        return {
          ...{ arm: `${arm}${state ?? ""}`, setting, standardError: 0, parameters: numberOf(parameters!) },
          ...{ converged: false, figure: { bits: numberOf(value!), images: 10_000, space: used } },
        };
      },
    );
    assert.ok(rows.length >= 7);
    const { charts: [{ chart }] } = await runHere(imageCharts, { table: { rows } }, {});
    assert.ok(chart.title.includes(describeSpace(used)));
    checkGolden(`../../../docs/pictures/${name}-plateau.svg`, await lineChart(chart));
  });
}

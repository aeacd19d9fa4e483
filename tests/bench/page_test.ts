import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { type Entry, keptFigure } from "../../bench/history.ts";
import { callsOf, lastOfCall, renewed, tablesWithoutCall } from "../../bench/page.ts";
import { ROOT } from "../command.ts";

const PAGE = Deno.readTextFileSync(`${ROOT}/docs/performance.md`);

function entry(value: number, more: Partial<Entry> = {}): Entry {
  return {
    date: "2026-11-30T00:00:00Z",
    commit: "abc",
    machine: "2 x M",
    software: "s",
    load: 0.25,
    call: ["--part", "storing"],
    figures: [
      keptFigure({
        name: "storing",
        unit: "ms",
        value,
        spread: [1, 1234],
        runs: 3,
        target: { atMost: 10 },
      }),
      keptFigure({ name: "a | b", unit: "", value: 0.0156, spread: [0.0156, 0.0156], runs: 1 }),
    ],
    ...more,
  };
}

Deno.test("a table holds the figures of its call and where they were measured; one that was never kept stays", () => {
  const page = `# Page

<!-- bench runner --part storing -->

| old | head |
| --- | ---- |
| a   | 1    |

<!-- bench kernels -->

| figure | median |
| ------ | ------ |
| b      | 2      |

Prose.
`;
  assert.deepEqual(callsOf(page).map(({ bench, args }) => [bench, args]), [
    ["runner", ["--part", "storing"]],
    ["kernels", []],
  ]);
  const written = (value: number) =>
    renewed(page, ({ bench }) => bench === "runner" ? entry(value) : undefined);
  assert.equal(
    written(12),
    page.replace(
      "| old | head |\n| --- | ---- |\n| a   | 1    |\n",
      `| figure  | median    | spread            | target |
| ------- | --------- | ----------------- | ------ |
| storing | **12 ms** | 1 to 1234, 3 runs | <= 10  |
| a \\| b  | 0.0156    |                   |        |

Measured at commit abc, 2026-11-30, on 2 x M; s. Load 0.3 before.
`,
    ),
  );
  // Written again, the old figures and their line are gone.
  assert.equal(renewed(written(12), ({ bench }) => bench === "runner" ? entry(5) : undefined), written(5));
});

Deno.test("figures that were kept on some of the cores fill the tables of such calls alone", () => {
  const all = entry(1), one = entry(2, { machine: "1 of 2 x M" }), other = entry(3, { call: [] });
  const [whole, part] = callsOf(
    ["runner --part storing", "taskset -c 0 runner --part storing"].map((call) =>
      `<!-- bench ${call} -->\n\n| a |\n`
    ).join("\n"),
  );
  assert.deepEqual(part!.prefix, ["taskset", "-c", "0"]);
  assert.deepEqual(
    [whole!, part!].map((call) => lastOfCall([all, one, other], call)),
    [all, one],
  );
  assert.equal(lastOfCall([other], whole!), undefined);
});

Deno.test("a table without a call is found", () => {
  assert.deepEqual(tablesWithoutCall("<!-- bench kernels -->\n\n| a |\n| - |\n\ntext\n\n| b |\n| - |\n"), [
    8,
  ]);
});

Deno.test("every table of the page is filled by a benchmark that is there, whose options it knows", () => {
  assert.deepEqual(tablesWithoutCall(PAGE), []);
  for (const { bench, args, text } of callsOf(PAGE)) {
    const file = `${ROOT}/bench/${bench}.ts`;
    assert.ok(existsSync(file), text);
    const code = Deno.readTextFileSync(file);
    for (const name of args.filter((word) => word.startsWith("--")).map((word) => word.slice(2))) {
      assert.match(code, new RegExp(`\\b${name}"?: \\{ type: `), `${text}: --${name}`);
    }
  }
});

Deno.test("the page has the figures that bench/history kept last", () => {
  assert.equal(renewed(PAGE), PAGE, "`deno task bench:all --write` writes them");
});

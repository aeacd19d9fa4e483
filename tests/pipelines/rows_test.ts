import assert from "node:assert/strict";
import { command, type Ended, Folder, ROOT } from "../command.ts";

/** A hundred rows in which a shape tells the size, and the size the price. */
const ROWS = Array.from({ length: 100 }, (_, i) => {
  const [shape, size] = [["ball", 10], ["cube", 20], ["cone", 30]][i % 3] as [string, number];
  return `${shape},${(size + (i * 7 % 10) / 10).toFixed(1)},${i === 4 ? "" : 2 * (i % 3) + i % 2}`;
});

async function rows(folder: Folder, ...settings: string[]): Promise<Ended> {
  return await command("run", [
    `${ROOT}/pipelines/rows.ts`,
    ...["--store", folder.store, "--jobs", "0"],
    ...["latents=[2,3]", "bells=3", "epochs=20", ...settings].flatMap((one) => ["--set", one]),
  ], { cwd: folder.path });
}

Deno.test("a table goes from a file to models, answers and a report; what is open is said with what to set", async () => {
  using folder = new Folder();
  Deno.writeTextFileSync(`${folder.path}/shapes.csv`, `shape,size,price\n${ROWS.join("\n")}\n`);
  const open = await rows(folder, "rows=shapes.csv");
  assert.equal(open.code, 1);
  assert.match(open.stderr, /column `price`: its whole numbers may be states or quantities/);
  const types = /--set '(types=[^']*)'/.exec(open.stderr)![1]!;
  const ran = await rows(folder, "rows=shapes.csv", types, 'ask=[{"shape":"cube"}]');
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(ran.stdout, /hidden tree is (?:better than|worse than|as good as) Chow-Liu tree/);
  const show = async (name: string) =>
    JSON.parse((await command("show", [name, "--store", folder.store, "--json"])).stdout);
  const { facts: { value: { rows: table } } } = await show("table");
  assert.deepEqual(
    table.map(({ set, model }: { set: string; model: string }) => `${set}: ${model}`),
    ["independent columns", "Chow-Liu tree", "hidden tree"].map((model) => `shapes.csv: ${model}`),
  );
  const [alone, , hidden] = table.map(({ test }: { test: number }) => test);
  // To know one column is to know the shape, and with it most of the others.
  assert.ok(hidden > alone + 1, `${hidden} ${alone}`);
  const answers = (await show("answers")).facts.value.rows as string[][];
  assert.match(answers[0]!.join(","), /^1,likeliest,cube,≈ 20\.\d,≈ [23] \(\d+ %\)$/);
  assert.match((await show("filled")).facts.value.rows[0].join(), /^cube,20\.\d,≈ [23]/);
  const out = `${folder.path}/report.html`;
  const report = await command("report", ["latest", "--store", folder.store, "--out", out]);
  assert.equal(report.code, 0, report.stderr);
  const page = Deno.readTextFileSync(out);
  for (
    const text of [
      "The columns of 100 rows",
      "10 rows drawn from the model",
      "How well each column is guessed",
    ]
  ) {
    assert.ok(page.includes(text), text);
  }
});

Deno.test("a table that is not there, or none, is refused before anything runs", async () => {
  using folder = new Folder();
  Deno.mkdirSync(`${folder.path}/empty`);
  for (
    const [settings, message] of [
      [[], /expected the path of a table: --set rows=FILE/],
      [["rows=none.csv"], /there is no file or folder .*none\.csv/],
      [["rows=empty"], /holds no table \*\.csv/],
      [["rows=empty", 'types={"a":"float"}'], /`types\.a`/],
    ] as const
  ) {
    const ran = await rows(folder, ...settings);
    assert.notEqual(ran.code, 0, settings.join(" "));
    assert.match(ran.stderr, message);
  }
});

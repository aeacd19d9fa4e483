import assert from "node:assert/strict";
import {
  againstHistory,
  callOf,
  compareEntries,
  type Entry,
  keep,
  keptFigure,
  lastAlike,
  readHistory,
} from "../../bench/history.ts";
import { ROOT } from "../command.ts";

function entry(values: Record<string, number>, more: Partial<Entry> = {}): Entry {
  const figures = Object.entries(values).map(([name, value]) =>
    keptFigure({ name, unit: name === "rate" ? "GFLOP/s" : name === "share" ? "%" : "ms", value })
  );
  return {
    date: "2026-11-30T00:00:00Z",
    commit: "abc",
    machine: "m",
    software: "s",
    call: [],
    figures,
    ...more,
  };
}

Deno.test("rates are better when higher, times and memory when lower, others as their target says", () => {
  const better = (unit: string, target?: { atMost: number } | { atLeast: number }) =>
    keptFigure({ name: "x", unit, value: 1, ...(target && { target }) }).better;
  assert.deepEqual(["GFLOP/s", "images/s"].map((unit) => better(unit)), ["more", "more"]);
  assert.deepEqual(["ms", "core s", "min", "MiB"].map((unit) => better(unit)), [
    "less",
    "less",
    "less",
    "less",
  ]);
  assert.deepEqual([better("%"), better("times")], [undefined, undefined]);
  assert.deepEqual([better("%", { atLeast: 60 }), better("times", { atMost: 2 })], ["more", "less"]);
});

Deno.test("a figure that got worse than the ratio fails, in either direction of better; what cannot be compared does not", () => {
  const before = entry({ rate: 100, time: 10, share: 50, gone: 1 });
  const ratios = compareEntries(before, entry({ rate: 90, time: 12.5, share: 1, fresh: 1 }))
    .map(({ name, ratio }) => [name, ratio]);
  assert.deepEqual(ratios, [["rate", 0.9], ["time", 0.8]]);
  const passes = (values: Record<string, number>) => againstHistory(before, entry(values), 0.8).passed;
  assert.equal(passes({ rate: 81, time: 12.4, share: 1 }), true);
  assert.equal(passes({ rate: 79, time: 10 }), false);
  assert.equal(passes({ rate: 100, time: 12.6 }), false);
  const { text } = againstHistory(before, entry({ rate: 79, time: 10 }), 0.8);
  assert.match(text, /^Against abc of 2026-11-30; a ratio below 0\.8 fails\n/);
  assert.match(text, /rate +100 GFLOP\/s +79\.0 GFLOP\/s +0\.79 +WORSE/);
});

Deno.test("runs are compared with the last one of the same call on the same machine", () => {
  const file = `${Deno.makeTempDirSync({ prefix: "retort-history-" })}/history/x.jsonl`;
  assert.deepEqual(readHistory(file), []);
  const kept = [
    entry({ time: 1 }),
    entry({ time: 2 }),
    entry({ time: 3 }, { call: ["--rows", "5"] }),
    entry({ time: 4 }, { machine: "other" }),
  ];
  for (const one of kept) keep(file, one);
  assert.deepEqual(readHistory(file), kept);
  assert.deepEqual(lastAlike(readHistory(file), entry({ time: 9 })), kept[1]);
  assert.equal(lastAlike(kept, entry({}, { call: ["--part", "hmm"] })), undefined);
  const asked = ["--json", "--rows", "5", "--against-history", "0.8", "--history", "--against-history=0.9"];
  assert.deepEqual(callOf(asked), ["--rows", "5"]);
  Deno.removeSync(file.replace("/history/x.jsonl", ""), { recursive: true });
});

Deno.test("a ratio that makes no sense is refused before anything is measured", async () => {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "bench/runner.ts", "--against-history", "80"],
    cwd: ROOT,
  }).output();
  assert.deepEqual([code, stdout.length], [2, 0]);
  assert.match(new TextDecoder().decode(stderr), /--against-history is "80"; .* 0\.8/);
});

Deno.test("every entry that is kept can be read", () => {
  const folder = `${ROOT}/bench/history`;
  const files = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) =>
    name.endsWith(".jsonl")
  );
  for (const name of files) {
    for (const { date, machine, figures } of readHistory(`${folder}/${name}`)) {
      assert.ok(!Number.isNaN(Date.parse(date)) && machine !== "" && figures.length > 0, name);
    }
  }
});

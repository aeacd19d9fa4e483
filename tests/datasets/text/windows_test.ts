import assert from "node:assert/strict";
import fc from "fast-check";
import { Windows } from "../../../datasets/text/windows.ts";
import { holds } from "../../property.ts";

/** Tokens 0, 1, 2, …: a token is its own position. */
const numbered = (count: number) => ({
  read: (from: number, to: number) => {
    assert.ok(0 <= from && to <= count, `${from} to ${to} of ${count}`);
    return Promise.resolve(Int32Array.from({ length: to - from }, (_, i) => from + i));
  },
});

/** What windows should be, written as one would say it. */
function expected(starts: readonly number[], length: number, stride: number, pad: boolean): number[][] {
  const list: number[][] = [];
  for (let segment = 0; segment + 1 < starts.length; segment++) {
    const [first, end] = [starts[segment]!, starts[segment + 1]!];
    let covered = first;
    for (let at = first; at < end; at += stride) {
      const whole = at + length <= end;
      if (!whole && (!pad || covered >= end)) break;
      list.push(Array.from({ length: Math.min(length, end - at) }, (_, i) => at + i));
      covered = Math.min(end, at + length);
    }
  }
  return list;
}

Deno.test("windows hold what they should, whatever the segments, the stride and the padding", async (test) => {
  await holds(
    test,
    fc.asyncProperty(
      fc.array(fc.nat(12), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 60 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 7 }),
      async (lengths, length, stride, pad, block) => {
        const starts = lengths.reduce((list, n) => [...list, list.at(-1)! + n], [0]);
        const windows = Windows.over(starts, { length, stride, partial: pad ? "pad" : "drop" });
        const wanted = expected(starts, length, stride, pad);
        assert.equal(windows.count, wanted.length);
        const seen: number[][] = [];
        for await (const rows of windows.blocks(numbered(starts.at(-1)!), block)) {
          assert.equal(rows.first, seen.length);
          assert.equal(rows.variables, length);
          for (let i = 0; i < rows.count; i++) {
            const row = [...rows.values.subarray(i * length, (i + 1) * length)];
            const there = rows.observed?.subarray(i * length, (i + 1) * length) ??
              new Uint8Array(length).fill(1);
            const observed = there.reduce((a, b) => a + b, 0);
            assert.deepEqual(windows.at(seen.length), { first: row[0], observed });
            assert.ok(row.slice(observed).every((id) => id === 0));
            seen.push(row.slice(0, observed));
          }
        }
        assert.deepEqual(seen, wanted);
      },
    ),
  );
});

Deno.test("whether all windows begin at given tokens is told as by looking at each", (test) => {
  holds(
    test,
    fc.property(
      fc.array(fc.nat(6), { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 4 }),
      fc.uniqueArray(fc.nat(20), { maxLength: 4 }),
      (lengths, length, stride, left) => {
        const starts = lengths.reduce((list, n) => [...list, list.at(-1)! + n], [0]);
        const windows = Windows.over(starts, { length, stride, partial: "pad" });
        const firsts = Array.from({ length: windows.count }, (_, w) => windows.at(w).first);
        const given = Array.from({ length: 21 }, (_, i) => i).filter((i) => !left.includes(i));
        assert.equal(windows.beginAt(given), firsts.every((first) => given.includes(first)));
        assert.equal(windows.beginAt(firsts), true);
      },
    ),
  );
});

Deno.test("windows that touch are one run, however many segments they lie in", () => {
  const windows = Windows.over([0, 8, 16, 17, 21], { length: 4 });
  assert.deepEqual(windows.runs, [
    { first: 0, count: 4, stride: 4, observed: 4 },
    { first: 17, count: 1, stride: 4, observed: 4 },
  ]);
});

Deno.test("windows of everything in WikiText-2 are one run", () => {
  const windows = Windows.over([0, 2_088_628], { length: 32 });
  assert.deepEqual([windows.count, windows.runs.length], [65_269, 1]);
  assert.equal(Windows.over([0, 2_088_628], { length: 32, stride: 1 }).count, 2_088_597);
});

Deno.test("what cannot be is refused", async () => {
  assert.throws(
    () => Windows.over([0, 4], { length: 0 }),
    /windows have 0 tokens, expected a whole number from 1/,
  );
  assert.throws(
    () => Windows.over([0, 4], { length: 2, stride: 0.5 }),
    /the stride is 0.5 tokens, expected a whole number from 1/,
  );
  const windows = Windows.over([0, 4], { length: 2 });
  assert.throws(() => windows.at(2), /window 2 was asked for, but there are 2/);
  await assert.rejects(windows.rows(numbered(4), 1, 3), /windows 1 to 3 were asked for, but there are 2/);
});

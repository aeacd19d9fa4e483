import assert from "node:assert/strict";
import { parseRows } from "../../datasets/rows.ts";

Deno.test("rows of whole numbers, with any line ends", () => {
  const rows = parseRows("0,1,2\r\n\n255, 3,0\n", "x.data");
  assert.deepEqual(rows, { count: 2, columns: 3, values: Uint8Array.of(0, 1, 2, 255, 3, 0) });
  assert.deepEqual(parseRows("", "x.data"), { count: 0, columns: 0, values: new Uint8Array(0) });
});

Deno.test("what is no row is refused with its place", () => {
  assert.throws(() => parseRows("0,1\n\n0\n", "x.data"), /x.data, line 3: 1 numbers, expected 2/);
  for (const cell of ["", "a", "1.5", "-1", "256"]) {
    assert.throws(
      () => parseRows(`0,1\n1,${cell}\n`, "x.data"),
      /x.data, line 2, number 2: got .*expected a whole number/,
    );
  }
});

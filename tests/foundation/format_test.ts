import assert from "node:assert/strict";
import { bytesText, shareText } from "../../foundation/format.ts";

Deno.test("what is neither nothing nor all is never shown as 0 or 100 percent", () => {
  const shown = (decimals: number, ...shares: number[]) => shares.map((share) => shareText(share, decimals));
  assert.deepEqual(shown(0, 0, 0.004, 0.25, 0.994, 0.995, 0.99996, 1), [
    "0",
    "0.4",
    "25",
    "99",
    "99.5",
    ">99.99",
    "100",
  ]);
  assert.deepEqual(shown(1, 0, 0.00004, 0.000001, 0.5, 0.9996, 1), [
    "0.0",
    "0.004",
    "<0.001",
    "50.0",
    "99.96",
    "100.0",
  ]);
  // Probabilities that single precision left a little above 1, and differences beyond it.
  assert.deepEqual(shown(0, 1.0000001, 1.5), ["100", "150"]);
});

Deno.test("sizes have three digits in a unit in which they are below a thousand, however they are rounded", () => {
  const texts: [number, string][] = [
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.00 kB"],
    [999_499, "999 kB"],
    [999_500, "1.00 MB"],
    [999_999_999, "1.00 GB"],
    [12_345_678, "12.3 MB"],
    [5e15, "5000 TB"],
  ];
  for (const [bytes, text] of texts) assert.equal(bytesText(bytes), text);
});

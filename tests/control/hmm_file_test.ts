import assert from "node:assert/strict";
import { encodeSafetensors } from "../../circuits/safetensors.ts";
import { decodeHmmFile, encodeHmmFile, type HmmNumbers, hmmScore, tokenHmm } from "../../control/mod.ts";
import { probabilityOf, randomNumbers } from "./brute_force.ts";

/** A file as Ctrl-G writes it: `alpha_exp`, and the logarithms `beta` and `gamma`, in single precision. */
function published(
  { initial, transition, emission }: HmmNumbers,
  gammaShape: number[],
): Uint8Array<ArrayBuffer> {
  const states = initial.length;
  return encodeSafetensors(
    new Map([
      ["alpha_exp", { shape: [states, states], values: Float32Array.from(transition) }],
      ["beta", { shape: [states, emission.length / states], values: Float32Array.from(emission, Math.log) }],
      ["gamma", { shape: gammaShape, values: Float32Array.from(initial, Math.log) }],
    ]),
  );
}

Deno.test("published HMM files are read, and written so that they are read again", () => {
  const numbers = randomNumbers(4, 7, 2);
  const texts = [[1], [0, 3, 6], [2, 2, 2, 5, 1]];
  for (const shape of [[4], [1, 4]]) {
    const hmm = decodeHmmFile(published(numbers, shape));
    assert.deepEqual([hmm.states, hmm.tokens], [4, 7]);
    for (const text of texts) {
      assert.ok(Math.abs(hmmScore(hmm, text) - Math.log(probabilityOf(numbers, text))) < 1e-5);
    }
  }
  const own = tokenHmm(numbers, "ab".repeat(32));
  const again = decodeHmmFile(encodeHmmFile(own));
  assert.equal(again.vocabulary, own.vocabulary);
  for (const text of texts) assert.ok(Math.abs(hmmScore(again, text) - hmmScore(own, text)) < 1e-5);
  // A token that a state never has is a logarithm far below all others in the file, and 0 again when it is read.
  const never = { ...numbers, emission: Float64Array.from(numbers.emission) };
  const row = never.emission.subarray(0, 7);
  row[1]! += row[0]!;
  row[0] = 0;
  assert.equal(decodeHmmFile(encodeHmmFile(tokenHmm(never))).emission.row(0)[0], 0);
});

Deno.test("files of something else are refused", () => {
  const numbers = randomNumbers(4, 7, 2);
  const bytes = (tensors: [string, { shape: number[]; values: Float32Array }][]) =>
    encodeSafetensors(new Map(tensors));
  const square = { shape: [4, 4], values: Float32Array.from(numbers.transition) };
  const refused: [Uint8Array, string, RegExp][] = [
    [bytes([["weight", square]]), "control/hmm", /has `weight`, expected `alpha_exp`/],
    [
      bytes([["alpha_exp", square], ["beta", { shape: [2, 8], values: new Float32Array(16) }], [
        "gamma",
        square,
      ]]),
      "control/hmm",
      /`beta` of \[2, 8\]/,
    ],
    [
      bytes([["alpha_exp", square], ["beta", { shape: [4, 4], values: new Float32Array(16) }], [
        "gamma",
        { shape: [4], values: new Float32Array(4) },
      ]]),
      "control/hmm",
      /row 0 of the emissions sums to 4/,
    ],
    [published(numbers, [4]).slice(0, -8), "circuit-file/damaged", /./],
  ];
  for (const [file, code, message] of refused) {
    assert.throws(() => decodeHmmFile(file), (error: { code: string; message: string }) => {
      assert.match(error.message, message);
      assert.match(error.code, new RegExp(code === "control/hmm" ? "^control/hmm$" : "^circuit-file/"));
      return true;
    });
  }
});

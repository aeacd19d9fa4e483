import assert from "node:assert/strict";
import { philox, RandomStream } from "../../circuits/random.ts";

Deno.test("philox gives the published known answers", () => {
  // kat_vectors of the Random123 distribution, philox4x32 with 10 rounds.
  assert.deepEqual(philox([0, 0, 0, 0], [0, 0]), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
  const ones = 0xffffffff;
  assert.deepEqual(philox([ones, ones, ones, ones], [ones, ones]), [
    0x408f276d,
    0x41c83b0e,
    0xa20bc7c6,
    0x6d5451fd,
  ]);
  assert.deepEqual(philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0]), [
    0xd16cfe09,
    0x94fdcceb,
    0x5001e420,
    0x24126ea1,
  ]);
});

Deno.test("a stream depends on seed and stream words and nothing else", () => {
  const draw = (seed: number, ...words: number[]) => {
    const random = new RandomStream(seed, ...words);
    return Array.from({ length: 9 }, () => random.uniform());
  };
  assert.deepEqual(draw(3, 1, 2), draw(3, 1, 2));
  assert.notDeepEqual(draw(3, 1, 2), draw(3, 2, 1));
  assert.notDeepEqual(draw(3), draw(3 + 2 ** 32));
  assert.throws(() => new RandomStream(-1), /the seed is -1, expected a whole number/);
});

Deno.test("uniform, normal and choose have the moments they should", () => {
  const random = new RandomStream(11), n = 40_000;
  let mean = 0, normal = 0, square = 0, twos = 0;
  for (let i = 0; i < n; i++) {
    mean += random.uniform() / n;
    const z = random.normal();
    normal += z / n;
    square += z * z / n;
    if (random.choose([1, 0, 3]) === 2) twos++;
  }
  assert.ok(Math.abs(mean - 0.5) < 0.006, `${mean}`);
  assert.ok(Math.abs(normal) < 0.02, `${normal}`);
  assert.ok(Math.abs(square - 1) < 0.03, `${square}`);
  assert.ok(Math.abs(twos / n - 0.75) < 0.01, `${twos}`);
  assert.equal(random.choose([0, 0]), -1);
  assert.deepEqual(random.permutation(6).sort(), [0, 1, 2, 3, 4, 5]);
});

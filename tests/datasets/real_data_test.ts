import assert from "node:assert/strict";
import { checkDigests } from "../../datasets/locate.ts";
import { needs } from "../needs.ts";
import { realData } from "../real_data.ts";

/** Sets and editions that the machines for tests have. */
const expected: [name: string, edition: string][] = [
  ["cifar-10", "shuffled"],
  ["cifar-10", "shuffled-two-batches"],
  ["circuits", "zoo"],
  ["debd-accidents", "ucla"],
  ["debd-dna", "ucla"],
  ["debd-jester", "ucla"],
  ["debd-nltcs", "ucla"],
  ["debd-plants", "ucla"],
  ["wikitext-2", "pytorch"],
];

for (const [name, edition] of expected) {
  const located = await realData(name, edition);
  Deno.test({
    name: `the real ${name}, ${edition}, has the registry's digests`,
    ...needs("data", located !== undefined),
    async fn() {
      assert.equal((await checkDigests(located!)).length, located!.files.length);
    },
  });
}

const fashion = await realData("fashion-mnist");

Deno.test({
  name: "a Fashion-MNIST that the system has installed has the registry's digests",
  ...needs("fashion", fashion !== undefined),
  async fn() {
    assert.equal((await checkDigests(fashion!)).length, fashion!.files.length);
  },
});

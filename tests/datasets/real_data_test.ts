import assert from "node:assert/strict";
import { DataSetMissing } from "../../datasets/errors.ts";
import { checkDigests, dataFolders, locate } from "../../datasets/locate.ts";

const folders = [
  ...(Deno.env.get("RETORT_DATA") ? dataFolders().slice(0, 1) : []),
  new URL("../../../shared/data", import.meta.url).pathname,
];

/** Sets and editions that the machines for tests have. */
const expected: [name: string, edition: string][] = [
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
  Deno.test(`the real ${name} has the registry's digests`, async () => {
    try {
      const located = await locate(name, { dataFolders: folders, edition });
      assert.equal((await checkDigests(located)).length, located.files.length);
    } catch (error) {
      // Elsewhere the data may be absent; where it must be there, its absence is a failure.
      if (!(error instanceof DataSetMissing) || Deno.env.get("CI")) throw error;
      console.log(`not checked: ${error.message}`);
    }
  });
}

Deno.test("a Fashion-MNIST that the system has installed has the registry's digests", async () => {
  try {
    await checkDigests(await locate("fashion-mnist", { dataFolders: folders }));
  } catch (error) {
    if (!(error instanceof DataSetMissing)) throw error;
  }
});

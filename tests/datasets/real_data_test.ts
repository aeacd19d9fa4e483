import assert from "node:assert/strict";
import { DataSetMissing } from "../../datasets/errors.ts";
import { checkDigests, dataFolders, locate } from "../../datasets/locate.ts";
import { needs } from "../needs.ts";

const folders = [
  ...(Deno.env.get("RETORT_DATA") ? dataFolders().slice(0, 1) : []),
  new URL("../../../shared/data", import.meta.url).pathname,
];

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
  const located = await onThisMachine(() => locate(name, { dataFolders: folders, edition }));
  Deno.test({
    name: `the real ${name}, ${edition}, has the registry's digests`,
    ...needs("data", located !== undefined),
    async fn() {
      assert.equal((await checkDigests(located!)).length, located!.files.length);
    },
  });
}

const fashion = await onThisMachine(() => locate("fashion-mnist", { dataFolders: folders }));

Deno.test({
  name: "a Fashion-MNIST that the system has installed has the registry's digests",
  ...needs("fashion", fashion !== undefined),
  async fn() {
    assert.equal((await checkDigests(fashion!)).length, fashion!.files.length);
  },
});

/** A data set, or undefined where it is not on this machine. */
async function onThisMachine<T>(find: () => Promise<T>): Promise<T | undefined> {
  return await find().catch((error) => {
    if (error instanceof DataSetMissing) return undefined;
    throw error;
  });
}

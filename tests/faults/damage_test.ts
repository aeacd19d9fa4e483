import assert from "node:assert/strict";
import { RandomStream } from "../../circuits/mod.ts";
import { Store } from "../../runner/store/store.ts";
import { LettersFolder, nodesIn } from "../runner/letters.ts";

type Outputs = string[][];

function outputsOf(summary: Awaited<ReturnType<LettersFolder["run"]>>): Outputs {
  return summary.nodes.map((outcome) =>
    Object.values(outcome.outputs ?? {}).map((artifact) => artifact.digest)
  );
}

/** Every file of a store that a run reads. */
function storeFiles(folder: LettersFolder): string[] {
  const store = Store.open(folder.store);
  const objects = [...store.blobs.list()].map(({ digest }) => store.blobs.path(digest));
  const results = [...store.keys()].map((key) => `${folder.store}/results/${key.slice(0, 2)}/${key}.json`);
  return [...objects, ...results];
}

function overwrite(path: string, bytes: Uint8Array): void {
  Deno.chmodSync(path, 0o644);
  Deno.writeFileSync(path, bytes);
}

const DAMAGES: Record<string, (path: string, random: RandomStream) => void> = {
  "a flipped bit": (path, random) => {
    const bytes = Deno.readFileSync(path);
    if (bytes.length > 0) bytes[random.integer(bytes.length)]! ^= 1 << random.integer(8);
    overwrite(path, bytes);
  },
  "a truncated file": (path, random) => {
    const bytes = Deno.readFileSync(path);
    overwrite(path, bytes.subarray(0, random.integer(Math.max(1, bytes.length))));
  },
  "an emptied file": (path) => overwrite(path, new Uint8Array()),
  "a missing file": (path) => Deno.removeSync(path),
  "bytes added": (path) => overwrite(path, Uint8Array.from([...Deno.readFileSync(path), 0])),
};

for (const [name, damage] of Object.entries(DAMAGES)) {
  Deno.test(`${name} anywhere in the store never gives a wrong result`, async () => {
    using folder = new LettersFolder();
    const first = await folder.run();
    const random = new RandomStream(7);
    const count = storeFiles(folder).length;
    for (let i = 0; i < count; i++) {
      const path = storeFiles(folder)[i];
      if (path !== undefined) damage(path, random);
      // Half of the time something reads what was damaged: a new node, or all of them again.
      const again = await folder.run(i % 2 === 0 ? {} : { noCache: true });
      assert.equal(again.status, "done", again.nodes.map((outcome) => outcome.error).join());
      assert.deepEqual(outputsOf(again), outputsOf(first));
    }
  });
}

Deno.test("a damaged input is found when it is read, and made again within the run", async () => {
  using folder = new LettersFolder();
  const first = await folder.run();
  const store = Store.open(folder.store);
  const read = first.nodes.find((outcome) => outcome.node.name === "letters.read")!;
  const [file] = read.outputs!.text!.files;
  overwrite(store.blobs.path(file!.digest), new TextEncoder().encode("a quick brown cat"));
  // A new alphabet: only the new node reads the damaged text.
  const next = await folder.run({ set: [`alphabets=["aeiou","bq"]`] });
  assert.equal(next.status, "done");
  assert.deepEqual(nodesIn(next, "ran"), ["letters.read", "letters.count@alphabet=bq", "letters.add"]);
  assert.equal(Deno.readTextFileSync(store.blobs.path(file!.digest)), "a quick brown fox");
});

Deno.test("data that change between planning and reading are noticed", async () => {
  using folder = new LettersFolder();
  await using session = await folder.open();
  const plan = session.run({
    jobs: 0,
    command: "test",
    stop: new AbortController().signal,
    approve: () => Deno.writeTextFileSync(folder.data, "changed meanwhile"),
  });
  const summary = await plan;
  assert.equal(summary.status, "failed");
  assert.match(summary.nodes[1]!.error!, /changed while the run was going on/);
});

Deno.test("a store of an unknown version is refused, with what to do", async () => {
  using folder = new LettersFolder();
  await folder.run();
  Deno.writeTextFileSync(`${folder.store}/retort-store.json`, `{"format":7}`);
  await assert.rejects(() => folder.run(), /has format 7/);
});

Deno.test("without its records a store keeps its results; damaged records are named", async () => {
  using folder = new LettersFolder();
  await folder.run();
  for (const suffix of ["", "-wal", "-shm"]) {
    try {
      Deno.removeSync(`${folder.store}/records.sqlite${suffix}`);
    } catch {
      // The database is closed: it may have no such file.
    }
  }
  const again = await folder.run();
  assert.deepEqual(nodesIn(again, "ran"), []);
  await using session = await folder.open();
  assert.equal(session.records.artifactsByDigest("").length, 5, "lineage is written anew");
  await session[Symbol.asyncDispose]();
  Deno.writeTextFileSync(`${folder.store}/records.sqlite`, "this is no database at all, not by far");
  await assert.rejects(() => folder.run(), /run records .* are damaged[\s\S]*/);
});

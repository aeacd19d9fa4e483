import assert from "node:assert/strict";
import type { CallError } from "../../foundation/errors.ts";
import { compareRuns, groupsOf } from "../../runner/compare.ts";
import { exportArtifact } from "../../runner/export.ts";
import { Records } from "../../runner/records/records.ts";
import { type Lineage, lineageOf, outputsOf, resolveArtifact, resolveRun } from "../../runner/references.ts";
import { Store } from "../../runner/store/store.ts";
import { LettersFolder } from "./letters.ts";

async function twoRuns(): Promise<{ folder: LettersFolder; store: Store; records: Records } & Disposable> {
  const folder = new LettersFolder();
  await folder.run();
  await folder.run({ set: [`alphabets=["aeiou","bq"]`] });
  const store = Store.open(folder.store);
  const records = new Records(store);
  return {
    folder,
    store,
    records,
    [Symbol.dispose]() {
      records.close();
      folder[Symbol.dispose]();
    },
  };
}

Deno.test("references name artifacts by run and output, node, or digest", async () => {
  using two = await twoRuns();
  const { records } = two;
  const [second, first] = records.runs();
  const total = resolveArtifact(records, "total");
  assert.equal(total.node, "letters.add");
  assert.equal(total.artifact.facts.value !== undefined, true);
  assert.equal(resolveArtifact(records, `${second!.id}/total`).artifact.digest, total.artifact.digest);
  assert.equal(resolveArtifact(records, "latest/letters.add:total").artifact.digest, total.artifact.digest);
  assert.equal(resolveArtifact(records, total.artifact.digest.slice(0, 10)).key, total.key);
  // Only the first run had this node: it is found without naming the run.
  assert.equal(resolveArtifact(records, "letters.count@alphabet=xyz").run, first!.id);
  assert.throws(() => resolveArtifact(records, "latest/totl"), /did you mean `total`/);
  assert.throws(() => resolveArtifact(records, "letters.cout@alphabet=xyz"), /did you mean/);
});

Deno.test("runs are named by id, its beginning, or latest", async () => {
  using two = await twoRuns();
  const { records } = two;
  const [second, first] = records.runs();
  assert.equal(resolveRun(records, "latest").id, second!.id);
  assert.equal(resolveRun(records, first!.id).id, first!.id);
  assert.throws(() => resolveRun(records, first!.id.slice(0, 4)), /2 runs begin with it/);
  assert.throws(() => resolveRun(records, "nothing"), /there is no run nothing/);
});

/** Records of artifacts, each made from others, by digest. */
function made(from: Readonly<Record<string, readonly string[]>>) {
  const questions: string[] = [];
  const record = (digest: string) =>
    ({
      key: `key of ${digest}`,
      artifact: { digest },
      components: { inputs: { all: from[digest]! } },
    }) as never;
  const records = {
    artifactsByDigest: (digest: string) => {
      questions.push(digest);
      return from[digest] === undefined ? [] : [record(digest)];
    },
  };
  return { questions, lineage: (digest: string) => lineageOf(records as never, record(digest)) };
}

Deno.test("lineage follows every artifact once, asks for it once, and ends after a hundred steps", () => {
  const { lineage, questions } = made({ end: ["a", "b", "a", "gone"], a: ["b"], b: ["start"], start: [] });
  const text = ({ record, inputs }: Lineage): string =>
    `${record.artifact.digest}(${
      inputs.map((one) => one.made === undefined ? `${one.digest}?` : text(one.made)).join(" ")
    })`;
  // Depth first: `b` is followed where it comes first, which is behind `a`.
  assert.equal(text(lineage("end")), "end(a(b(start())) b() a() gone?)");
  assert.deepEqual(questions.sort(), ["a", "b", "gone", "start"]);

  const steps = Array.from({ length: 20_000 }, (_, i) => [`s${i}`, i === 0 ? [] : [`s${i - 1}`]] as const);
  const chain = made(Object.fromEntries(steps));
  let at: Lineage | undefined = chain.lineage("s19999");
  let depth = 0;
  for (; at.inputs.length > 0; at = at.inputs[0]!.made!) depth++;
  assert.equal(depth, 100);
  assert.equal(at.further, true);
  assert.equal(chain.questions.length, 100);
  const short = made(Object.fromEntries(steps.slice(0, 101))).lineage("s100");
  let end = short;
  while (end.inputs.length > 0) end = end.inputs[0]!.made!;
  assert.equal(end.record.artifact.digest, "s0");
  assert.equal(end.further, undefined, "what has no inputs is not cut");
});

Deno.test("bytes that a stage gave back as it got them come from who made them before", () => {
  const record = (key: string, digest: string, inputs: readonly string[]) =>
    ({ key, artifact: { digest }, components: { inputs: { all: inputs } } }) as never;
  const records = {
    artifactsByDigest: (digest: string, except?: string) =>
      digest === "data"
        ? [record("load", "data", [])]
        : [record("smooth", "same", ["same"]), record("train", "same", ["data"])].slice(
          Number(except === "smooth"),
        ),
  };
  const { inputs: [input] } = lineageOf(records as never, record("smooth", "same", ["same"]));
  assert.equal(input!.made!.record.key, "train");
  assert.equal(input!.made!.inputs[0]!.made!.record.key, "load");
});

Deno.test("lineage leads back to the data file", async () => {
  using two = await twoRuns();
  const lineage = lineageOf(two.records, resolveArtifact(two.records, "total"));
  const counts = lineage.inputs.map((input) => input.made!.record.node);
  assert.deepEqual(counts, ["letters.count@alphabet=aeiou", "letters.count@alphabet=bq"]);
  const read = lineage.inputs[0]!.made!.inputs[0]!.made!;
  assert.equal(read.record.node, "letters.read");
  const source = read.inputs[0]!.made!.record;
  assert.equal(source.stage, "letters.file");
  assert.equal(source.artifact.files[0]!.location, two.folder.data);
});

Deno.test("runs side by side: parameters and metrics, the nodes of a sweep together", async () => {
  using two = await twoRuns();
  const [second, first] = two.records.runs();
  const sweep = groupsOf(two.records, first!).find((group) => group.stage === "letters.count")!;
  assert.deepEqual(sweep.varying, ["alphabet"]);
  assert.deepEqual(sweep.nodes.map((node) => node.values.letters), [5, 1]);
  // The second run found the first count in the cache: its metric is that of the run that computed it.
  const cached = groupsOf(two.records, second!).find((group) => group.stage === "letters.count")!.nodes[0]!;
  assert.equal(cached.node.state, "cached");
  assert.equal(cached.values.letters, 5);

  const comparison = compareRuns(two.records, [first!, second!]);
  const alphabets = comparison.params.find((row) => row.node === "params" && row.name === "alphabets")!;
  assert.deepEqual(alphabets.values, [["aeiou", "xyz"], ["aeiou", "bq"]]);
  assert.equal(alphabets.same, false);
  const total = comparison.metrics.find((row) => row.node === "letters.add" && row.name === "total.letters")!;
  assert.deepEqual(total.values, [6, 7]);
});

Deno.test("an export holds the checked files and says what made them", async () => {
  using two = await twoRuns();
  const target = `${two.folder.root}/out`;
  const done = await exportArtifact(two.store, resolveArtifact(two.records, "text"), target);
  assert.equal(done.files, 1);
  assert.equal(Deno.readTextFileSync(`${target}/text.txt`), "a quick brown fox");
  const about = JSON.parse(Deno.readTextFileSync(`${target}/artifact.json`));
  assert.equal(about.node, "letters.read");
  await assert.rejects(
    () => exportArtifact(two.store, resolveArtifact(two.records, "text"), target),
    /is not empty/,
  );
});

Deno.test("a damaged artifact is not exported", async () => {
  using two = await twoRuns();
  const record = resolveArtifact(two.records, "text");
  const path = two.store.blobs.path(record.artifact.files[0]!.digest);
  Deno.chmodSync(path, 0o644);
  Deno.writeTextFileSync(path, "a quick brown cat");
  await assert.rejects(() => exportArtifact(two.store, record, `${two.folder.root}/out`), /damaged/);
});

Deno.test("what a run has not made is told with the run, what became of it, and the newest that ended well", async () => {
  using two = await twoRuns();
  const { records } = two;
  const [second, first] = records.runs();
  const add = records.nodes(second!.id).find(({ name }) => name === "letters.add")!;
  records.putNode({ ...add, state: "pending", key: null });
  for (
    const [status, told, hint] of [
      [
        "running",
        /^run \S+ has not ended, and has not made `total` yet$/,
        /^Wait for its end\. .* is \S+: name it/,
      ],
      ["failed", /^run \S+ failed, and has not made `total`$/, /^Repeat it/],
      ["interrupted", /^run \S+ was interrupted, and has not made `total`$/, /^Repeat it/],
    ] as const
  ) {
    records.endRun(second!.id, status, 1);
    for (
      const asked of [
        () => resolveArtifact(records, "latest/total"),
        () => outputsOf(records, resolveRun(records, "latest")),
      ]
    ) {
      assert.throws(asked, (error: CallError) => {
        assert.equal(error.code, "reference/not-made");
        assert.match(error.message, told);
        assert.match(error.hint!, hint);
        return error.message.includes(second!.id) && error.hint!.includes(first!.id);
      });
    }
  }
  assert.throws(() => resolveArtifact(records, "latest/letters.add:total"), { code: "reference/not-made" });
  assert.throws(() => resolveArtifact(records, "latest/letters.read:none"), { code: "reference/unknown" });
  assert.equal(resolveArtifact(records, "total").run, first!.id, "without a run, the newest that has it");
});

import assert from "node:assert/strict";
import { Store } from "../../runner/store/store.ts";
import { verifyByExecution, verifyStore } from "../../runner/verify.ts";
import { LettersFolder, nodesIn } from "./letters.ts";

Deno.test("a sound store has no faults; every damaged object and result is found, set aside and rebuilt", async () => {
  using folder = new LettersFolder();
  const first = await folder.run();
  const store = Store.open(folder.store);
  const sound = await verifyStore(store);
  assert.deepEqual(sound.faults, []);
  assert.equal(sound.results, 4);

  const [object] = [...store.blobs.list()];
  const path = store.blobs.path(object!.digest);
  Deno.chmodSync(path, 0o644);
  const bytes = Deno.readFileSync(path);
  bytes[0]! ^= 1;
  Deno.writeFileSync(path, bytes); // The same size: only its bytes tell.
  const [key] = [...store.keys()];
  Deno.writeTextFileSync(`${folder.store}/results/${key!.slice(0, 2)}/${key}.json`, "{");
  const check = await verifyStore(store);
  assert.ok(check.faults.some((fault) => fault.includes(object!.digest)));
  assert.ok(check.faults.some((fault) => fault.includes(key!)));

  const again = await folder.run();
  assert.equal(again.status, "done");
  assert.ok(nodesIn(again, "ran").length > 0);
  assert.deepEqual(
    again.nodes.map((outcome) => Object.values(outcome.outputs!).map((artifact) => artifact.digest)),
    first.nodes.map((outcome) => Object.values(outcome.outputs!).map((artifact) => artifact.digest)),
  );
  assert.deepEqual((await verifyStore(store)).faults, []);
});

Deno.test("running again compares bytes and records nothing", async () => {
  using folder = new LettersFolder();
  await using session = await folder.open();
  const signal = new AbortController().signal;
  const before = await verifyByExecution(session, { jobs: 0, signal });
  assert.ok(before.every((check) => check.state === "missing"));
  await session.run({ jobs: 0, command: "test", stop: signal });
  const runs = session.records.runs().length;
  const after = await verifyByExecution(session, { jobs: 0, signal });
  assert.deepEqual(after.map((check) => check.state), ["same", "same", "same", "same"]);
  assert.equal(session.records.runs().length, runs);
});

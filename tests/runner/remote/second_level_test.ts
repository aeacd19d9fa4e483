import assert from "node:assert/strict";
import { codeOf } from "../../../foundation/errors.ts";
import type { RunEvent } from "../../../runner/event.ts";
import { Records } from "../../../runner/records/records.ts";
import { resolveArtifact, resolveRun } from "../../../runner/references.ts";
import type { RunSummary } from "../../../runner/run_summary.ts";
import { HttpMirror } from "../../../runner/store/remote/http.ts";
import { hostOf, remoteAt } from "../../../runner/store/remote/open.ts";
import type { Remote } from "../../../runner/store/remote/remote.ts";
import { pullRun, pushRun } from "../../../runner/store/remote/runs.ts";
import { wholeFile } from "../../../runner/store/remote/transfer.ts";
import { Store } from "../../../runner/store/store.ts";
import { HASTE, Moto, onS3 } from "../../moto.ts";
import { LettersFolder, nodesIn } from "../letters.ts";
import { Faulty } from "./faulty.ts";

/** Runs the letters with a remote. @returns what was told of the remote as well. */
async function run(folder: LettersFolder, remote: Remote, set: readonly string[] = []) {
  const told: string[] = [];
  const hear = (text: string) => void told.push(text);
  await using session = await folder.open({ remote, onRemote: hear, set });
  const onEvent = (event: RunEvent) => void (event.type === "remote" && hear(event.text));
  const summary = await session.run({
    jobs: 0,
    command: "test",
    stop: new AbortController().signal,
    onEvent,
  });
  return { summary, told };
}

const digests = ({ nodes }: RunSummary) =>
  nodes.map(({ node, outputs }) => [node.name, Object.values(outputs!).map(({ digest }) => digest)]);

const MORE = 'alphabets=["aeiou","xyz","q"]';

Deno.test({
  ...onS3,
  name: "a bucket as the second level of a store",
  async fn(test) {
    await using moto = await Moto.start();
    await using faulty = new Faulty(moto.endpoint);
    using first = new LettersFolder();
    const remote = moto.remote("level", faulty.url);
    const { summary: made } = await run(first, remote);

    await test.step("what one store made, another one does not make again", async () => {
      using second = new LettersFolder();
      const { summary, told } = await run(second, moto.remote("level"));
      assert.deepEqual(nodesIn(summary, "ran"), []);
      assert.deepEqual(digests(summary), digests(made));
      assert.deepEqual(told, []);
      // It lies here now, remote or not.
      assert.deepEqual(nodesIn(await second.run(), "ran"), []);
    });

    await test.step("a run goes over with its records", async () => {
      using other = new LettersFolder();
      const store = Store.open(other.store, { create: true });
      using records = new Records(store);
      const carried = await pullRun(store, records, moto.remote("level"), made.run);
      assert.deepEqual([carried.run, carried.results, carried.lost], [made.run, 4, []]);
      assert.equal(resolveRun(records, "latest").status, "done");
      assert.deepEqual(records.metrics(made.run).map(({ name, value }) => [name, value]), [["letters", 5], [
        "letters",
        1,
      ]]);
      const total = resolveArtifact(records, "latest/total").artifact;
      assert.equal(total.digest, made.nodes.at(-1)!.outputs!.total!.digest);
      const again = await pullRun(store, records, moto.remote("level"), "latest");
      assert.notEqual(again.run, made.run, "the other store's run");
      assert.deepEqual([again.results, again.there], [0, 4]);
      const none = pullRun(store, records, moto.remote("level"), "20200101");
      assert.equal(await none.then(() => "", codeOf), "remote/no-run");
    });

    await test.step("a damaged result is made again, and put there again", async () => {
      using second = new LettersFolder();
      const key = made.nodes.at(-1)!.key!;
      const bytes = (await wholeFile(remote, `results/${key.slice(0, 2)}/${key}.json`))!;
      await remote.remove([`results/${key.slice(0, 2)}/${key}.json`]);
      bytes[60]! ^= 1;
      await remote.put(`results/${key.slice(0, 2)}/${key}.json`, bytes);
      const { summary, told } = await run(second, remote);
      assert.deepEqual(nodesIn(summary, "ran"), ["letters.add"]);
      assert.match(told.join(), /^a result on s3:\/\/bucket\/level is damaged: the record of its result/);
      using third = new LettersFolder();
      assert.deepEqual(nodesIn((await run(third, remote)).summary, "ran"), []);
    });

    await test.step("a remote that is away stops nothing, and that is said once", async () => {
      using second = new LettersFolder();
      faulty.rules = [{ fault: { kind: "status", status: 503 }, path: "" }];
      const { summary, told } = await run(second, remote);
      assert.equal(nodesIn(summary, "ran").length, 4);
      assert.equal(told.length, 1);
      assert.match(told[0]!, /^s3:\/\/bucket\/level does not answer: .*; the run goes on without it$/);
      // It goes away in the middle of the run: what there is to put stays here.
      using third = new LettersFolder();
      faulty.rules = [{ fault: { kind: "status", status: 503 }, method: "PUT", path: "" }];
      const half = await run(third, remote, [MORE]);
      assert.equal(half.summary.status, "done");
      assert.deepEqual([nodesIn(half.summary, "ran").length, half.told.length], [2, 1]);
      // And goes there later.
      faulty.rules = [];
      const store = Store.open(third.store);
      using records = new Records(store);
      const carried = await pushRun(store, records, remote, resolveRun(records, "latest"));
      assert.deepEqual([carried.results, carried.lost], [2, []]);
    });

    await test.step("keys stand in no file of a store", async () => {
      const text = await new Deno.Command("grep", { args: ["-rE", "AKIATEST|secret.key", first.root] })
        .output();
      assert.equal(text.code, 1, "grep finds nothing");
    });
  },
});

Deno.test("a store's folder behind a web server is a mirror", async () => {
  using first = new LettersFolder();
  const made = await first.run();
  await using files = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const path = first.store + new URL(request.url).pathname.slice("/mirror".length);
    const bytes = await Deno.readFile(path).catch(() => undefined);
    return new Response(bytes ?? null, { status: bytes === undefined ? 404 : 200 });
  });
  const mirror = remoteAt(`http://127.0.0.1:${files.addr.port}/mirror/`, HASTE, () => undefined);
  assert.ok(mirror instanceof HttpMirror);
  using second = new LettersFolder();
  const { summary, told } = await run(second, mirror, [MORE]);
  assert.deepEqual(nodesIn(summary, "ran").sort(), ["letters.add", "letters.count@alphabet=q"]);
  assert.deepEqual(told, []);
  assert.equal(summary.nodes[1]!.outputs!.text!.digest, made.nodes[1]!.outputs!.text!.digest);
  assert.equal((await mirror.has(["retort-store.json", "results/none"])).size, 1);
  await assert.rejects(async () => await mirror.put("a", new Uint8Array(1)), /is a mirror: it is only read/);
});

Deno.test("addresses and credentials are understood as by Amazon's own programs, and refused without telling secrets", () => {
  const folder = Deno.makeTempDirSync({ prefix: "retort-aws-" });
  Deno.mkdirSync(`${folder}/.aws`);
  Deno.writeTextFileSync(
    `${folder}/.aws/credentials`,
    "[default]\naws_access_key_id = A\naws_secret_access_key = s/e=c+r\n# comment\n[other]\naws_access_key_id=B\naws_secret_access_key=t\n",
  );
  Deno.writeTextFileSync(
    `${folder}/.aws/config`,
    "[profile other]\nregion = eu-central-1\nendpoint_url = https://minio.example:9000/\ns3 =\n  endpoint_url = nested\n",
  );
  const env = (more: Record<string, string>) => (name: string) => ({ HOME: folder, ...more })[name];
  const refused = (address: string, more: Record<string, string> = {}) => {
    try {
      remoteAt(address, HASTE, env(more));
    } catch (error) {
      const { code, message, hint, exitCode } = error as Record<string, string | number>;
      assert.equal(exitCode, 2);
      assert.doesNotMatch(`${message} ${hint}`, /hunter2|s\/e=c/);
      return code;
    }
    return undefined;
  };
  assert.equal(hostOf("s3://bucket/x", env({})), "bucket.s3.us-east-1.amazonaws.com");
  assert.equal(hostOf("s3://my.bucket/x", env({ AWS_REGION: "eu-west-1" })), "s3.eu-west-1.amazonaws.com");
  assert.equal(hostOf("s3://bucket/x", env({ AWS_PROFILE: "other" })), "minio.example:9000");
  assert.equal(hostOf("s3://bucket/x?endpoint=http://127.0.0.1:9000", env({})), "127.0.0.1:9000");
  assert.equal(remoteAt("s3://bucket/a/b/", HASTE, env({})).url, "s3://bucket/a/b");
  assert.equal(refused("s3://bucket", { AWS_PROFILE: "nobody" }), "remote/credentials");
  assert.equal(refused("s3://bucket", { AWS_ACCESS_KEY_ID: "A" }), "remote/credentials");
  assert.equal(refused("s3://me:hunter2@bucket"), "remote/url");
  assert.equal(refused("https://me:hunter2@host/x"), "remote/url");
  assert.equal(refused("https://host/x?token=hunter2"), "remote/url");
  assert.equal(refused("bucket/x"), "remote/url");
  assert.equal(refused("ftp://me:hunter2@host"), "remote/url");
  assert.equal(refused("s3://bucket?endpoint=minio:9000"), "remote/url");
  Deno.removeSync(folder, { recursive: true });
});

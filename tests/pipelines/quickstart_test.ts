import assert from "node:assert/strict";
import { command, digestsOf, Folder, ROOT } from "../command.ts";

/** The quickstart in small: everything that it does, on the addresses of some years. */
const SMALL = ["from=2007", "states=6", "epochs=3", "budget=2", "components=8", "minimum=8"];

async function quickstart(store: string, killedAt?: RegExp) {
  return await command("run", [
    `${ROOT}/pipelines/quickstart.ts`,
    "--store",
    store,
    ...SMALL.flatMap((one) => ["--set", one]),
  ], { signals: killedAt === undefined ? [] : [{ when: killedAt, after: 0, signal: "SIGKILL" }] });
}

/** What the pipeline returned. */
const RETURNED = ["clusters", "table", "sentences", "completions", "model"];

Deno.test("the quickstart distils, prints what it promises, and ends with the same bytes when it was killed", async () => {
  using folder = new Folder();
  const whole = await quickstart(`${folder.path}/whole`);
  assert.equal(whole.code, 0, whole.stderr);
  for (
    const word of [
      "cluster",
      "random",
      "distilled",
      "unigram",
      "interpolated bigram",
      "sentences",
      "completions",
    ]
  ) {
    assert.ok(whole.stdout.includes(word), `no ${word} in ${whole.stdout}`);
  }
  const killed = `${folder.path}/killed`;
  for (
    const at of [
      // Progress is told once in a while: a fast machine may end a stage before it is told.
      /(at|done) +embed\.suffixes/,
      /start {2}clusters distilled/,
      /at {5}em distilled|start {2}smooth/,
    ]
  ) {
    assert.notEqual((await quickstart(killed, at)).code, 0, `it ended before ${at}`);
  }
  const resumed = await quickstart(killed);
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.deepEqual(await digestsOf(killed, RETURNED), await digestsOf(`${folder.path}/whole`, RETURNED));
});

import assert from "node:assert/strict";
import { command, fixture, Folder, ROOT } from "../command.ts";
import { needs } from "../needs.ts";

const PYTHON = Deno.env.get("RETORT_PYTHON") ?? "python3";

/** What Python finds of the packages that read exports. */
function hasPackages(): boolean {
  const code = "import importlib.util as u, sys\n" +
    "sys.exit(not all(u.find_spec(p) for p in ('mlflow', 'tensorboard', 'rocrate_validator')))";
  try {
    return new Deno.Command(PYTHON, { args: ["-c", code], stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

// deno-lint-ignore no-explicit-any -- JSON of several programs, checked below
type Any = any;

async function read(kind: string, folder: string): Promise<Any> {
  const { code, stdout, stderr } = await new Deno.Command(PYTHON, {
    args: [`${ROOT}/tests/fixtures/read_exports.py`, kind, folder],
    // Whatever a package would fetch, it cannot.
    env: { HTTP_PROXY: "http://127.0.0.1:1", HTTPS_PROXY: "http://127.0.0.1:1" },
  }).output();
  const text = new TextDecoder().decode(stdout);
  assert.equal(code, 0, new TextDecoder().decode(stderr) + text);
  return JSON.parse(text.trim().split("\n").at(-1)!);
}

async function exported(folder: Folder, ...args: string[]): Promise<string> {
  const target = `${folder.path}/out-${args.join("-")}`;
  const ended = await command("export", ["latest", target, "--store", folder.store, ...args]);
  assert.equal(ended.code, 0, ended.stderr);
  return target;
}

const RUN = ["seeds=1", "rates=[0.01,0.25]", "steps=5"].flatMap((one) => ["--set", one]);
/** Of x = 1 with steps of rate r: x becomes x (1 - 2 r), the loss is x². */
const LOSSES = (rate: number) => Array.from({ length: 5 }, (_, step) => (1 - 2 * rate) ** (2 * (step + 1)));

function near(found: readonly number[], truth: readonly number[]): void {
  assert.equal(found.length, truth.length);
  truth.forEach((value, i) => assert.ok(Math.abs(found[i]! - value) < 1e-6, `${found[i]} is not ${value}`));
}

Deno.test("a run is exported as tables; a model comes with a card; what does not fit is refused", async () => {
  using folder = new Folder();
  const ran = await command("run", [fixture("shown"), "--store", folder.store, ...RUN]);
  assert.equal(ran.code, 0, ran.stderr);
  const tables = await exported(folder, "--to", "csv");
  const metrics = Deno.readTextFileSync(`${tables}/metrics.csv`).trimEnd().split("\r\n");
  assert.equal(metrics[0], "node,stage,metric,step,value,time");
  const losses = metrics.filter((line) =>
    /^train@0\.25,|^train@[^,]*0\.25/.test(line) && line.includes("loss")
  );
  near(losses.map((line) => Number(line.split(",").at(-2))), LOSSES(0.25));
  assert.match(Deno.readTextFileSync(`${tables}/run.csv`), /^params\.steps,5\r$/m);

  const outputs = await exported(folder);
  const card = Deno.readTextFileSync(`${outputs}/model/README.md`);
  assert.match(card, /^# choose:model\n/);
  assert.match(card, /probabilistic circuit/);
  assert.match(card, /\| variables \| 4 \|/);
  assert.match(card, /\| digest \| [0-9a-f]{64} \|/);
  assert.throws(
    () => Deno.statSync(`${outputs}/notes/README.md`),
    Deno.errors.NotFound,
    "only models have one",
  );

  const args = (target: string) => [target, `${folder.path}/x`, "--store", folder.store, "--to", "csv"];
  const wrong = await command("export", args("choose:notes"));
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /--to is about runs/);
  const taken = await command("export", ["latest", tables, "--store", folder.store, "--to", "mlflow"]);
  assert.match(taken.stderr, /is not empty/);
});

Deno.test({
  name: "MLflow, TensorBoard and the validator of RO-Crates read what is exported for them",
  ...needs("python", hasPackages()),
  async fn() {
    using folder = new Folder();
    const ran = await command("run", [fixture("shown"), "--store", folder.store, ...RUN]);
    assert.equal(ran.code, 0, ran.stderr);

    const runs = await read("mlflow", await exported(folder, "--to", "mlflow"));
    const parent = runs.find((one: Any) => one.parent === null);
    assert.deepEqual([parent.experiment, parent.status, parent.params.steps, parent.params.rates], [
      ...["shown", "FINISHED", "5", "[0.01,0.25]"],
    ]);
    const nested = runs.filter((one: Any) => one.parent === parent.id);
    const fast = nested.find((one: Any) => one.params.rate === "0.25");
    const curve = fast.metrics["loss nats per token"];
    assert.deepEqual(curve.map(([step]: [number]) => step), [0, 1, 2, 3, 4]);
    near(curve.map(([, value]: [number, number]) => value), LOSSES(0.25));
    assert.ok(
      Math.abs(fast.metrics["fit.loss"][0][1] - LOSSES(0.25).at(-1)!) < 1e-9,
      "numbers of outputs too",
    );

    const curves = await read("tensorboard", await exported(folder, "--to", "tensorboard"));
    const slow = Object.entries<Any>(curves).find(([name]) => name.includes("0.01"))![1];
    assert.deepEqual(slow["loss [nats/token]"].map(([step]: [number]) => step), [0, 1, 2, 3, 4]);
    near(slow["loss [nats/token]"].map(([, value]: [number, number]) => value), LOSSES(0.01));

    const crate = await exported(folder, "--to", "ro-crate");
    assert.deepEqual(await read("ro-crate", crate), []);
    const metadata = Deno.readTextFileSync(`${crate}/ro-crate-metadata.json`);
    Deno.writeTextFileSync(
      `${crate}/ro-crate-metadata.json`,
      metadata.replace(/"datePublished": "[^"]*",/, ""),
    );
    assert.notDeepEqual(await read("ro-crate", crate), [], "the validator sees what is missing");
    assert.match(Deno.readTextFileSync(`${crate}/notes/text.txt`), /the best rate is 0.25/);
  },
});

import assert from "node:assert/strict";
import { command, digestsOf, fixture, Folder, outputValue } from "../../command.ts";

/** Small models of every kind. */
const PARAMETERS = {
  patch: 2,
  clusters: [3],
  latents: 2,
  treeLatents: [2],
  teachers: ["pixels", "autoencoder"],
  autoencoder: { width: 8, layers: 1, decoderWidth: 8, decoderLayers: 1, heads: 2, epochs: 1 },
  growth: { teachers: ["pixels"], rounds: 1, add: 1 },
  epochs: { patches: 2, top: 2, together: 1 },
  repetitions: 2,
};

function settings(parameters: object): string[] {
  return Object.entries(parameters).flatMap(([name, value]) => ["--set", `${name}=${JSON.stringify(value)}`]);
}

Deno.test("all arms of the image pipelines run, repeated, and come from the store the second time", async () => {
  using folder = new Folder();
  const run = () =>
    command("run", [
      fixture("toy_lvd"),
      ...["--store", `${folder.path}/store`, "--jobs", "2", "--json"],
      ...settings(PARAMETERS),
    ]);
  const first = await run();
  assert.equal(first.code, 0, first.stderr);
  const nodesOf = (stdout: string) =>
    (JSON.parse(stdout) as { nodes: { node: string; state: string }[] }).nodes;
  const names = nodesOf(first.stdout).map(({ node }) => node);
  assert.ok(names.some((name) => /train-patches.*\.1$/.test(name)), "repetitions have nodes of their own");
  const second = await run();
  assert.equal(second.code, 0, second.stderr);
  assert.ok(nodesOf(second.stdout).every(({ state }) => state === "cached"), second.stdout);
});

Deno.test("arms that the validation images end say so, and are compared at equal numbers of epochs too", async () => {
  using folder = new Folder();
  const run = async (parameters: object) => {
    const ended = await command("run", [
      fixture("toy_lvd"),
      ...["--store", folder.store, "--jobs", "0"],
      ...settings({ ...PARAMETERS, teachers: ["pixels"], growth: {}, repetitions: 1, ...parameters }),
    ]);
    assert.equal(ended.code, 0, ended.stderr);
    return await outputValue(folder.store, "table");
  };
  const { budget, rows } = await run({ converge: { epochs: 60, tolerance: 0.01 } });
  assert.equal(budget, 5);
  const [tree, apart, together] = rows;
  for (const { arm, converged, course } of rows) {
    assert.equal(converged, true, arm);
    // Five falls of the step and two epochs at the smallest take seven epochs at least.
    assert.ok(course.epochs >= 7 && course.epochs < 60, `${arm}: ${course.epochs} epochs`);
    assert.ok(course.valid <= (course.atBudget ?? Infinity) + 0.01, arm);
  }
  assert.deepEqual([tree, apart, together].map(({ course }) => course.before), [
    0,
    2,
    2 + apart.course.epochs,
  ]);
  assert.ok(tree.course.atBudget > 0 && apart.course.atBudget > 0);
  assert.equal(together.course.atBudget, null, "its budget was spent before");
  const capped = await run({ converge: { epochs: 1 } });
  assert.deepEqual(capped.rows.map(({ converged }: typeof tree) => converged), [false, false, false]);
  assert.equal(capped.rows[2].course.before, 3);
  assert.ok(capped.rows[2].course.atBudget > 0);
});

Deno.test("an image pipeline that was killed in the middle of its stages ends with the same bytes", async () => {
  using folder = new Folder();
  const small = { ...PARAMETERS, teachers: ["autoencoder"], growth: {}, repetitions: 1 };
  const run = (store: string, killedAt?: string) =>
    command("run", [
      fixture("toy_lvd"),
      ...["--store", `${folder.path}/${store}`],
      ...settings(small),
    ], {
      signals: killedAt === undefined
        ? []
        : [{ when: new RegExp(`start +images\\.${killedAt}`), after: 0, signal: "SIGKILL" }],
    });
  assert.equal((await run("whole")).code, 0);
  const stages = [
    "train-autoencoder",
    "autoencoder-features",
    "cluster-patches",
    "train-patch-circuits",
    "train-patches",
  ];
  let kills = 0;
  // A stage may end before the signal comes, and the next run finds what follows it done: then that one comes to its end.
  for (const stage of stages) if ((await run("killed", stage)).code !== 0) kills++;
  assert.ok(kills >= 3, `killed ${kills} times`);
  const resumed = await run("killed");
  assert.equal(resumed.code, 0, resumed.stderr);
  const returned = ["table", "samples", "inpainting", "clusters", "reconstructions"];
  assert.deepEqual(
    await digestsOf(`${folder.path}/killed`, returned),
    await digestsOf(`${folder.path}/whole`, returned),
  );
});

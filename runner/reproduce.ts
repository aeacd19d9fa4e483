import { fileURLToPath } from "node:url";
import { RetortError } from "../foundation/errors.ts";
import { stageAt } from "./declaration.ts";
import { executeJob } from "./execute/execute.ts";
import { Reads } from "./execute/reads.ts";
import { variablesOf } from "./variables.ts";
import type { JobMessage, Outcome } from "./execute/job.ts";
import { Strays } from "./execute/strays.ts";
import { Fingerprinter } from "./fingerprint.ts";
import { KEY_FORMAT, type KeyComponents, keyOf } from "./key.ts";
import { Packages } from "./packages.ts";
import { projectOf, readProject } from "./project.ts";
import { Records } from "./records/records.ts";
import { lock } from "../foundation/locks.ts";
import type { Store } from "./store/store.ts";
import { dropWorkspace, type NodeWorkspace } from "./workspace.ts";

/**
 * Runs a failed node again in this process with the same inputs, parameters and seed, but with the current code.
 * If it succeeds, its result is recorded under the key of that code, so that the next run continues from there.
 */
export async function reproduce(
  store: Store,
  workspace: NodeWorkspace,
  options: { stop: AbortSignal; onMessage: (message: JobMessage) => void },
): Promise<Outcome> {
  const { job } = workspace;
  using _shared = await lock(`${store.root}/store.lock`, { mode: "shared", signal: options.stop });
  if (job.path === undefined) {
    throw new RetortError(
      "workspace/unusable",
      `the workspace of node \`${job.node}\` is of an older version of Retort`,
      { hint: "Run the pipeline again; when the node fails, repeat this." },
    );
  }
  // Only the stage's module is imported here.
  const reads = new Reads();
  const stage = await reads.importing(() => stageAt(job, job.stage));
  using records = new Records(store);
  const project = job.config === undefined ? projectOf(fileURLToPath(job.module)) : readProject(job.config);
  const packages = Packages.load(project);
  let components: KeyComponents;
  {
    await using fingerprinter = new Fingerprinter(packages, records.fingerprints);
    const { env: _env, ...rest } = job.components;
    components = { ...rest, format: KEY_FORMAT, code: await fingerprinter.of(stage), ...variablesOf(stage) };
  }
  const mode = job.mode === "remake" ? job.mode : "make" as const;
  const again = { ...job, components, key: keyOf(components), store: store.root, mode };
  const log = (text: string) => options.onMessage({ type: "log", text });
  using _strays = new Strays(log);
  const outcome = await reads.executing(
    stage.env,
    log,
    () => executeJob(stage, again, options.onMessage, options.stop),
  );
  if (outcome.kind === "done" || outcome.kind === "elsewhere") {
    dropWorkspace(store, job.node);
    records.transaction(() => records.addResult(outcome.result, job.pipeline));
  }
  return outcome;
}

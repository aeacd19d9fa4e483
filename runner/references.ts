import { CallError } from "../foundation/errors.ts";
import { didYouMean } from "../foundation/nearest.ts";
import type { Records } from "./records/records.ts";
import { eachInput } from "./inputs.ts";
import type { ArtifactRecord, NodeRecord, RunRecord } from "./records/rows.ts";

/** How many runs are searched for a node that is named without one. */
const SEARCHED_RUNS = 500;

/**
 * The run that a text names: `latest`, an id, or the beginning of one.
 *
 * @throws CallError when it names none or several.
 */
export function resolveRun(records: Records, text: string): RunRecord {
  if (text === "latest") {
    const run = records.runs({ limit: 1 })[0];
    if (run === undefined) throw new CallError("reference/unknown", "there are no runs in this store");
    return run;
  }
  const found = records.findRuns(text);
  if (found.length === 1) return found[0]!;
  const exact = found.find((run) => run.id === text);
  if (exact !== undefined) return exact;
  if (found.length > 1) {
    throw new CallError(
      "reference/ambiguous",
      `run ${text} is ambiguous: ${found.length} runs begin with it`,
      {
        hint: `They are ${found.slice(0, 5).map((run) => run.id).join(", ")}${found.length > 5 ? ", …" : ""}`,
      },
    );
  }
  const recent = records.runs({ limit: 200 }).map((run) => run.id);
  throw new CallError("reference/unknown", `there is no run ${text}${didYouMean(text, recent)}`, {
    hint: "`deno task runs` lists them; `latest` names the newest.",
  });
}

/**
 * The artifact that a reference names: `RUN/OUTPUT` (a returned output), `RUN/NODE:OUTPUT`,
 * `RUN/NODE` where the node has one output, the same without `RUN/` (the newest run that has it), or
 * at least six digits of a digest. RUN is an id, the beginning of one, or `latest`.
 *
 * @throws CallError when it names none or several.
 */
export function resolveArtifact(records: Records, reference: string): ArtifactRecord {
  if (/^[0-9a-f]{6,64}$/.test(reference)) {
    const found = records.artifactsByDigest(reference);
    const digests = new Set(found.map((record) => record.artifact.digest));
    if (digests.size === 1) return found[0]!;
    if (digests.size > 1) {
      throw new CallError(
        "reference/ambiguous",
        `${reference} is ambiguous: ${digests.size} artifacts begin with it`,
      );
    }
  }
  const slash = reference.indexOf("/");
  const run = slash > 0 ? tryRun(records, reference.slice(0, slash)) : undefined;
  if (run !== undefined) {
    const found = inRun(records, run, reference.slice(slash + 1));
    if (found.record !== undefined) return found.record;
    const name = reference.slice(slash + 1);
    if (found.open) throw notMade(records, run, [name]);
    throw new CallError(
      "reference/unknown",
      `${reference}: run ${run.id} has no such output or node${
        didYouMean(
          reference.slice(slash + 1),
          found.names,
        )
      }`,
      { hint: `It has ${found.names.slice(0, 12).join(", ")}${found.names.length > 12 ? ", …" : ""}` },
    );
  }
  const names = new Set<string>();
  for (const candidate of records.runs({ limit: SEARCHED_RUNS })) {
    const found = inRun(records, candidate, reference);
    if (found.record !== undefined) return found.record;
    for (const name of found.names) names.add(name);
  }
  throw new CallError("reference/unknown", `nothing is named ${reference}${didYouMean(reference, names)}`, {
    hint: "A reference is RUN/OUTPUT, RUN/NODE:OUTPUT, NODE:OUTPUT or the first digits of a digest.",
  });
}

/** The run of an id, its beginning, or `latest`; undefined where there is none, or several. */
export function tryRun(records: Records, text: string): RunRecord | undefined {
  if (text === "latest") return resolveRun(records, text);
  const found = records.findRuns(text);
  return found.length === 1 ? found[0] : found.find((run) => run.id === text);
}

/**
 * The outputs of a run, by name.
 *
 * @throws CallError when it has not made all of them.
 */
export function outputsOf(records: Records, run: RunRecord): { name: string; record: ArtifactRecord }[] {
  const outputs = records.runOutputs(run.id).map(({ name }) => ({ name, ...inRun(records, run, name) }));
  const missing = outputs.filter(({ record }) => record === undefined).map(({ name }) => name);
  // A run that is still at work may not know yet what it returns.
  if (missing.length > 0 || outputs.length === 0) throw notMade(records, run, missing);
  return outputs.map(({ name, record }) => ({ name, record: record! }));
}

/** Says which run it is, what became of it, and what else there is. */
function notMade(records: Records, run: RunRecord, names: readonly string[]): CallError {
  const what = names.length === 0 ? "its outputs" : names.map((name) => `\`${name}\``).join(", ");
  const [done] = records.runs({ pipeline: run.pipeline, status: "done", limit: 1 });
  const instead = done === undefined
    ? `No run of \`${run.pipeline}\` has ended well.`
    : `The newest run of \`${run.pipeline}\` that ended well is ${done.id}: name it instead.`;
  const [state, advice] = run.status === "running"
    ? ["has not ended, and", "Wait for its end. If `runs` calls it killed, repeat it."]
    : run.status === "done"
    ? ["ran a part of its pipeline, and", "Name what it made, as RUN/OUTPUT, or run the whole."]
    : [`${run.status === "failed" ? "failed" : "was interrupted"}, and`, "Repeat it: what was made is kept."];
  return new CallError(
    "reference/not-made",
    `run ${run.id} ${state} has not made ${what}${run.status === "running" ? " yet" : ""}`,
    { hint: `${advice} ${instead}` },
  );
}

function inRun(
  records: Records,
  run: RunRecord,
  name: string,
): {
  readonly record: ArtifactRecord | undefined;
  /** Whether a node of the run is meant that has made nothing. */
  readonly open: boolean;
  readonly names: readonly string[];
} {
  const nodes = records.nodes(run.id);
  const returned = records.runOutputs(run.id);
  const names = [...returned.map((output) => output.name), ...nodes.map((node) => node.name)];
  const output = returned.find((candidate) => candidate.name === name);
  const made = (node: NodeRecord | undefined, wanted: string | undefined) => {
    const open = node !== undefined &&
      (node.key === null || records.artifactsOfKey(node.key).length === 0);
    return { record: ofNode(records, node, wanted), open, names };
  };
  if (output !== undefined) return made(nodes.find((node) => node.name === output.node), output.output);
  const whole = nodes.find((node) => node.name === name);
  if (whole !== undefined) return made(whole, undefined);
  const colon = name.lastIndexOf(":");
  return made(
    nodes.find((candidate) => colon >= 0 && candidate.name === name.slice(0, colon)),
    name.slice(colon + 1),
  );
}

function ofNode(
  records: Records,
  node: NodeRecord | undefined,
  output: string | undefined,
): ArtifactRecord | undefined {
  if (node?.key === null || node === undefined) return undefined;
  const artifacts = records.artifactsOfKey(node.key);
  if (output !== undefined) return artifacts.find((record) => record.output === output);
  if (artifacts.length > 1) {
    throw new CallError("reference/ambiguous", `node ${node.name} has several outputs`, {
      hint: `Name one: ${artifacts.map((record) => `${node.name}:${record.output}`).join(", ")}`,
    });
  }
  return artifacts[0];
}

/** An artifact with everything that it was made from. */
export interface Lineage {
  readonly record: ArtifactRecord;
  /** By input name; an artifact that was shown before is not followed again. */
  readonly inputs: readonly { readonly name: string; readonly digest: string; readonly made?: Lineage }[];
  /** True where its inputs are left out, being too many steps back. */
  readonly further?: true;
}

/** Steps that lineage is followed back: text indented by more, and JSON nested deeper, serve nobody. */
const DEEPEST = 100;

/** What made which artifacts, as far as it was asked for: lineages of one run's outputs meet. */
export type KnownMakers = Map<string, ArtifactRecord | undefined>;

/**
 * What an artifact was made from, back to data outside the store, at most 100 steps.
 *
 * @param makers looked into first, and added to.
 */
export function lineageOf(
  records: Records,
  record: ArtifactRecord,
  makers: KnownMakers = new Map(),
): Lineage {
  const makerOf = (digest: string) => {
    if (!makers.has(digest)) makers.set(digest, records.artifactsByDigest(digest)[0]);
    return makers.get(digest);
  };
  interface Frame {
    readonly made: Lineage & { readonly inputs: { name: string; digest: string; made?: Lineage }[] };
    /** Inputs that were not looked at yet, the next one last. */
    readonly left: [name: string, digest: string][];
  }
  const frameOf = (record: ArtifactRecord): Frame => ({
    made: { record, inputs: [] },
    left: eachInput(record.components.inputs).reverse(),
  });
  const whole = frameOf(record);
  const seen = new Set([record.key]);
  const stack = [whole];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const next = top.left.pop();
    if (next === undefined) {
      stack.pop();
      continue;
    }
    const [name, digest] = next;
    const newest = makerOf(digest);
    const { key } = top.made.record;
    // A stage may give back the bytes that it got, as one that found nothing to change: they come from another.
    const maker = newest?.key === key ? records.artifactsByDigest(digest, key)[0] : newest;
    if (maker === undefined) top.made.inputs.push({ name, digest });
    else if (seen.has(maker.key)) {
      top.made.inputs.push({ name, digest, made: { record: maker, inputs: [] } });
    } else if (stack.length === DEEPEST) {
      const further = frameOf(maker).left.length > 0;
      top.made.inputs.push({
        name,
        digest,
        made: { record: maker, inputs: [], ...(further ? { further } : {}) },
      });
    } else {
      seen.add(maker.key);
      const frame = frameOf(maker);
      top.made.inputs.push({ name, digest, made: frame.made });
      stack.push(frame);
    }
  }
  return whole.made;
}

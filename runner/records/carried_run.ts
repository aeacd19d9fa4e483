import type { JsonObject } from "../../foundation/canonical.ts";
import type { PipelineQuestion } from "../headline.ts";
import type { RecordReader } from "./reader.ts";
import type { Records } from "./records.ts";
import type {
  Annotation,
  ArmRecord,
  AttemptRecord,
  ChoiceRecord,
  EdgeRecord,
  MetricRecord,
  NodeRecord,
  PlaceRecord,
  RunRecord,
} from "./rows.ts";

/** All that the records of a store tell of one run, to be carried to another store. Plain JSON; results are not in it. */
export interface CarriedRun {
  readonly run: RunRecord;
  readonly nodes: readonly NodeRecord[];
  readonly edges: readonly EdgeRecord[];
  readonly outputs: readonly { readonly name: string; readonly node: string; readonly output: string }[];
  readonly question: PipelineQuestion | null;
  readonly arms: readonly ArmRecord[];
  readonly choices: readonly ChoiceRecord[];
  readonly attempts: readonly AttemptRecord[];
  /** Missing where an older version took the run out. */
  readonly places?: readonly PlaceRecord[];
  readonly metrics: readonly MetricRecord[];
  readonly annotation: Annotation;
}

/** Takes a run out of the records. */
export function carriedRun(records: RecordReader, run: RunRecord): JsonObject {
  const { id } = run;
  const nodes = records.nodes(id);
  const carried: CarriedRun = {
    run,
    nodes,
    edges: records.edges(id),
    outputs: records.runOutputs(id),
    question: records.question(id) ?? null,
    arms: records.arms(id),
    choices: nodes.flatMap(({ name }) => records.choices(id, name)),
    attempts: records.attempts(id),
    places: records.places(id),
    metrics: records.metrics(id),
    annotation: records.annotation(id),
  };
  // Rows of the database have no prototype, and JSON alone travels.
  return JSON.parse(JSON.stringify(carried));
}

/** Adds a run to the records. @returns false where they know it. */
export function addCarriedRun(records: Records, carried: CarriedRun): boolean {
  const { run } = carried;
  return records.transaction(() => {
    if (records.findRuns(run.id).some(({ id }) => id === run.id)) return false;
    records.beginRun(run);
    for (const node of carried.nodes) records.putNode(node);
    records.addEdges(run.id, carried.edges);
    for (const { name, node, output } of carried.outputs) records.addRunOutput(run.id, name, node, output);
    if (carried.question !== null) records.putQuestion(run.id, carried.question);
    for (const arm of carried.arms) records.putArm(run.id, arm);
    for (const choice of carried.choices) records.putChoice(run.id, choice);
    for (const attempt of carried.attempts) records.putAttempt(run.id, attempt);
    for (const place of carried.places ?? []) records.putPlace(run.id, place);
    records.addMetrics(run.id, carried.metrics);
    records.annotate(run.id, carried.annotation);
    return true;
  });
}

import { type Circuit, replaceValues } from "../circuit.ts";
import { CircuitError } from "../errors.ts";
import { requireEvaluator, requireWhole } from "../guards.ts";
import type { Learner } from "../learner.ts";
import type { TrainingOptions } from "./options.ts";
import { type SampleSource, takeSource } from "./source.ts";
import type { EpochReport } from "./state.ts";
import { EmTraining } from "./training.ts";

/** Data for {@link trainGroups} besides the learner and the circuits. */
export interface GroupData {
  /** The samples of all groups. */
  readonly train: SampleSource;
  /** `[samples]`: the group of each sample. */
  readonly groups: ArrayLike<number>;
  /** Samples that select each group's best epoch; without them the last epoch is used. */
  readonly valid?: SampleSource;
  /** `[validation samples]`: the group of each sample. */
  readonly validGroups?: ArrayLike<number>;
}

/** A group whose training is complete. */
export interface TrainedGroup {
  /** Index of the group. */
  readonly group: number;
  /** Its trained circuit. */
  readonly circuit: Circuit;
  /** Number of its training samples. */
  readonly samples: number;
  /** Its epochs. Empty if it has no samples, or none of positive weight: its circuit is then unchanged. */
  readonly reports: readonly EpochReport[];
}

/**
 * Trains one circuit per group of samples, all of the same structure, each on the samples of its group only: the
 * efficient learning of latent variable distillation, where the cluster of a patch is known and only that cluster's
 * circuit learns from it. One learner serves all groups in turn: the cost is that of one circuit of one group's size over
 * all samples, and its parameters stay in the cache. Groups are independent of each other, so training can resume at any
 * group.
 *
 * @param learner of a circuit of the groups' structure; its parameters are replaced
 * @param starts the circuit that each group starts from
 * @param options for the training of every group; a pseudocount is relative to the samples of one group
 */
export async function* trainGroups(
  learner: Learner,
  starts: readonly Circuit[],
  data: GroupData,
  options: TrainingOptions & {
    /** First group to train; earlier ones are skipped. 0 if omitted. */
    readonly from?: number;
    /** Called between steps; may throw to stop. */
    readonly between?: () => void | Promise<void>;
  },
): AsyncGenerator<TrainedGroup> {
  requireEvaluator(learner);
  const { from = 0, between, ...training } = options;
  requireWhole("from", from, 0);
  const train = split(data.train, data.groups, starts.length);
  const valid = data.valid && data.validGroups
    ? split(data.valid, data.validGroups, starts.length)
    : undefined;
  for (let group = from; group < starts.length; group++) {
    const start = starts[group] as Circuit, own = train[group] as SampleSource;
    const ownValid = valid?.[group];
    if (!hasWeight(own)) {
      yield { group, circuit: start, samples: 0, reports: [] };
      continue;
    }
    await learner.setParameters(
      new Map([...start.parameters].map(([id, parameter]) => [id, parameter.values])),
    );
    const em = new EmTraining(
      learner,
      { train: own, ...(ownValid !== undefined && hasWeight(ownValid) && { valid: ownValid }) },
      training,
    );
    const reports: EpochReport[] = [];
    while (!em.done) {
      const report = await em.step();
      if (report !== undefined) reports.push(report);
      await between?.();
    }
    const { parameters } = await em.result();
    const values = new Map([...parameters].map(([id, parameter]) => [id, parameter.values]));
    yield { group, circuit: replaceValues(start, values), samples: own.count, reports };
  }
}

function hasWeight({ count, weights }: SampleSource): boolean {
  if (weights === undefined) return count > 0;
  for (let s = 0; s < count; s++) if (weights[s] !== 0) return true;
  return false;
}

/** The samples of each group as a separate source, in order. */
function split(source: SampleSource, groups: ArrayLike<number>, count: number): SampleSource[] {
  if (groups.length !== source.count) {
    throw new CircuitError("circuit/argument", `got ${groups.length} groups for ${source.count} samples`);
  }
  const sizes = new Uint32Array(count);
  for (let s = 0; s < groups.length; s++) {
    const g = groups[s] as number;
    if (!(Number.isInteger(g) && g >= 0 && g < count)) {
      throw new CircuitError(
        "circuit/argument",
        `the group of sample ${s} is ${g}, expected 0 to ${count - 1}`,
      );
    }
    sizes[g] = (sizes[g] as number) + 1;
  }
  const members = Array.from(sizes, (size) => new Uint32Array(size));
  const filled = new Uint32Array(count);
  for (let s = 0; s < groups.length; s++) {
    const g = groups[s] as number;
    (members[g] as Uint32Array)[filled[g] as number] = s;
    filled[g] = (filled[g] as number) + 1;
  }
  return members.map((own) => takeSource(source, own));
}

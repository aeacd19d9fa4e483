import { type Circuit, replaceValues } from "../circuit.ts";
import { CircuitError } from "../errors.ts";
import { requireEvaluator, requireWhole } from "../guards.ts";
import type { Learner } from "../learner.ts";
import type { TrainingOptions } from "./options.ts";
import type { SampleSource } from "./source.ts";
import type { EpochReport } from "./state.ts";
import { EmTraining } from "./training.ts";

/** What {@link trainGroups} takes besides the learner and the circuits. */
export interface GroupData {
  /** The samples of all groups. */
  readonly train: SampleSource;
  /** `[samples]`: the group that each sample belongs to. */
  readonly groups: ArrayLike<number>;
  /** Samples that choose each group's best epoch; without them the last one is the result. */
  readonly valid?: SampleSource;
  /** `[validation samples]`: their groups. */
  readonly validGroups?: ArrayLike<number>;
}

/** A group whose training is over. */
export interface TrainedGroup {
  /** Which one. */
  readonly group: number;
  /** Its circuit. */
  readonly circuit: Circuit;
  /** Training samples that it has. */
  readonly samples: number;
  /** Its epochs. Empty when it has no samples, or none that weighs anything: its circuit is as it was. */
  readonly reports: readonly EpochReport[];
}

/**
 * Trains a circuit for each group of samples, all of one structure, on the samples of that group alone: the
 * efficient learning of latent variable distillation, where the cluster of a patch is known and only its
 * circuit learns from it. One learner serves all groups, one after the other: the work is that of one
 * circuit of one group's size over all samples, and its parameters stay in a cache. What comes of a group
 * depends on no other, so that training can go on from any group.
 *
 * @param learner of a circuit of the groups' structure; its parameters are replaced
 * @param starts the circuit that each group starts from
 * @param options of every group's training; a pseudocount is for the samples of one group
 */
export async function* trainGroups(
  learner: Learner,
  starts: readonly Circuit[],
  data: GroupData,
  options: TrainingOptions & {
    /** Groups before this one are left out; 0 when left out. */
    readonly from?: number;
    /** Called between any two steps; may throw to stop. */
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

/** The samples of each group as a source of its own, in their order. */
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
  const { weights } = source;
  return members.map((own) => ({
    count: own.length,
    ...(weights !== undefined && { weights: Float64Array.from(own, (s) => weights[s] as number) }),
    read: (indices) => source.read(Uint32Array.from(indices, (i) => own[i] as number)),
  }));
}

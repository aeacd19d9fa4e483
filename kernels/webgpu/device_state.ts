import {
  applyUpdate,
  type Circuit,
  CountedWeight,
  type ParameterArray,
  parameterOwners,
  recentreStatistics,
  settingsFor,
  stepRules,
  type UpdateRule,
} from "../../circuits/mod.ts";
import type { Moments } from "../leaves/device_leaf.ts";
import { ROUNDING } from "../leaves/gaussian.ts";
import type { DeviceSession } from "./session.ts";
import type { Snapshot } from "./state.ts";

/**
 * The host's view of the parameters and counts in a session, and the operations that change both sides: the M-step,
 * setting values, snapshots.
 */
export class DeviceState {
  readonly #circuit: Circuit;
  /** Values of all parameters; those that the device changes are as of the last read. Arrays are never modified. */
  values: Map<string, ParameterArray>;
  /** Weight of the counted samples; replaced at every update. */
  counted: { readonly weight: CountedWeight; samples: number };

  /** Creates the state of `circuit` with its parameters and no counts. */
  constructor(circuit: Circuit) {
    this.#circuit = circuit;
    this.values = new Map([...circuit.parameters].map(([id, { values }]) => [id, values.slice()]));
    this.counted = { weight: new CountedWeight(circuit), samples: 0 };
  }

  /** Replaces values of parameters on both sides; the arrays are kept, not copied. */
  async setParameters(session: DeviceSession, given: ReadonlyMap<string, ParameterArray>): Promise<void> {
    await this.#moveMoments(session, given);
    session.resident.setValues(given);
    await session.consented();
    for (const [id, array] of given) this.values.set(id, array);
  }

  /** The M-step: on the device where possible, the rest from counts that are read back. */
  async update(session: DeviceSession, rule: UpdateRule): Promise<void> {
    const updater = await session.updater();
    const host = this.#hostParameters(session, rule);
    if (stepRules[rule.step.kind].priors) {
      // The samples' weight is known only with their likelihoods.
      await session.fetch();
      await updater.gatherPriors(await session.topDown(), this.counted.weight);
    }
    const fresh = host.size > 0 ? await this.#applyOnHost(session, rule, host) : undefined;
    updater.update(rule, this.counted.weight.total, host);
    if (fresh !== undefined) session.resident.setValues(fresh);
    for (const [id, values] of fresh ?? []) this.values.set(id, values);
    this.counted = { weight: new CountedWeight(this.#circuit), samples: 0 };
  }

  /** Parameters updated on the host: those without a closed form, or smoothed by a distribution of their own. */
  #hostParameters({ resident: { store } }: DeviceSession, rule: UpdateRule): Set<string> {
    const host = new Set<string>();
    for (const [id, node] of parameterOwners(this.#circuit)) {
      const { frozen, base } = settingsFor(rule, id, node.kind);
      if (frozen) continue;
      if (base !== undefined || (node.kind === "input" && !store.isOnDevice(id))) host.add(id);
    }
    return host;
  }

  /** Computes new values of the parameters updated on the host. */
  async #applyOnHost(
    session: DeviceSession,
    rule: UpdateRule,
    host: ReadonlySet<string>,
  ): Promise<Map<string, ParameterArray>> {
    if ([...host].some((id) => session.resident.store.isOnDevice(id))) await this.refresh(session);
    const counts = await session.resident.counts();
    const masses = stepRules[rule.step.kind].priors ? await session.masses() : undefined;
    const { weight } = this.counted;
    const priors = masses &&
      new Map([...masses].map(([id, rows]) => [id, Float64Array.from(rows, (mass) => mass * weight.total)]));
    const values = new Map([...host].map((id) => [id, (this.values.get(id) as ParameterArray).slice()]));
    applyUpdate(this.#circuit, values, {
      weights: session.resident.store.weightCounts(counts.weights, (length) => new Float32Array(length)),
      statistics: session.resident.store.plainStatistics(counts.statistics, this.values),
      weight,
      ...(priors !== undefined && { priors }),
      // Twice the bound at which a variance is lost.
      rounding: 2 * ROUNDING,
    }, rule);
    return values;
  }

  /** Reads the parameters that the device changes. */
  async refresh(session: DeviceSession): Promise<void> {
    for (const [id, values] of await session.resident.values()) this.values.set(id, values);
  }

  /** Some leaf statistics are moments about the parameters, so setting new parameters moves them. */
  async #moveMoments(session: DeviceSession, given: ReadonlyMap<string, ParameterArray>): Promise<void> {
    const { store } = session.resident;
    const moved = [...given.keys()].filter((id) => store.momentsOf(id) !== undefined);
    if (moved.length === 0 || this.counted.samples === 0) return;
    const counts = await session.resident.counts();
    const plain = store.plainStatistics(counts.statistics, this.values, (id) => moved.includes(id));
    recentreStatistics(this.#circuit, plain, this.values, given);
    const about = new Map(moved.map((id) => [
      id,
      (store.momentsOf(id) as Moments).toDevice(
        plain.get(id) as Float64Array,
        given.get(id) as ParameterArray,
      ),
    ]));
    await session.resident.setCounts(new Map(), about);
  }

  /** Parameters and counts in the device's form. */
  async snapshot(session: DeviceSession): Promise<Snapshot> {
    await session.fetch();
    await this.refresh(session);
    const counts = await session.resident.counts();
    return {
      values: new Map(this.values),
      weights: session.resident.store.weightCounts(counts.weights, (length) => new Float32Array(length)),
      statistics: session.resident.store.statistics(counts.statistics, (length) => new Float32Array(length)),
      weight: this.counted.weight.save(),
    };
  }

  /** The values as last read, without counts. */
  emptySnapshot(): Snapshot {
    return {
      values: new Map(this.values),
      weights: new Map(),
      statistics: new Map(),
      weight: new CountedWeight(this.#circuit).save(),
    };
  }

  /** Uploads a snapshot to the device. */
  async load(session: DeviceSession, snapshot: Snapshot): Promise<void> {
    this.values = new Map(snapshot.values);
    session.resident.setValues(this.values);
    await session.resident.clearCounts();
    await session.resident.setCounts(snapshot.weights, snapshot.statistics);
    const weight = new CountedWeight(this.#circuit);
    weight.restore(snapshot.weight);
    this.counted = { weight, samples: snapshot.weights.size };
  }
}

import { type Circuit, describeVariable, variableOf } from "./circuit.ts";
import { CircuitError } from "./errors.ts";
import { kindOf, requireCircuit, requireList, requireSamples, requireShape, requireWhole } from "./guards.ts";
import { MOST_COUNT } from "./leaves/counting.ts";
import { checkSoft, mapSoft, type SoftEvidence, type StateWeights, weightsOf } from "./soft.ts";

/** Array types for the values of samples. Float32 is exact for integers up to 2^24. */
export type ValueArray = Uint8Array | Uint16Array | Int32Array | Float32Array | Float64Array;

/**
 * Samples for a circuit, possibly with missing values.
 * Row-major: the value of variable `v` in sample `s` is `values[s * variables + v]`.
 */
export interface Samples {
  /** Number of samples. */
  readonly count: number;
  /** Number of variables: columns. */
  readonly variables: number;
  /** `[count, variables]`. Unobserved values are ignored. */
  readonly values: ValueArray;
  /** `[count, variables]`: 1 where a value was observed, 0 where it is missing. If absent, all are observed. */
  readonly observed?: Uint8Array;
  /**
   * Log-likelihoods `[count, units]` for every variable of kind `external`, by index: natural logarithm, -Infinity for
   * impossible. Not read where the variable is not observed.
   */
  readonly externals?: ReadonlyMap<number, Float32Array>;
  /**
   * State weights that replace values of categorical variables, by variable index. A value of a variable in a sample is
   * missing where `observed` is 0, soft where the variable has an entry here whose `rows` is absent or 1, and otherwise
   * the number in `values`. What is neither observed nor soft is marginalised; `values` are not read where they are soft.
   */
  readonly soft?: ReadonlyMap<number, SoftEvidence>;
}

/**
 * Samples from rows of numbers, in full precision; `null` stands for a missing value.
 * @throws {CircuitError} when the rows differ in length, or hold what is no number, such as strings
 */
export function samplesFromRows(rows: readonly (readonly (number | null)[])[]): Samples {
  requireList("the rows", rows);
  rows.forEach((row, s) => requireList(`row ${s}`, row));
  const count = rows.length;
  const variables = rows[0]?.length ?? 0;
  const integral = rows.every((row) =>
    row.every((x) => x === null || (Number.isInteger(x) && Math.abs(x) < 2 ** 31))
  );
  const values = integral ? new Int32Array(count * variables) : new Float64Array(count * variables);
  let observed: Uint8Array | undefined;
  rows.forEach((row, s) => {
    if (row.length !== variables) {
      throw new CircuitError(
        "samples/shape",
        `row ${s} has ${row.length} values, but row 0 has ${variables}`,
      );
    }
    for (let v = 0; v < variables; v++) {
      const x = row[v];
      if (x !== null && typeof x !== "number") {
        throw new CircuitError(
          "samples/value",
          `row ${s}, column ${v}: expected a number or null, got ${kindOf(x)}`,
          { hint: "Fields of a text file are strings: `Number(field)`, and null where one is empty." },
        );
      }
      if (x !== null) values[s * variables + v] = x;
      else (observed ??= new Uint8Array(count * variables).fill(1))[s * variables + v] = 0;
    }
  });
  return observed === undefined ? { count, variables, values } : { count, variables, values, observed };
}

/**
 * `count` samples with nothing observed: the input for unconditional sampling and marginals.
 * @throws {CircuitError} when a number is not whole or negative
 */
export function unobserved(count: number, variables: number): Samples {
  requireWhole("the number of samples", count, 0);
  requireShape("samples", [count, variables]);
  const size = count * variables;
  return { count, variables, values: new Int32Array(size), observed: new Uint8Array(size) };
}

/** Whether there is any evidence about variable `v` of sample `s`: a value, soft evidence or log-likelihoods. */
export function isObserved(samples: Samples, s: number, v: number): boolean {
  return samples.observed === undefined || samples.observed[s * samples.variables + v] !== 0;
}

/** Whether variable `v` of sample `s` has soft evidence instead of a value. */
export function isSoft(samples: Samples, s: number, v: number): boolean {
  const soft = samples.soft?.get(v);
  return soft !== undefined && soft.rows?.[s] !== 0 && isObserved(samples, s, v);
}

/**
 * The possible states of variable `v` of sample `s` under its soft evidence, with their weights; undefined if it has
 * none.
 */
export function softOf(samples: Samples, s: number, v: number): StateWeights | undefined {
  return isSoft(samples, s, v)
    ? weightsOf(samples.soft?.get(v) as SoftEvidence, s, samples.count)
    : undefined;
}

/** The samples `from .. to - 1`, as views on the same memory. @throws {CircuitError} when there are no such samples */
export function sliceSamples(samples: Samples, from: number, to: number): Samples {
  requireSamples(samples);
  requireWhole("the first sample", from, 0, samples.count);
  requireWhole("the end of the samples", to, from, samples.count);
  const { variables, observed, externals, soft } = samples;
  requireTyped(samples);
  const cut = <T extends ValueArray | Uint32Array>(array: T, width: number) =>
    array.subarray(from * width, to * width) as T;
  return {
    count: to - from,
    variables,
    values: cut(samples.values, variables),
    ...(observed && { observed: cut(observed, variables) }),
    ...(externals && {
      externals: new Map([...externals].map(([v, logs]) => [v, cut(logs, logs.length / samples.count)])),
    }),
    ...(soft && { soft: mapSoft(soft, samples.count, cut) }),
  };
}

/** Rejects samples that are not in typed arrays, which have no views. */
function requireTyped({ values, observed }: Samples): void {
  if (ArrayBuffer.isView(values) && (observed === undefined || ArrayBuffer.isView(observed))) return;
  throw new CircuitError(
    "samples/shape",
    "the values of samples are a typed array, `observed` a Uint8Array; got other lists",
    { hint: "`samplesFromRows` makes samples of rows of numbers and null." },
  );
}

/**
 * Copies of the samples at `indices`, in that order: batches, shuffles, train and test splits.
 * @throws {CircuitError} naming an index of no sample
 */
export function takeSamples(samples: Samples, indices: ArrayLike<number>): Samples {
  requireSamples(samples);
  const count = indices.length;
  const take = <T extends ValueArray | Uint32Array>(array: T, width: number): T => {
    const out = new (array.constructor as new (length: number) => T)(count * width);
    for (let i = 0; i < count; i++) {
      const s = indices[i] as number;
      if (!(s >= 0 && s < samples.count && Number.isInteger(s))) {
        requireWhole(`index ${i} of the samples`, s, 0, samples.count - 1);
      }
      out.set(array.subarray(s * width, (s + 1) * width), i * width);
    }
    return out;
  };
  const { variables, observed, externals, soft } = samples;
  return {
    count,
    variables,
    values: take(samples.values, variables),
    ...(observed && { observed: take(observed, variables) }),
    ...(externals && {
      externals: new Map([...externals].map(([v, logs]) => [v, take(logs, logs.length / samples.count)])),
    }),
    ...(soft && { soft: mapSoft(soft, samples.count, take) }),
  };
}

/**
 * The same samples with the given variables missing everywhere, including their soft evidence and log-likelihoods.
 * @throws {CircuitError} naming a variable that is none
 */
export function hideVariables(samples: Samples, variables: Iterable<number>): Samples {
  requireSamples(samples);
  const observed = samples.observed?.slice() ?? new Uint8Array(samples.count * samples.variables).fill(1);
  for (const v of variables) {
    requireWhole("a variable to hide", v, 0, samples.variables - 1);
    for (let s = 0; s < samples.count; s++) observed[s * samples.variables + v] = 0;
  }
  return { ...samples, observed };
}

/**
 * The same samples without the values of the given variables. Their soft evidence and log-likelihoods remain: those are
 * observations about the variable, not its value.
 */
export function hideValues(samples: Samples, variables: Iterable<number>): Samples {
  requireSamples(samples);
  const { count, variables: width, externals, soft } = samples;
  const chosen = [...variables], hidden = hideVariables(samples, chosen);
  const observed = hidden.observed as Uint8Array;
  for (const v of chosen) {
    if (!externals?.has(v) && !soft?.has(v)) continue;
    for (let s = 0; s < count; s++) {
      if (externals?.has(v) ? isObserved(samples, s, v) : isSoft(samples, s, v)) observed[s * width + v] = 1;
    }
  }
  return hidden;
}

/**
 * Rejects samples with soft evidence, for operations that need values.
 * @param what the operation that needs them, as the subject of a sentence
 * @throws {CircuitError} naming the first sample and variable
 */
export function requireValues(what: string, samples: Samples): void {
  requireSamples(samples);
  for (const v of samples.soft?.keys() ?? []) {
    for (let s = 0; s < samples.count; s++) {
      if (!isSoft(samples, s, v)) continue;
      throw new CircuitError(
        "samples/soft-evidence",
        `${what} needs values, and sample ${s} has soft evidence of variable ${v}`,
        { hint: "Hide such variables with `hideVariables`, or give the likeliest state as a value." },
      );
    }
  }
}

/**
 * Checks samples against a circuit: the number of columns, integer and in-range states and counts, finite numbers,
 * external log-likelihoods that are present, of the right length and not NaN, and valid soft evidence about categorical
 * variables only.
 * @throws {CircuitError} naming the first sample and variable that do not fit
 */
export function checkSamples(circuit: Circuit, samples: Samples): void {
  requireCircuit(circuit);
  requireSamples(samples);
  const { count, variables, values, observed, externals, soft } = samples;
  if (variables !== circuit.variables.length) {
    throw new CircuitError(
      "samples/shape",
      `the samples have ${variables} columns, but the circuit has ${circuit.variables.length} variables`,
    );
  }
  const expected = count * variables;
  if (values.length !== expected || (observed !== undefined && observed.length !== expected)) {
    throw new CircuitError(
      "samples/shape",
      `${count} samples of ${variables} variables need ${expected} values; got ${values.length}` +
        (observed === undefined ? "" : ` and a mask of ${observed.length}`),
    );
  }
  for (const [v, own] of soft ?? []) {
    const variable = variableOf(circuit, v), where = describeVariable(circuit, v);
    if (variable.kind !== "categorical") {
      throw new CircuitError(
        "samples/soft-evidence",
        `${where} is ${variable.kind}: soft evidence is about states of categorical variables`,
      );
    }
    const isRead = (s: number) => isSoft(samples, s, v);
    checkSoft(where, own, { count, states: variable.states, isRead });
  }
  circuit.variables.forEach((variable, v) => {
    if (variable.kind === "external") return checkExternal(circuit, samples, v, externals?.get(v));
    // Exclusive upper bound of integer values; 0 for real ones.
    const end = variable.kind === "categorical"
      ? variable.states
      : variable.kind === "count"
      ? MOST_COUNT + 1
      : 0;
    for (let s = 0, at = v; s < count; s++, at += variables) {
      if (observed !== undefined && observed[at] === 0) continue;
      if (soft?.has(v) && isSoft(samples, s, v)) continue;
      const x = values[at] as number;
      const good = end === 0 ? Number.isFinite(x) : Number.isInteger(x) && x >= 0 && x < end;
      if (good) continue;
      const wanted = end === 0 ? "a finite number" : `a whole number from 0 to ${end - 1}`;
      throw new CircuitError(
        "samples/value",
        `sample ${s}, ${describeVariable(circuit, v)}: got ${x}, expected ${wanted}`,
        {
          hint: "Mark values that are missing in `observed` instead of giving them a special value.",
        },
      );
    }
  });
}

/**
 * Rejects invalid sample weights.
 * @throws {CircuitError} on a wrong number of them, or one that is negative or not finite
 */
export function checkSampleWeights(
  samples: Pick<Samples, "count">,
  weights: ArrayLike<number> | undefined,
): void {
  if (weights === undefined) return;
  requireList("the weights of the samples", weights);
  if (weights.length !== samples.count) {
    throw new CircuitError("samples/weights", `${samples.count} samples got ${weights.length} weights`);
  }
  for (let s = 0; s < weights.length; s++) {
    const w = weights[s] as number;
    if (!(typeof w === "number" && w >= 0 && w < Infinity)) {
      throw new CircuitError(
        "samples/weights",
        `the weight of sample ${s} is ${w}, expected a number from 0`,
      );
    }
  }
}

function checkExternal(circuit: Circuit, samples: Samples, v: number, logs: Float32Array | undefined): void {
  const where = describeVariable(circuit, v);
  const units = circuit.nodes.find((node) => node.kind === "input" && node.variable === v)?.units ?? 0;
  if (logs === undefined) {
    for (let s = 0; s < samples.count; s++) {
      if (isObserved(samples, s, v)) {
        throw new CircuitError(
          "samples/external",
          `sample ${s}, ${where}: observed, but the samples carry no log-likelihoods for it`,
          { hint: `Give \`externals\` an entry for variable ${v}: Float32Array [count, ${units}].` },
        );
      }
    }
    return;
  }
  if (logs.length !== samples.count * units) {
    throw new CircuitError(
      "samples/external",
      `${where}: ${samples.count} samples of ${units} log-likelihoods need ${
        samples.count * units
      } numbers; got ${logs.length}`,
    );
  }
  const bad = logs.findIndex((x, i) =>
    (Number.isNaN(x) || x === Infinity) && isObserved(samples, Math.floor(i / units), v)
  );
  if (bad >= 0) {
    throw new CircuitError(
      "samples/external",
      `sample ${Math.floor(bad / units)}, ${where}, unit ${bad % units}: log-likelihood ${logs[bad]}`,
    );
  }
}

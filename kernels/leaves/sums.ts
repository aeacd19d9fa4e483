/** What a family adds up over the samples that a unit made: `weight` (their flow) and sums of its own. */
export interface SampleSums {
  /** Constant of WGSL that marks a value as missing, with its bits. */
  readonly missing: readonly [name: string, bits: string];
  /** WGSL of further constants. */
  readonly constants?: string;
  /** WGSL of what holds for all samples of a unit; knows `leaf` and `unit`. */
  readonly unit?: string;
  /** WGSL that reads more of one sample than `value` (its bits); knows `sample` and `user`. */
  readonly reads?: string;
  /** WGSL of what the terms need of one sample; knows all of these and `flow`. */
  readonly sample?: string;
  /** Rows of the statistics in their order after `weight`: a name, and the term of WGSL that one sample adds. */
  readonly sums: readonly (readonly [name: string, term: string])[];
}

/** WGSL of the statistics of a family over values: one invocation a unit, `1 + sums` rows of `stride` numbers. */
export function sampleSums(
  { missing: [missing, bits], constants, unit, reads, sample, sums }: SampleSums,
): string {
  const all = [["weight", "flow"] as const, ...sums];
  const part = (name: string) => `part${name.charAt(0).toUpperCase()}${name.slice(1)}`;
  const lines = (indent: number, of: (name: string, term: string, row: number) => string) =>
    all.map(([name, term], row) => `${" ".repeat(indent)}${of(name, term, row)}`).join("\n");
  const given = (text: string | undefined, indent: number) =>
    text === undefined ? "" : text.replaceAll(/^/gm, " ".repeat(indent)) + "\n";
  return `\
struct Shape { units: u32, stride: u32, columns: u32, tableStride: u32 }
struct Set { statistics: u32, first: u32, count: u32, table: u32 }
@group(0) @binding(6) var<storage, read> values: array<u32>;
@group(0) @binding(7) var<storage, read> table: array<Value>;
const ${missing} = ${bits};

// Samples that are added up by themselves before they are added to the rest: large sums round what is added.
const PART = 32u;
${given(constants, 0)}
@compute @workgroup_size($X)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u($X, 1u, 1u);
  let unit = id.x;
  if (unit >= shape.units) { return; }
  let leaf = sets[id.z];
${given(unit, 2)}${lines(2, (name) => `var ${name} = Value();`)}
  for (var u = leaf.first; u < leaf.first + leaf.count; u++) {
    let user = uses[u];
    for (var start = 0u; start < batch.rows; start += PART) {
${lines(6, (name) => `var ${part(name)} = Value();`)}
      for (var sample = start; sample < min(start + PART, batch.rows); sample++) {
        let value = values[sample * shape.columns + user.variable];
        if (value == ${missing}) { continue; }
${given(reads, 8)}        let flow = flows[user.at + sample * user.stride + unit];
${given(sample, 8)}${lines(8, (name, term) => `${part(name)} += ${term};`)}
      }
${lines(6, (name) => `${name} += ${part(name)};`)}
    }
  }
  let at = leaf.statistics + unit;
${
    lines(2, (name, _, row) =>
      `statistics[at${["", " + shape.stride"][row] ?? ` + ${row}u * shape.stride`}] += ${name};`)
  }
}`;
}

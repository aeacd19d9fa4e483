/** Shared by families over states: a table with one row per state. */
import { leafFamily } from "../../circuits/mod.ts";
import type { Value } from "../onnx/graph.ts";
import { transposeInto } from "../../circuits/transpose.ts";
import { LOG_ZERO } from "../webgpu/words.ts";
import type { GpuTable, LeafFolds, LeafGraph, StatisticsSnippet, ValueSnippet } from "./device_leaf.ts";

/** Declares the table of parameters. */
export const TABLE = `@group(0) @binding(5) var<storage, read> table: array<Value>;`;

/** Loads a state's table entry: its probability or, under LOG, its base-2 logarithm. */
function stateValue(logs: boolean): ValueSnippet {
  return {
    kind: "table",
    declarations: TABLE,
    constants: () => ({ LOG: logs }),
    code: `\
  if (value == MISSING) {
    if (shape.start > 0u) { return; }
    //# if MAX
    log = modes[fold.mode + unit];
    //# end
  } else {
    if (value < shape.start || value >= shape.to) { return; }
    let entry = table[fold.table + (value - shape.start) * shape.tableStride + unit];
    //# if LOG
    log = entry;
    //# else
    // Not \`entry > 0\`, so that NaN stays NaN.
    log = select(log2(entry), Value(ZERO), entry <= Value());
    //# end
  }`,
  };
}

/** Counts states. Samples are sorted by state (tokens.ts), so each sum belongs to one thread. */
const stateCounts: StatisticsSnippet = {
  kind: "states",
  reads: "tokens",
  flops: 1,
  code: `\
struct Shape { units: u32, stride: u32, start: u32, to: u32 }
// Leaves that share a parameter: their statistics, their uses, and the list of tokens that belongs to them.
struct Set { statistics: u32, first: u32, list: u32, pad: u32 }
// words: for every list where its segments begin and how many they are; a segment is a state, and the first and
// the end of its entries; an entry is use * rows + sample.
@group(0) @binding(6) var<storage, read> words: array<u32>;

@compute @workgroup_size($X)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u($X, 1u, 1u);
  let unit = id.x;
  let leaf = sets[id.z];
  if (unit >= shape.units || id.y >= words[leaf.list + 1u]) { return; }
  let segment = words[leaf.list] + id.y * 3u;
  let state = words[segment];
  if (state < shape.start || state >= shape.to) { return; }
  var sum = Value();
  for (var e = words[segment + 1u]; e < words[segment + 2u]; e++) {
    let entry = words[e];
    let user = uses[leaf.first + entry / batch.rows];
    sum += flows[user.at + (entry % batch.rows) * user.stride + unit];
  }
  statistics[leaf.statistics + (state - shape.start) * shape.stride + unit] += sum;
}`,
};

const shared = {
  kind: "table",
  encoding: () => ({ kind: "state" }),
  tableRows: (states: number) => states,
  statisticsRows: (states: number) => states,
  statistics: stateCounts,
} as const satisfies Partial<GpuTable>;

/** For families with rows of probabilities, learned on the device. */
export const probabilities: GpuTable = {
  ...shared,
  byState: { logs: false },
  probabilities: true,
  value: stateValue(false),
  encode({ units, values }, { from, to, out, at, stride }) {
    transposeInto(values, from, values.length / units, units, to - from, out, at, stride);
  },
};

/** For families with few parameters for many states: the table holds logarithms, and the host learns. */
export function logarithms(name: string): GpuTable {
  return {
    ...shared,
    byState: { logs: true },
    probabilities: false,
    value: stateValue(true),
    encode(leaf, { from, to, out, at, stride }) {
      const { logProbability } = leafFamily(name);
      for (let state = from; state < to; state++) {
        const row = at + (state - from) * stride;
        for (let u = 0; u < leaf.units; u++) {
          const log = logProbability(leaf, u, state);
          out[row + u] = log === -Infinity ? LOG_ZERO : log * Math.LOG2E;
        }
      }
    },
  };
}

/** Emits leaves whose values are states. */
export function emitStates(graph: LeafGraph, leaves: LeafFolds): Value {
  const x = graph.values(leaves), observed = graph.observed(leaves, x, true);
  return graph.states(
    leaves,
    observed,
    () => graph.whole(x),
    () => graph.areWhole(x, leaves.group.states),
  );
}

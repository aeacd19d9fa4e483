// Expected counts of states under soft evidence: each state gets its share of a unit's flow. Each sum belongs to one thread,
// without atomics, so results are bitwise reproducible. Constants: FORM (dense: a thread for every state, over all samples;
// sorted: one for every state that occurs), CHUNK (samples or entries per iteration), LOG (the table has logarithms), VEC,
// X (workgroup).
struct Shape {
  units: u32,
  stride: u32,
  tableStride: u32,
  start: u32,
  to: u32,
  chunks: u32, // of samples, a round for each of every use
}
// Leaves that share a parameter: their statistics from state `start` on, their uses, their list of entries, and their table
// from state `start` on.
struct Set { statistics: u32, first: u32, count: u32, list: u32, table: u32 }
struct Use { flows: u32, flowStride: u32, logs: u32, logStride: u32, variable: u32 }

//# if VEC
alias Value = vec4f;
//# else
alias Value = f32;
//# end
@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> sets: array<Set>;
@group(0) @binding(3) var<storage, read> uses: array<Use>;
@group(0) @binding(4) var<storage, read> flows: array<Value>;
@group(0) @binding(5) var<storage, read> logs: array<Value>;
@group(0) @binding(6) var<storage, read_write> statistics: array<Value>;
@group(0) @binding(7) var<storage, read> table: array<Value>;
// dense: the evidence; sorted: for every list, the offset and number of its segments; a segment is a state, its first entry
// and the end of its entries; an entry is use * rows + sample, and the weight. See soft_batch.ts.
@group(0) @binding(8) var<storage, read> words: array<u32>;

const NOT_SOFT = 0x7fffffff;
const LOW = -60.0; // base-2 logarithm of values below which products may vanish beside them

fn share(weight: f32, entry: Value, user: Use, sample: u32, unit: u32) -> Value {
  let flow = flows[user.flows + sample * user.flowStride + unit];
  let log = logs[user.logs + sample * user.logStride + unit];
  //# if LOG
  let part = exp2(log2(weight) + entry - log);
  //# else
  let logEntry = select(log2(entry), Value(ZERO), entry <= Value());
  let part = select(weight * entry * exp2(-log), exp2(log2(weight) + logEntry - log), log < Value(LOW));
  //# end
  return select(Value(), flow * part, (flow > Value()) & (log > Value(NONE)));
}

@compute @workgroup_size($X)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u($X, 1u, 1u);
  let unit = id.x;
  let leaf = sets[id.z];
  if (unit >= shape.units) { return; }
  //# if FORM == dense
  let state = shape.start + id.y;
  if (state >= shape.to) { return; }
  let entry = table[leaf.table + id.y * shape.tableStride + unit];
  let at = leaf.statistics + id.y * shape.stride + unit;
  var total = statistics[at];
  for (var round = portion.start; round < min(portion.end, leaf.count * shape.chunks); round++) {
    let user = uses[leaf.first + round / shape.chunks];
    let block = words[user.variable];
    if (block == 0u || words[block + 1u] == 1u) { continue; }
    let width = words[block];
    let weights = block + 2u + batch.rows;
    let first = (round % shape.chunks) * ${CHUNK}u;
    // One partial sum per iteration, so that a split loop gives the same bits.
    var sum = Value();
    for (var sample = first; sample < min(batch.samples, first + ${CHUNK}u); sample++) {
      if (bitcast<i32>(words[block + 2u + sample]) == NOT_SOFT) { continue; }
      let weight = bitcast<f32>(words[weights + sample * width + state]);
      if (weight > 0.0) { sum += share(weight, entry, user, sample, unit); }
    }
    total += sum;
  }
  statistics[at] = total;
  //# else
  if (id.y >= words[leaf.list + 1u]) { return; }
  let segment = words[leaf.list] + id.y * 3u;
  let state = words[segment];
  if (state < shape.start || state >= shape.to) { return; }
  let entry = table[leaf.table + (state - shape.start) * shape.tableStride + unit];
  let at = leaf.statistics + (state - shape.start) * shape.stride + unit;
  var total = statistics[at];
  for (var round = portion.start; round < portion.end; round++) {
    let first = words[segment + 1u] + 2u * round * ${CHUNK}u;
    let end = min(words[segment + 2u], first + 2u * ${CHUNK}u);
    if (first >= end) { break; }
    var sum = Value();
    for (var e = first; e < end; e += 2u) {
      let user = uses[leaf.first + words[e] / batch.rows];
      sum += share(bitcast<f32>(words[e + 1u]), entry, user, words[e] % batch.rows, unit);
    }
    total += sum;
  }
  statistics[at] = total;
  //# end
}

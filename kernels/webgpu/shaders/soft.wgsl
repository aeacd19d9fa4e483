// Log-likelihoods of leaves over states where samples have soft evidence, and the scales of all rows of these leaves. Runs
// after leaves.wgsl, which treats a soft value as missing. A unit's value is the weighted sum of its likelihoods, or under
// MAX the largest term.
// Constants: KIND (table: a row for every state; list: the only possible state of each unit), LOG (the table has logarithms), MAX, VEC,
// CHUNK (weights per iteration), X and Y (workgroup).
struct Shape {
  units: u32,       // all lengths in numbers, or in vec4 under VEC
  stride: u32,      // between samples of logs
  tableStride: u32, // between states of the table
  start: u32,       // states of this part of the table
  to: u32,
}
struct Fold { logs: u32, table: u32, variable: u32, scale: u32 }

//# if VEC
alias Value = vec4f;
//# else
alias Value = f32;
//# end
@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> folds: array<Fold>;
@group(0) @binding(3) var<storage, read> soft: array<u32>; // see soft_batch.ts
@group(0) @binding(4) var<storage, read_write> logs: array<Value>;
@group(0) @binding(5) var<storage, read_write> scales: array<i32>;
//# if KIND == list
@group(0) @binding(6) var<storage, read> states: array<u32>;
//# else
@group(0) @binding(6) var<storage, read> table: array<Value>;
//# end

const NOT_SOFT = 0x7fffffff;
const LEAST = 8.2718061e-25; // 2^-80: of smaller sums terms may have vanished

fn logOf(x: Value) -> Value {
  return select(log2(x), Value(ZERO), x <= Value());
}

//# if KIND == table
// Base-2 logarithm of the sum of two values, or of the larger.
fn joined(a: Value, b: Value) -> Value {
  let larger = max(a, b);
  //# if MAX
  return larger;
  //# else
  return select(larger + log2(exp2(a - larger) + exp2(b - larger)), Value(ZERO), larger <= Value(NONE));
  //# end
}

// Base-2 logarithm of the weighted sum of the entries first .. end - 1, or of the largest term.
fn mixed(fold: Fold, unit: u32, weights: u32, indices: u32, indexed: bool, first: u32, end: u32) -> Value {
  let at = fold.table + unit;
  //# if !LOG
  //# if !MAX
  var sum = Value();
  for (var i = first; i < end; i++) {
    var state = i;
    if (indexed) { state = soft[indices + i]; }
    if (state < shape.start || state >= shape.to) { continue; }
    sum += bitcast<f32>(soft[weights + i]) * table[at + (state - shape.start) * shape.tableStride];
  }
  //# if VEC
  if (all(sum >= Value(LEAST))) { return log2(sum); }
  //# else
  if (sum >= LEAST) { return log2(sum); }
  //# end
  //# end
  //# end
  var most = Value(ZERO);
  for (var i = first; i < end; i++) {
    var state = i;
    if (indexed) { state = soft[indices + i]; }
    let weight = bitcast<f32>(soft[weights + i]);
    if (weight == 0.0 || state < shape.start || state >= shape.to) { continue; }
    most = max(most, log2(weight) + logEntry(at + (state - shape.start) * shape.tableStride));
  }
  //# if MAX
  return most;
  //# else
  var total = Value();
  for (var i = first; i < end; i++) {
    var state = i;
    if (indexed) { state = soft[indices + i]; }
    let weight = bitcast<f32>(soft[weights + i]);
    if (weight == 0.0 || state < shape.start || state >= shape.to) { continue; }
    total += exp2(log2(weight) + logEntry(at + (state - shape.start) * shape.tableStride) - most);
  }
  return select(most + log2(max(total, Value(1.0))), Value(ZERO), most <= Value(NONE));
  //# end
}

fn logEntry(at: u32) -> Value {
  //# if LOG
  return table[at];
  //# else
  return logOf(table[at]);
  //# end
}
//# end

@compute @workgroup_size($X, $Y)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u($X, $Y, 1u);
  let unit = id.x;
  let sample = id.y;
  if (unit >= shape.units || sample >= batch.rows) { return; }
  let fold = folds[id.z];
  let block = soft[fold.variable];
  var exponent = NOT_SOFT;
  if (block != 0u) { exponent = bitcast<i32>(soft[block + 2u + sample]); }
  if (unit == 0u) { scales[fold.scale + sample] = select(exponent, 0, exponent == NOT_SOFT); }
  if (exponent == NOT_SOFT) { return; }
  let width = soft[block];
  let indexed = soft[block + 1u] == 1u;
  let weights = block + 2u + batch.rows + sample * width;
  let indices = weights + batch.rows * width;
  //# if KIND == list
  var sum = 0.0;
  let own = states[fold.table + unit];
  if (!indexed) { sum = bitcast<f32>(soft[weights + own]); }
  else {
    for (var i = 0u; i < width; i++) {
      if (soft[indices + i] == own) { sum = max(sum, bitcast<f32>(soft[weights + i])); }
    }
  }
  let at = fold.logs + sample * shape.stride + unit;
  let log = logOf(sum);
  //# else
  let at = fold.logs + sample * shape.stride + unit;
  var log = Value(ZERO);
  if (shape.start > 0u || portion.start > 0u) { log = logs[at]; } // of the weights before
  for (var round = portion.start; round < portion.end; round++) {
    var first = round * ${CHUNK}u;
    var end = min(width, first + ${CHUNK}u);
    if (!indexed) { // the states of this part
      first = max(first, shape.start);
      end = min(end, shape.to);
    }
    if (first < end) { log = joined(log, mixed(fold, unit, weights, indices, indexed, first, end)); }
  }
  //# end
  logs[at] = log;
}

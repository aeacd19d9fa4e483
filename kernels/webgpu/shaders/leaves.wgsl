// Logarithms of leaves. A missing value counts as 0, or under MAX as the unit's mode.
// Constants: KIND (table: a row for every state; gaussian; indicator), LOG (the table has logarithms), MAX, VEC, FAR (of
// gaussian, in standard deviations), X and Y (workgroup).
struct Shape {
  units: u32,       // all lengths in numbers, or in vec4 under VEC
  stride: u32,      // between samples of logs
  tableStride: u32, // between states of the table
  columns: u32,      // of values; the second half has what real values leave, if any are real
  start: u32,        // states of this part of the table
  to: u32,
}
struct Fold { logs: u32, table: u32, variable: u32, mode: u32 }

//# if VEC
alias Value = vec4f;
//# else
alias Value = f32;
//# end
@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> folds: array<Fold>;
@group(0) @binding(3) var<storage, read> values: array<u32>;
@group(0) @binding(4) var<storage, read_write> logs: array<Value>;
//# if KIND == indicator
@group(0) @binding(5) var<storage, read> states: array<u32>;
//# else
@group(0) @binding(5) var<storage, read> table: array<Value>;
//# end
//# if MAX
@group(0) @binding(6) var<storage, read> modes: array<Value>;
//# end

const MISSING = 0xffffffffu;      // of states
const MISSING_REAL = 0x7f7fffffu; // of real values: the largest f32
const LOG2E = 1.4426950408889634;

@compute @workgroup_size($X, $Y)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u($X, $Y, 1u);
  let unit = id.x;
  let sample = id.y;
  if (unit >= shape.units || sample >= batch.rows) { return; }
  let fold = folds[id.z];
  let value = values[sample * shape.columns + fold.variable];
  var log = Value();
  //# if KIND == table
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
    // Not `entry > 0`, so that NaN stays NaN.
    log = select(log2(entry), Value(ZERO), entry <= Value());
    //# end
  }
  //# end
  //# if KIND == gaussian
  if (value == MISSING_REAL) {
    //# if MAX
    log = modes[fold.mode + unit];
    //# end
  } else {
    // Value and mean are sums of two numbers each; the differences of high and low parts are exact where it matters.
    let low = bitcast<f32>(values[sample * shape.columns + shape.columns / 2u + fold.variable]);
    let mean = fold.table + unit;
    let x = (bitcast<f32>(value) - table[mean]) + (low - table[mean + shape.tableStride]);
    // Beyond FAR standard deviations likelihoods stop falling, so that scales stay in their range: see far.ts.
    let z = clamp(x * table[mean + 2u * shape.tableStride], Value(-$FAR), Value($FAR));
    log = z * z * (-0.5 * LOG2E) - table[mean + 3u * shape.tableStride];
  }
  //# end
  //# if KIND == indicator
  if (value != MISSING && value != states[fold.table + unit]) { log = ZERO; }
  //# end
  logs[fold.logs + sample * shape.stride + unit] = log;
}

// Log-likelihoods of leaves. For a missing value it is 0, or under MAX that of the unit's mode.
// A family's `DeviceLeaf` computes `log` from a value. Constants: its own, KIND (its snippet), MAX, VEC, X and Y (workgroup).
struct Shape {
  units: u32,       // all lengths in numbers, or in vec4 under VEC
  stride: u32,      // between samples of logs
  tableStride: u32, // between rows of the table
  columns: u32,      // of values; the second half has their companions, if any: see columns.ts
  start: u32,        // rows of this part of the table
  to: u32,
}
struct Fold { logs: u32, table: u32, variable: u32, mode: u32 } // variable: column of values

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
//# paste DECLARATIONS
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
  //# paste VALUE
  logs[fold.logs + sample * shape.stride + unit] = log;
}

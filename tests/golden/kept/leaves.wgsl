const ZERO = -1e30;
const NONE = -1e29;
const ZERO_SCALE = -536870912;
const BIAS = 64.0;
const SMALL = 9.094947e-13;
const SMALL_LOG = -104.0;
const REACH = 1u;
const REPAIR = 2u;
const RARE = 4u;
struct Batch { rows: u32, samples: u32, partial: u32, pad: u32 }
struct Portion { group: vec3u, start: u32, end: u32 }
@group(1) @binding(0) var<uniform> portion: Portion;
struct Shape {
  units: u32,
  stride: u32,
  tableStride: u32,
  columns: u32,
  start: u32,
  to: u32,
}
struct Fold { logs: u32, table: u32, variable: u32, mode: u32 }
alias Value = f32;
@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> folds: array<Fold>;
@group(0) @binding(3) var<storage, read> values: array<u32>;
@group(0) @binding(4) var<storage, read_write> logs: array<Value>;
@group(0) @binding(5) var<storage, read> states: array<u32>;
const MISSING = 0xffffffffu;
const MISSING_REAL = 0x7f7fffffu;
const LOG2E = 1.4426950408889634;
@compute @workgroup_size(4, 32)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u(4, 32, 1u);
  let unit = id.x;
  let sample = id.y;
  if (unit >= shape.units || sample >= batch.rows) { return; }
  let fold = folds[id.z];
  let value = values[sample * shape.columns + fold.variable];
  var log = Value();
  if (value != MISSING && value != states[fold.table + unit]) { log = ZERO; }
  logs[fold.logs + sample * shape.stride + unit] = log;
}

const ZERO = -1e30;
const NONE = -1e29;
const ZERO_SCALE = -536870912;
const BIAS = 64.0;
const SMALL = 9.094947e-13;
const SMALL_LOG = -104.0;
const REACH = 1u;
const REPAIR = 2u;
const RARE = 4u;
struct Batch { rows: u32, samples: u32, partial: u32, pad: u32 }
struct Portion { group: vec3u, start: u32, end: u32 }
@group(1) @binding(0) var<uniform> portion: Portion;
struct Shape {
  units: u32,
  stride: u32,
  tableStride: u32,
  columns: u32,
  start: u32,
  to: u32,
}
struct Fold { logs: u32, table: u32, variable: u32, mode: u32 }
alias Value = f32;
@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> folds: array<Fold>;
@group(0) @binding(3) var<storage, read> values: array<u32>;
@group(0) @binding(4) var<storage, read_write> logs: array<Value>;
@group(0) @binding(5) var<storage, read> table: array<Value>;
@group(0) @binding(6) var<storage, read> modes: array<Value>;
const MISSING = 0xffffffffu;
const MISSING_REAL = 0x7f7fffffu;
const LOG2E = 1.4426950408889634;
@compute @workgroup_size(4, 32)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u(4, 32, 1u);
  let unit = id.x;
  let sample = id.y;
  if (unit >= shape.units || sample >= batch.rows) { return; }
  let fold = folds[id.z];
  let value = values[sample * shape.columns + fold.variable];
  var log = Value();
  if (value == MISSING) {
    if (shape.start > 0u) { return; }
    log = modes[fold.mode + unit];
  } else {
    if (value < shape.start || value >= shape.to) { return; }
    let entry = table[fold.table + (value - shape.start) * shape.tableStride + unit];
    log = entry;
  }
  logs[fold.logs + sample * shape.stride + unit] = log;
}

const ZERO = -1e30;
const NONE = -1e29;
const ZERO_SCALE = -536870912;
const BIAS = 64.0;
const SMALL = 9.094947e-13;
const SMALL_LOG = -104.0;
const REACH = 1u;
const REPAIR = 2u;
const RARE = 4u;
struct Batch { rows: u32, samples: u32, partial: u32, pad: u32 }
struct Portion { group: vec3u, start: u32, end: u32 }
@group(1) @binding(0) var<uniform> portion: Portion;
struct Shape {
  units: u32,
  stride: u32,
  tableStride: u32,
  columns: u32,
  start: u32,
  to: u32,
}
struct Fold { logs: u32, table: u32, variable: u32, mode: u32 }
alias Value = f32;
@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> folds: array<Fold>;
@group(0) @binding(3) var<storage, read> values: array<u32>;
@group(0) @binding(4) var<storage, read_write> logs: array<Value>;
@group(0) @binding(5) var<storage, read> table: array<Value>;
@group(0) @binding(6) var<storage, read> modes: array<Value>;
const MISSING = 0xffffffffu;
const MISSING_REAL = 0x7f7fffffu;
const LOG2E = 1.4426950408889634;
@compute @workgroup_size(4, 32)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u(4, 32, 1u);
  let unit = id.x;
  let sample = id.y;
  if (unit >= shape.units || sample >= batch.rows) { return; }
  let fold = folds[id.z];
  let value = values[sample * shape.columns + fold.variable];
  var log = Value();
  if (value == MISSING) {
    if (shape.start > 0u) { return; }
    log = modes[fold.mode + unit];
  } else {
    if (value < shape.start || value >= shape.to) { return; }
    let entry = table[fold.table + (value - shape.start) * shape.tableStride + unit];
    log = select(log2(entry), Value(ZERO), entry <= Value());
  }
  if (value != MISSING) { log += bitcast<f32>(values[sample * shape.columns + shape.columns / 2u + fold.variable]); }
  logs[fold.logs + sample * shape.stride + unit] = log;
}

const ZERO = -1e30;
const NONE = -1e29;
const ZERO_SCALE = -536870912;
const BIAS = 64.0;
const SMALL = 9.094947e-13;
const SMALL_LOG = -104.0;
const REACH = 1u;
const REPAIR = 2u;
const RARE = 4u;
struct Batch { rows: u32, samples: u32, partial: u32, pad: u32 }
struct Portion { group: vec3u, start: u32, end: u32 }
@group(1) @binding(0) var<uniform> portion: Portion;
struct Shape {
  units: u32,
  stride: u32,
  tableStride: u32,
  columns: u32,
  start: u32,
  to: u32,
}
struct Fold { logs: u32, table: u32, variable: u32, mode: u32 }
alias Value = f32;
@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> folds: array<Fold>;
@group(0) @binding(3) var<storage, read> values: array<u32>;
@group(0) @binding(4) var<storage, read_write> logs: array<Value>;
@group(0) @binding(5) var<storage, read> table: array<Value>;
@group(0) @binding(6) var<storage, read> modes: array<Value>;
const MISSING = 0xffffffffu;
const MISSING_REAL = 0x7f7fffffu;
const LOG2E = 1.4426950408889634;
@compute @workgroup_size(4, 32)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u(4, 32, 1u);
  let unit = id.x;
  let sample = id.y;
  if (unit >= shape.units || sample >= batch.rows) { return; }
  let fold = folds[id.z];
  let value = values[sample * shape.columns + fold.variable];
  var log = Value();
  if (value == MISSING) {
    if (shape.start > 0u) { return; }
    log = modes[fold.mode + unit];
  } else {
    if (value < shape.start || value >= shape.to) { return; }
    let entry = table[fold.table + (value - shape.start) * shape.tableStride + unit];
    log = select(log2(entry), Value(ZERO), entry <= Value());
  }
  logs[fold.logs + sample * shape.stride + unit] = log;
}

const ZERO = -1e30;
const NONE = -1e29;
const ZERO_SCALE = -536870912;
const BIAS = 64.0;
const SMALL = 9.094947e-13;
const SMALL_LOG = -104.0;
const REACH = 1u;
const REPAIR = 2u;
const RARE = 4u;
struct Batch { rows: u32, samples: u32, partial: u32, pad: u32 }
struct Portion { group: vec3u, start: u32, end: u32 }
@group(1) @binding(0) var<uniform> portion: Portion;
struct Shape {
  units: u32,
  stride: u32,
  tableStride: u32,
  columns: u32,
  start: u32,
  to: u32,
}
struct Fold { logs: u32, table: u32, variable: u32, mode: u32 }
alias Value = f32;
@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> folds: array<Fold>;
@group(0) @binding(3) var<storage, read> values: array<u32>;
@group(0) @binding(4) var<storage, read_write> logs: array<Value>;
@group(0) @binding(5) var<storage, read> table: array<Value>;
@group(0) @binding(6) var<storage, read> modes: array<Value>;
const MISSING = 0xffffffffu;
const MISSING_REAL = 0x7f7fffffu;
const LOG2E = 1.4426950408889634;
@compute @workgroup_size(4, 32)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u(4, 32, 1u);
  let unit = id.x;
  let sample = id.y;
  if (unit >= shape.units || sample >= batch.rows) { return; }
  let fold = folds[id.z];
  let value = values[sample * shape.columns + fold.variable];
  var log = Value();
  if (value == MISSING) {
    log = modes[fold.mode + unit];
  } else {
    let k = f32(value);
    let rate = fold.table + unit;
    let above = (k - table[rate]) - table[rate + shape.tableStride];
    let v = above / (k + table[rate]);
    let square = v * v;
    var term = 2.0 * k * v;
    var series = above * v;
    for (var j = 3; j < 29; j += 2) {
      term *= square;
      series += term / f32(j);
    }
    let plain = k * log2(max(k, 1.0) / table[rate]) / LOG2E - above;
    let deviance = min(select(plain, series, abs(v) < Value(0.5)), Value(62021759.82957442));
    log = bitcast<f32>(values[sample * shape.columns + shape.columns / 2u + fold.variable]) - deviance * LOG2E;
  }
  logs[fold.logs + sample * shape.stride + unit] = log;
}

const ZERO = -1e30;
const NONE = -1e29;
const ZERO_SCALE = -536870912;
const BIAS = 64.0;
const SMALL = 9.094947e-13;
const SMALL_LOG = -104.0;
const REACH = 1u;
const REPAIR = 2u;
const RARE = 4u;
struct Batch { rows: u32, samples: u32, partial: u32, pad: u32 }
struct Portion { group: vec3u, start: u32, end: u32 }
@group(1) @binding(0) var<uniform> portion: Portion;
struct Shape {
  units: u32,
  stride: u32,
  tableStride: u32,
  columns: u32,
  start: u32,
  to: u32,
}
struct Fold { logs: u32, table: u32, variable: u32, mode: u32 }
alias Value = f32;
@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> folds: array<Fold>;
@group(0) @binding(3) var<storage, read> values: array<u32>;
@group(0) @binding(4) var<storage, read_write> logs: array<Value>;
@group(0) @binding(5) var<storage, read> table: array<Value>;
@group(0) @binding(6) var<storage, read> modes: array<Value>;
const MISSING = 0xffffffffu;
const MISSING_REAL = 0x7f7fffffu;
const LOG2E = 1.4426950408889634;
@compute @workgroup_size(4, 32)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u(4, 32, 1u);
  let unit = id.x;
  let sample = id.y;
  if (unit >= shape.units || sample >= batch.rows) { return; }
  let fold = folds[id.z];
  let value = values[sample * shape.columns + fold.variable];
  var log = Value();
  if (value == MISSING_REAL) {
    log = modes[fold.mode + unit];
  } else {
    let low = bitcast<f32>(values[sample * shape.columns + shape.columns / 2u + fold.variable]);
    let mean = fold.table + unit;
    let x = (bitcast<f32>(value) - table[mean]) + (low - table[mean + shape.tableStride]);
    let z = clamp(x * table[mean + 2u * shape.tableStride], Value(-11137.482644617177), Value(11137.482644617177));
    log = z * z * (-0.5 * LOG2E) - table[mean + 3u * shape.tableStride];
  }
  logs[fold.logs + sample * shape.stride + unit] = log;
}

const ZERO = -1e30;
const NONE = -1e29;
const ZERO_SCALE = -536870912;
const BIAS = 64.0;
const SMALL = 9.094947e-13;
const SMALL_LOG = -104.0;
const REACH = 1u;
const REPAIR = 2u;
const RARE = 4u;
struct Batch { rows: u32, samples: u32, partial: u32, pad: u32 }
struct Portion { group: vec3u, start: u32, end: u32 }
@group(1) @binding(0) var<uniform> portion: Portion;
struct Shape {
  units: u32,
  stride: u32,
  tableStride: u32,
  columns: u32,
  start: u32,
  to: u32,
}
struct Fold { logs: u32, table: u32, variable: u32, mode: u32 }
alias Value = f32;
@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> folds: array<Fold>;
@group(0) @binding(3) var<storage, read> values: array<u32>;
@group(0) @binding(4) var<storage, read_write> logs: array<Value>;
@group(0) @binding(5) var<storage, read> table: array<Value>;
@group(0) @binding(6) var<storage, read> modes: array<Value>;
const MISSING = 0xffffffffu;
const MISSING_REAL = 0x7f7fffffu;
const LOG2E = 1.4426950408889634;
@compute @workgroup_size(4, 32)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u(4, 32, 1u);
  let unit = id.x;
  let sample = id.y;
  if (unit >= shape.units || sample >= batch.rows) { return; }
  let fold = folds[id.z];
  let value = values[sample * shape.columns + fold.variable];
  var log = Value();
  if (value == MISSING_REAL) {
    log = modes[fold.mode + unit];
  } else {
    let low = bitcast<f32>(values[sample * shape.columns + shape.columns / 2u + fold.variable]);
    let mean = fold.table + unit;
    let x = (bitcast<f32>(value) - table[mean]) + (low - table[mean + shape.tableStride]);
    let z = clamp(x * table[mean + 2u * shape.tableStride], Value(-19290.685808893537), Value(19290.685808893537));
    log = z * z * (-0.5 * LOG2E) - table[mean + 3u * shape.tableStride];
  }
  logs[fold.logs + sample * shape.stride + unit] = log;
}

const ZERO = -1e30;
const NONE = -1e29;
const ZERO_SCALE = -536870912;
const BIAS = 64.0;
const SMALL = 9.094947e-13;
const SMALL_LOG = -104.0;
const REACH = 1u;
const REPAIR = 2u;
const RARE = 4u;
struct Batch { rows: u32, samples: u32, partial: u32, pad: u32 }
struct Portion { group: vec3u, start: u32, end: u32 }
@group(1) @binding(0) var<uniform> portion: Portion;
struct Shape {
  units: u32,
  stride: u32,
  tableStride: u32,
  columns: u32,
  start: u32,
  to: u32,
}
struct Fold { logs: u32, table: u32, variable: u32, mode: u32 }
alias Value = f32;
@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> folds: array<Fold>;
@group(0) @binding(3) var<storage, read> values: array<u32>;
@group(0) @binding(4) var<storage, read_write> logs: array<Value>;
@group(0) @binding(5) var<storage, read> table: array<Value>;
const MISSING = 0xffffffffu;
const MISSING_REAL = 0x7f7fffffu;
const LOG2E = 1.4426950408889634;
@compute @workgroup_size(4, 32)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u(4, 32, 1u);
  let unit = id.x;
  let sample = id.y;
  if (unit >= shape.units || sample >= batch.rows) { return; }
  let fold = folds[id.z];
  let value = values[sample * shape.columns + fold.variable];
  var log = Value();
  if (value == MISSING) {
    if (shape.start > 0u) { return; }
  } else {
    if (value < shape.start || value >= shape.to) { return; }
    let entry = table[fold.table + (value - shape.start) * shape.tableStride + unit];
    log = entry;
  }
  logs[fold.logs + sample * shape.stride + unit] = log;
}

const ZERO = -1e30;
const NONE = -1e29;
const ZERO_SCALE = -536870912;
const BIAS = 64.0;
const SMALL = 9.094947e-13;
const SMALL_LOG = -104.0;
const REACH = 1u;
const REPAIR = 2u;
const RARE = 4u;
struct Batch { rows: u32, samples: u32, partial: u32, pad: u32 }
struct Portion { group: vec3u, start: u32, end: u32 }
@group(1) @binding(0) var<uniform> portion: Portion;
struct Shape {
  units: u32,
  stride: u32,
  tableStride: u32,
  columns: u32,
  start: u32,
  to: u32,
}
struct Fold { logs: u32, table: u32, variable: u32, mode: u32 }
alias Value = f32;
@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> folds: array<Fold>;
@group(0) @binding(3) var<storage, read> values: array<u32>;
@group(0) @binding(4) var<storage, read_write> logs: array<Value>;
@group(0) @binding(5) var<storage, read> table: array<Value>;
const MISSING = 0xffffffffu;
const MISSING_REAL = 0x7f7fffffu;
const LOG2E = 1.4426950408889634;
@compute @workgroup_size(4, 32)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u(4, 32, 1u);
  let unit = id.x;
  let sample = id.y;
  if (unit >= shape.units || sample >= batch.rows) { return; }
  let fold = folds[id.z];
  let value = values[sample * shape.columns + fold.variable];
  var log = Value();
  if (value == MISSING) {
    if (shape.start > 0u) { return; }
  } else {
    if (value < shape.start || value >= shape.to) { return; }
    let entry = table[fold.table + (value - shape.start) * shape.tableStride + unit];
    log = select(log2(entry), Value(ZERO), entry <= Value());
  }
  if (value != MISSING) { log += bitcast<f32>(values[sample * shape.columns + shape.columns / 2u + fold.variable]); }
  logs[fold.logs + sample * shape.stride + unit] = log;
}

const ZERO = -1e30;
const NONE = -1e29;
const ZERO_SCALE = -536870912;
const BIAS = 64.0;
const SMALL = 9.094947e-13;
const SMALL_LOG = -104.0;
const REACH = 1u;
const REPAIR = 2u;
const RARE = 4u;
struct Batch { rows: u32, samples: u32, partial: u32, pad: u32 }
struct Portion { group: vec3u, start: u32, end: u32 }
@group(1) @binding(0) var<uniform> portion: Portion;
struct Shape {
  units: u32,
  stride: u32,
  tableStride: u32,
  columns: u32,
  start: u32,
  to: u32,
}
struct Fold { logs: u32, table: u32, variable: u32, mode: u32 }
alias Value = f32;
@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> folds: array<Fold>;
@group(0) @binding(3) var<storage, read> values: array<u32>;
@group(0) @binding(4) var<storage, read_write> logs: array<Value>;
@group(0) @binding(5) var<storage, read> table: array<Value>;
const MISSING = 0xffffffffu;
const MISSING_REAL = 0x7f7fffffu;
const LOG2E = 1.4426950408889634;
@compute @workgroup_size(4, 32)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u(4, 32, 1u);
  let unit = id.x;
  let sample = id.y;
  if (unit >= shape.units || sample >= batch.rows) { return; }
  let fold = folds[id.z];
  let value = values[sample * shape.columns + fold.variable];
  var log = Value();
  if (value == MISSING) {
    if (shape.start > 0u) { return; }
  } else {
    if (value < shape.start || value >= shape.to) { return; }
    let entry = table[fold.table + (value - shape.start) * shape.tableStride + unit];
    log = select(log2(entry), Value(ZERO), entry <= Value());
  }
  logs[fold.logs + sample * shape.stride + unit] = log;
}

const ZERO = -1e30;
const NONE = -1e29;
const ZERO_SCALE = -536870912;
const BIAS = 64.0;
const SMALL = 9.094947e-13;
const SMALL_LOG = -104.0;
const REACH = 1u;
const REPAIR = 2u;
const RARE = 4u;
struct Batch { rows: u32, samples: u32, partial: u32, pad: u32 }
struct Portion { group: vec3u, start: u32, end: u32 }
@group(1) @binding(0) var<uniform> portion: Portion;
struct Shape {
  units: u32,
  stride: u32,
  tableStride: u32,
  columns: u32,
  start: u32,
  to: u32,
}
struct Fold { logs: u32, table: u32, variable: u32, mode: u32 }
alias Value = f32;
@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> folds: array<Fold>;
@group(0) @binding(3) var<storage, read> values: array<u32>;
@group(0) @binding(4) var<storage, read_write> logs: array<Value>;
@group(0) @binding(5) var<storage, read> table: array<Value>;
const MISSING = 0xffffffffu;
const MISSING_REAL = 0x7f7fffffu;
const LOG2E = 1.4426950408889634;
@compute @workgroup_size(4, 32)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u(4, 32, 1u);
  let unit = id.x;
  let sample = id.y;
  if (unit >= shape.units || sample >= batch.rows) { return; }
  let fold = folds[id.z];
  let value = values[sample * shape.columns + fold.variable];
  var log = Value();
  if (value == MISSING) {
  } else {
    let k = f32(value);
    let rate = fold.table + unit;
    let above = (k - table[rate]) - table[rate + shape.tableStride];
    let v = above / (k + table[rate]);
    let square = v * v;
    var term = 2.0 * k * v;
    var series = above * v;
    for (var j = 3; j < 29; j += 2) {
      term *= square;
      series += term / f32(j);
    }
    let plain = k * log2(max(k, 1.0) / table[rate]) / LOG2E - above;
    let deviance = min(select(plain, series, abs(v) < Value(0.5)), Value(62021759.82957442));
    log = bitcast<f32>(values[sample * shape.columns + shape.columns / 2u + fold.variable]) - deviance * LOG2E;
  }
  logs[fold.logs + sample * shape.stride + unit] = log;
}

const ZERO = -1e30;
const NONE = -1e29;
const ZERO_SCALE = -536870912;
const BIAS = 64.0;
const SMALL = 9.094947e-13;
const SMALL_LOG = -104.0;
const REACH = 1u;
const REPAIR = 2u;
const RARE = 4u;
struct Batch { rows: u32, samples: u32, partial: u32, pad: u32 }
struct Portion { group: vec3u, start: u32, end: u32 }
@group(1) @binding(0) var<uniform> portion: Portion;
struct Shape {
  units: u32,
  stride: u32,
  tableStride: u32,
  columns: u32,
  start: u32,
  to: u32,
}
struct Fold { logs: u32, table: u32, variable: u32, mode: u32 }
alias Value = f32;
@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> folds: array<Fold>;
@group(0) @binding(3) var<storage, read> values: array<u32>;
@group(0) @binding(4) var<storage, read_write> logs: array<Value>;
@group(0) @binding(5) var<storage, read> table: array<Value>;
const MISSING = 0xffffffffu;
const MISSING_REAL = 0x7f7fffffu;
const LOG2E = 1.4426950408889634;
@compute @workgroup_size(4, 32)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u(4, 32, 1u);
  let unit = id.x;
  let sample = id.y;
  if (unit >= shape.units || sample >= batch.rows) { return; }
  let fold = folds[id.z];
  let value = values[sample * shape.columns + fold.variable];
  var log = Value();
  if (value == MISSING_REAL) {
  } else {
    let low = bitcast<f32>(values[sample * shape.columns + shape.columns / 2u + fold.variable]);
    let mean = fold.table + unit;
    let x = (bitcast<f32>(value) - table[mean]) + (low - table[mean + shape.tableStride]);
    let z = clamp(x * table[mean + 2u * shape.tableStride], Value(-11137.482644617177), Value(11137.482644617177));
    log = z * z * (-0.5 * LOG2E) - table[mean + 3u * shape.tableStride];
  }
  logs[fold.logs + sample * shape.stride + unit] = log;
}

const ZERO = -1e30;
const NONE = -1e29;
const ZERO_SCALE = -536870912;
const BIAS = 64.0;
const SMALL = 9.094947e-13;
const SMALL_LOG = -104.0;
const REACH = 1u;
const REPAIR = 2u;
const RARE = 4u;
struct Batch { rows: u32, samples: u32, partial: u32, pad: u32 }
struct Portion { group: vec3u, start: u32, end: u32 }
@group(1) @binding(0) var<uniform> portion: Portion;
struct Shape {
  units: u32,
  stride: u32,
  tableStride: u32,
  columns: u32,
  start: u32,
  to: u32,
}
struct Fold { logs: u32, table: u32, variable: u32, mode: u32 }
alias Value = f32;
@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> folds: array<Fold>;
@group(0) @binding(3) var<storage, read> values: array<u32>;
@group(0) @binding(4) var<storage, read_write> logs: array<Value>;
@group(0) @binding(5) var<storage, read> table: array<Value>;
const MISSING = 0xffffffffu;
const MISSING_REAL = 0x7f7fffffu;
const LOG2E = 1.4426950408889634;
@compute @workgroup_size(4, 32)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u(4, 32, 1u);
  let unit = id.x;
  let sample = id.y;
  if (unit >= shape.units || sample >= batch.rows) { return; }
  let fold = folds[id.z];
  let value = values[sample * shape.columns + fold.variable];
  var log = Value();
  if (value == MISSING_REAL) {
  } else {
    let low = bitcast<f32>(values[sample * shape.columns + shape.columns / 2u + fold.variable]);
    let mean = fold.table + unit;
    let x = (bitcast<f32>(value) - table[mean]) + (low - table[mean + shape.tableStride]);
    let z = clamp(x * table[mean + 2u * shape.tableStride], Value(-19290.685808893537), Value(19290.685808893537));
    log = z * z * (-0.5 * LOG2E) - table[mean + 3u * shape.tableStride];
  }
  logs[fold.logs + sample * shape.stride + unit] = log;
}

const ZERO = -1e30;
const NONE = -1e29;
const ZERO_SCALE = -536870912;
const BIAS = 64.0;
const SMALL = 9.094947e-13;
const SMALL_LOG = -104.0;
const REACH = 1u;
const REPAIR = 2u;
const RARE = 4u;
struct Batch { rows: u32, samples: u32, partial: u32, pad: u32 }
struct Portion { group: vec3u, start: u32, end: u32 }
@group(1) @binding(0) var<uniform> portion: Portion;
struct Shape {
  units: u32,
  stride: u32,
  tableStride: u32,
  columns: u32,
  start: u32,
  to: u32,
}
struct Fold { logs: u32, table: u32, variable: u32, mode: u32 }
alias Value = vec4f;
@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> folds: array<Fold>;
@group(0) @binding(3) var<storage, read> values: array<u32>;
@group(0) @binding(4) var<storage, read_write> logs: array<Value>;
@group(0) @binding(5) var<storage, read> table: array<Value>;
@group(0) @binding(6) var<storage, read> modes: array<Value>;
const MISSING = 0xffffffffu;
const MISSING_REAL = 0x7f7fffffu;
const LOG2E = 1.4426950408889634;
@compute @workgroup_size(1, 128)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u(1, 128, 1u);
  let unit = id.x;
  let sample = id.y;
  if (unit >= shape.units || sample >= batch.rows) { return; }
  let fold = folds[id.z];
  let value = values[sample * shape.columns + fold.variable];
  var log = Value();
  if (value == MISSING) {
    if (shape.start > 0u) { return; }
    log = modes[fold.mode + unit];
  } else {
    if (value < shape.start || value >= shape.to) { return; }
    let entry = table[fold.table + (value - shape.start) * shape.tableStride + unit];
    log = select(log2(entry), Value(ZERO), entry <= Value());
  }
  logs[fold.logs + sample * shape.stride + unit] = log;
}

const ZERO = -1e30;
const NONE = -1e29;
const ZERO_SCALE = -536870912;
const BIAS = 64.0;
const SMALL = 9.094947e-13;
const SMALL_LOG = -104.0;
const REACH = 1u;
const REPAIR = 2u;
const RARE = 4u;
struct Batch { rows: u32, samples: u32, partial: u32, pad: u32 }
struct Portion { group: vec3u, start: u32, end: u32 }
@group(1) @binding(0) var<uniform> portion: Portion;
struct Shape {
  units: u32,
  stride: u32,
  tableStride: u32,
  columns: u32,
  start: u32,
  to: u32,
}
struct Fold { logs: u32, table: u32, variable: u32, mode: u32 }
alias Value = vec4f;
@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> folds: array<Fold>;
@group(0) @binding(3) var<storage, read> values: array<u32>;
@group(0) @binding(4) var<storage, read_write> logs: array<Value>;
@group(0) @binding(5) var<storage, read> table: array<Value>;
const MISSING = 0xffffffffu;
const MISSING_REAL = 0x7f7fffffu;
const LOG2E = 1.4426950408889634;
@compute @workgroup_size(1, 128)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u(1, 128, 1u);
  let unit = id.x;
  let sample = id.y;
  if (unit >= shape.units || sample >= batch.rows) { return; }
  let fold = folds[id.z];
  let value = values[sample * shape.columns + fold.variable];
  var log = Value();
  if (value == MISSING) {
    if (shape.start > 0u) { return; }
  } else {
    if (value < shape.start || value >= shape.to) { return; }
    let entry = table[fold.table + (value - shape.start) * shape.tableStride + unit];
    log = select(log2(entry), Value(ZERO), entry <= Value());
  }
  logs[fold.logs + sample * shape.stride + unit] = log;
}

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
  start: u32,
  to: u32,
  chunks: u32,
}
struct Set { statistics: u32, first: u32, count: u32, list: u32, table: u32 }
struct Use { flows: u32, flowStride: u32, logs: u32, logStride: u32, variable: u32 }
alias Value = f32;
@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> sets: array<Set>;
@group(0) @binding(3) var<storage, read> uses: array<Use>;
@group(0) @binding(4) var<storage, read> flows: array<Value>;
@group(0) @binding(5) var<storage, read> logs: array<Value>;
@group(0) @binding(6) var<storage, read_write> statistics: array<Value>;
@group(0) @binding(7) var<storage, read> table: array<Value>;
@group(0) @binding(8) var<storage, read> words: array<u32>;
const NOT_SOFT = 0x7fffffff;
const LOW = -60.0;
fn share(weight: f32, entry: Value, user: Use, sample: u32, unit: u32) -> Value {
  let flow = flows[user.flows + sample * user.flowStride + unit];
  let log = logs[user.logs + sample * user.logStride + unit];
  let logEntry = select(log2(entry), Value(ZERO), entry <= Value());
  let part = select(weight * entry * exp2(-log), exp2(log2(weight) + logEntry - log), log < Value(LOW));
  return select(Value(), flow * part, (flow > Value()) & (log > Value(NONE)));
}
@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u(32, 1u, 1u);
  let unit = id.x;
  let leaf = sets[id.z];
  if (unit >= shape.units) { return; }
  if (id.y >= words[leaf.list + 1u]) { return; }
  let segment = words[leaf.list] + id.y * 3u;
  let state = words[segment];
  if (state < shape.start || state >= shape.to) { return; }
  let entry = table[leaf.table + (state - shape.start) * shape.tableStride + unit];
  let at = leaf.statistics + (state - shape.start) * shape.stride + unit;
  var total = statistics[at];
  for (var round = portion.start; round < portion.end; round++) {
    let first = words[segment + 1u] + 2u * round * 64u;
    let end = min(words[segment + 2u], first + 2u * 64u);
    if (first >= end) { break; }
    var sum = Value();
    for (var e = first; e < end; e += 2u) {
      let user = uses[leaf.first + words[e] / batch.rows];
      sum += share(bitcast<f32>(words[e + 1u]), entry, user, words[e] % batch.rows, unit);
    }
    total += sum;
  }
  statistics[at] = total;
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
  start: u32,
  to: u32,
  chunks: u32,
}
struct Set { statistics: u32, first: u32, count: u32, list: u32, table: u32 }
struct Use { flows: u32, flowStride: u32, logs: u32, logStride: u32, variable: u32 }
alias Value = f32;
@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> sets: array<Set>;
@group(0) @binding(3) var<storage, read> uses: array<Use>;
@group(0) @binding(4) var<storage, read> flows: array<Value>;
@group(0) @binding(5) var<storage, read> logs: array<Value>;
@group(0) @binding(6) var<storage, read_write> statistics: array<Value>;
@group(0) @binding(7) var<storage, read> table: array<Value>;
@group(0) @binding(8) var<storage, read> words: array<u32>;
const NOT_SOFT = 0x7fffffff;
const LOW = -60.0;
fn share(weight: f32, entry: Value, user: Use, sample: u32, unit: u32) -> Value {
  let flow = flows[user.flows + sample * user.flowStride + unit];
  let log = logs[user.logs + sample * user.logStride + unit];
  let logEntry = select(log2(entry), Value(ZERO), entry <= Value());
  let part = select(weight * entry * exp2(-log), exp2(log2(weight) + logEntry - log), log < Value(LOW));
  return select(Value(), flow * part, (flow > Value()) & (log > Value(NONE)));
}
@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u(32, 1u, 1u);
  let unit = id.x;
  let leaf = sets[id.z];
  if (unit >= shape.units) { return; }
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
    let first = (round % shape.chunks) * 64u;
    var sum = Value();
    for (var sample = first; sample < min(batch.samples, first + 64u); sample++) {
      if (bitcast<i32>(words[block + 2u + sample]) == NOT_SOFT) { continue; }
      let weight = bitcast<f32>(words[weights + sample * width + state]);
      if (weight > 0.0) { sum += share(weight, entry, user, sample, unit); }
    }
    total += sum;
  }
  statistics[at] = total;
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
  start: u32,
  to: u32,
  chunks: u32,
}
struct Set { statistics: u32, first: u32, count: u32, list: u32, table: u32 }
struct Use { flows: u32, flowStride: u32, logs: u32, logStride: u32, variable: u32 }
alias Value = f32;
@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> sets: array<Set>;
@group(0) @binding(3) var<storage, read> uses: array<Use>;
@group(0) @binding(4) var<storage, read> flows: array<Value>;
@group(0) @binding(5) var<storage, read> logs: array<Value>;
@group(0) @binding(6) var<storage, read_write> statistics: array<Value>;
@group(0) @binding(7) var<storage, read> table: array<Value>;
@group(0) @binding(8) var<storage, read> words: array<u32>;
const NOT_SOFT = 0x7fffffff;
const LOW = -60.0;
fn share(weight: f32, entry: Value, user: Use, sample: u32, unit: u32) -> Value {
  let flow = flows[user.flows + sample * user.flowStride + unit];
  let log = logs[user.logs + sample * user.logStride + unit];
  let part = exp2(log2(weight) + entry - log);
  return select(Value(), flow * part, (flow > Value()) & (log > Value(NONE)));
}
@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u(32, 1u, 1u);
  let unit = id.x;
  let leaf = sets[id.z];
  if (unit >= shape.units) { return; }
  if (id.y >= words[leaf.list + 1u]) { return; }
  let segment = words[leaf.list] + id.y * 3u;
  let state = words[segment];
  if (state < shape.start || state >= shape.to) { return; }
  let entry = table[leaf.table + (state - shape.start) * shape.tableStride + unit];
  let at = leaf.statistics + (state - shape.start) * shape.stride + unit;
  var total = statistics[at];
  for (var round = portion.start; round < portion.end; round++) {
    let first = words[segment + 1u] + 2u * round * 64u;
    let end = min(words[segment + 2u], first + 2u * 64u);
    if (first >= end) { break; }
    var sum = Value();
    for (var e = first; e < end; e += 2u) {
      let user = uses[leaf.first + words[e] / batch.rows];
      sum += share(bitcast<f32>(words[e + 1u]), entry, user, words[e] % batch.rows, unit);
    }
    total += sum;
  }
  statistics[at] = total;
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
  start: u32,
  to: u32,
  chunks: u32,
}
struct Set { statistics: u32, first: u32, count: u32, list: u32, table: u32 }
struct Use { flows: u32, flowStride: u32, logs: u32, logStride: u32, variable: u32 }
alias Value = f32;
@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> sets: array<Set>;
@group(0) @binding(3) var<storage, read> uses: array<Use>;
@group(0) @binding(4) var<storage, read> flows: array<Value>;
@group(0) @binding(5) var<storage, read> logs: array<Value>;
@group(0) @binding(6) var<storage, read_write> statistics: array<Value>;
@group(0) @binding(7) var<storage, read> table: array<Value>;
@group(0) @binding(8) var<storage, read> words: array<u32>;
const NOT_SOFT = 0x7fffffff;
const LOW = -60.0;
fn share(weight: f32, entry: Value, user: Use, sample: u32, unit: u32) -> Value {
  let flow = flows[user.flows + sample * user.flowStride + unit];
  let log = logs[user.logs + sample * user.logStride + unit];
  let part = exp2(log2(weight) + entry - log);
  return select(Value(), flow * part, (flow > Value()) & (log > Value(NONE)));
}
@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u(32, 1u, 1u);
  let unit = id.x;
  let leaf = sets[id.z];
  if (unit >= shape.units) { return; }
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
    let first = (round % shape.chunks) * 64u;
    var sum = Value();
    for (var sample = first; sample < min(batch.samples, first + 64u); sample++) {
      if (bitcast<i32>(words[block + 2u + sample]) == NOT_SOFT) { continue; }
      let weight = bitcast<f32>(words[weights + sample * width + state]);
      if (weight > 0.0) { sum += share(weight, entry, user, sample, unit); }
    }
    total += sum;
  }
  statistics[at] = total;
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
  start: u32,
  to: u32,
  chunks: u32,
}
struct Set { statistics: u32, first: u32, count: u32, list: u32, table: u32 }
struct Use { flows: u32, flowStride: u32, logs: u32, logStride: u32, variable: u32 }
alias Value = vec4f;
@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> sets: array<Set>;
@group(0) @binding(3) var<storage, read> uses: array<Use>;
@group(0) @binding(4) var<storage, read> flows: array<Value>;
@group(0) @binding(5) var<storage, read> logs: array<Value>;
@group(0) @binding(6) var<storage, read_write> statistics: array<Value>;
@group(0) @binding(7) var<storage, read> table: array<Value>;
@group(0) @binding(8) var<storage, read> words: array<u32>;
const NOT_SOFT = 0x7fffffff;
const LOW = -60.0;
fn share(weight: f32, entry: Value, user: Use, sample: u32, unit: u32) -> Value {
  let flow = flows[user.flows + sample * user.flowStride + unit];
  let log = logs[user.logs + sample * user.logStride + unit];
  let logEntry = select(log2(entry), Value(ZERO), entry <= Value());
  let part = select(weight * entry * exp2(-log), exp2(log2(weight) + logEntry - log), log < Value(LOW));
  return select(Value(), flow * part, (flow > Value()) & (log > Value(NONE)));
}
@compute @workgroup_size(1)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u(1, 1u, 1u);
  let unit = id.x;
  let leaf = sets[id.z];
  if (unit >= shape.units) { return; }
  if (id.y >= words[leaf.list + 1u]) { return; }
  let segment = words[leaf.list] + id.y * 3u;
  let state = words[segment];
  if (state < shape.start || state >= shape.to) { return; }
  let entry = table[leaf.table + (state - shape.start) * shape.tableStride + unit];
  let at = leaf.statistics + (state - shape.start) * shape.stride + unit;
  var total = statistics[at];
  for (var round = portion.start; round < portion.end; round++) {
    let first = words[segment + 1u] + 2u * round * 64u;
    let end = min(words[segment + 2u], first + 2u * 64u);
    if (first >= end) { break; }
    var sum = Value();
    for (var e = first; e < end; e += 2u) {
      let user = uses[leaf.first + words[e] / batch.rows];
      sum += share(bitcast<f32>(words[e + 1u]), entry, user, words[e] % batch.rows, unit);
    }
    total += sum;
  }
  statistics[at] = total;
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
  start: u32,
  to: u32,
  chunks: u32,
}
struct Set { statistics: u32, first: u32, count: u32, list: u32, table: u32 }
struct Use { flows: u32, flowStride: u32, logs: u32, logStride: u32, variable: u32 }
alias Value = vec4f;
@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> sets: array<Set>;
@group(0) @binding(3) var<storage, read> uses: array<Use>;
@group(0) @binding(4) var<storage, read> flows: array<Value>;
@group(0) @binding(5) var<storage, read> logs: array<Value>;
@group(0) @binding(6) var<storage, read_write> statistics: array<Value>;
@group(0) @binding(7) var<storage, read> table: array<Value>;
@group(0) @binding(8) var<storage, read> words: array<u32>;
const NOT_SOFT = 0x7fffffff;
const LOW = -60.0;
fn share(weight: f32, entry: Value, user: Use, sample: u32, unit: u32) -> Value {
  let flow = flows[user.flows + sample * user.flowStride + unit];
  let log = logs[user.logs + sample * user.logStride + unit];
  let logEntry = select(log2(entry), Value(ZERO), entry <= Value());
  let part = select(weight * entry * exp2(-log), exp2(log2(weight) + logEntry - log), log < Value(LOW));
  return select(Value(), flow * part, (flow > Value()) & (log > Value(NONE)));
}
@compute @workgroup_size(1)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u(1, 1u, 1u);
  let unit = id.x;
  let leaf = sets[id.z];
  if (unit >= shape.units) { return; }
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
    let first = (round % shape.chunks) * 64u;
    var sum = Value();
    for (var sample = first; sample < min(batch.samples, first + 64u); sample++) {
      if (bitcast<i32>(words[block + 2u + sample]) == NOT_SOFT) { continue; }
      let weight = bitcast<f32>(words[weights + sample * width + state]);
      if (weight > 0.0) { sum += share(weight, entry, user, sample, unit); }
    }
    total += sum;
  }
  statistics[at] = total;
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
  start: u32,
  to: u32,
}
struct Fold { logs: u32, table: u32, variable: u32, scale: u32 }
alias Value = f32;
@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> folds: array<Fold>;
@group(0) @binding(3) var<storage, read> soft: array<u32>;
@group(0) @binding(4) var<storage, read_write> logs: array<Value>;
@group(0) @binding(5) var<storage, read_write> scales: array<i32>;
@group(0) @binding(6) var<storage, read> states: array<u32>;
const NOT_SOFT = 0x7fffffff;
const LEAST = 8.2718061e-25;
fn logOf(x: Value) -> Value {
  return select(log2(x), Value(ZERO), x <= Value());
}
@compute @workgroup_size(4, 32)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u(4, 32, 1u);
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
  logs[at] = log;
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
  start: u32,
  to: u32,
}
struct Fold { logs: u32, table: u32, variable: u32, scale: u32 }
alias Value = f32;
@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> folds: array<Fold>;
@group(0) @binding(3) var<storage, read> soft: array<u32>;
@group(0) @binding(4) var<storage, read_write> logs: array<Value>;
@group(0) @binding(5) var<storage, read_write> scales: array<i32>;
@group(0) @binding(6) var<storage, read> table: array<Value>;
const NOT_SOFT = 0x7fffffff;
const LEAST = 8.2718061e-25;
fn logOf(x: Value) -> Value {
  return select(log2(x), Value(ZERO), x <= Value());
}
fn joined(a: Value, b: Value) -> Value {
  let larger = max(a, b);
  return larger;
}
fn mixed(fold: Fold, unit: u32, weights: u32, indices: u32, indexed: bool, first: u32, end: u32) -> Value {
  let at = fold.table + unit;
  var most = Value(ZERO);
  for (var i = first; i < end; i++) {
    var state = i;
    if (indexed) { state = soft[indices + i]; }
    let weight = bitcast<f32>(soft[weights + i]);
    if (weight == 0.0 || state < shape.start || state >= shape.to) { continue; }
    most = max(most, log2(weight) + logEntry(at + (state - shape.start) * shape.tableStride));
  }
  return most;
}
fn logEntry(at: u32) -> Value {
  return logOf(table[at]);
}
@compute @workgroup_size(4, 32)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u(4, 32, 1u);
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
  let at = fold.logs + sample * shape.stride + unit;
  var log = Value(ZERO);
  if (shape.start > 0u || portion.start > 0u) { log = logs[at]; }
  for (var round = portion.start; round < portion.end; round++) {
    var first = round * 64u;
    var end = min(width, first + 64u);
    if (!indexed) {
      first = max(first, shape.start);
      end = min(end, shape.to);
    }
    if (first < end) { log = joined(log, mixed(fold, unit, weights, indices, indexed, first, end)); }
  }
  logs[at] = log;
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
  start: u32,
  to: u32,
}
struct Fold { logs: u32, table: u32, variable: u32, scale: u32 }
alias Value = f32;
@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> folds: array<Fold>;
@group(0) @binding(3) var<storage, read> soft: array<u32>;
@group(0) @binding(4) var<storage, read_write> logs: array<Value>;
@group(0) @binding(5) var<storage, read_write> scales: array<i32>;
@group(0) @binding(6) var<storage, read> table: array<Value>;
const NOT_SOFT = 0x7fffffff;
const LEAST = 8.2718061e-25;
fn logOf(x: Value) -> Value {
  return select(log2(x), Value(ZERO), x <= Value());
}
fn joined(a: Value, b: Value) -> Value {
  let larger = max(a, b);
  return larger;
}
fn mixed(fold: Fold, unit: u32, weights: u32, indices: u32, indexed: bool, first: u32, end: u32) -> Value {
  let at = fold.table + unit;
  var most = Value(ZERO);
  for (var i = first; i < end; i++) {
    var state = i;
    if (indexed) { state = soft[indices + i]; }
    let weight = bitcast<f32>(soft[weights + i]);
    if (weight == 0.0 || state < shape.start || state >= shape.to) { continue; }
    most = max(most, log2(weight) + logEntry(at + (state - shape.start) * shape.tableStride));
  }
  return most;
}
fn logEntry(at: u32) -> Value {
  return table[at];
}
@compute @workgroup_size(4, 32)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u(4, 32, 1u);
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
  let at = fold.logs + sample * shape.stride + unit;
  var log = Value(ZERO);
  if (shape.start > 0u || portion.start > 0u) { log = logs[at]; }
  for (var round = portion.start; round < portion.end; round++) {
    var first = round * 64u;
    var end = min(width, first + 64u);
    if (!indexed) {
      first = max(first, shape.start);
      end = min(end, shape.to);
    }
    if (first < end) { log = joined(log, mixed(fold, unit, weights, indices, indexed, first, end)); }
  }
  logs[at] = log;
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
  start: u32,
  to: u32,
}
struct Fold { logs: u32, table: u32, variable: u32, scale: u32 }
alias Value = f32;
@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> folds: array<Fold>;
@group(0) @binding(3) var<storage, read> soft: array<u32>;
@group(0) @binding(4) var<storage, read_write> logs: array<Value>;
@group(0) @binding(5) var<storage, read_write> scales: array<i32>;
@group(0) @binding(6) var<storage, read> table: array<Value>;
const NOT_SOFT = 0x7fffffff;
const LEAST = 8.2718061e-25;
fn logOf(x: Value) -> Value {
  return select(log2(x), Value(ZERO), x <= Value());
}
fn joined(a: Value, b: Value) -> Value {
  let larger = max(a, b);
  return select(larger + log2(exp2(a - larger) + exp2(b - larger)), Value(ZERO), larger <= Value(NONE));
}
fn mixed(fold: Fold, unit: u32, weights: u32, indices: u32, indexed: bool, first: u32, end: u32) -> Value {
  let at = fold.table + unit;
  var most = Value(ZERO);
  for (var i = first; i < end; i++) {
    var state = i;
    if (indexed) { state = soft[indices + i]; }
    let weight = bitcast<f32>(soft[weights + i]);
    if (weight == 0.0 || state < shape.start || state >= shape.to) { continue; }
    most = max(most, log2(weight) + logEntry(at + (state - shape.start) * shape.tableStride));
  }
  var total = Value();
  for (var i = first; i < end; i++) {
    var state = i;
    if (indexed) { state = soft[indices + i]; }
    let weight = bitcast<f32>(soft[weights + i]);
    if (weight == 0.0 || state < shape.start || state >= shape.to) { continue; }
    total += exp2(log2(weight) + logEntry(at + (state - shape.start) * shape.tableStride) - most);
  }
  return select(most + log2(max(total, Value(1.0))), Value(ZERO), most <= Value(NONE));
}
fn logEntry(at: u32) -> Value {
  return table[at];
}
@compute @workgroup_size(4, 32)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u(4, 32, 1u);
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
  let at = fold.logs + sample * shape.stride + unit;
  var log = Value(ZERO);
  if (shape.start > 0u || portion.start > 0u) { log = logs[at]; }
  for (var round = portion.start; round < portion.end; round++) {
    var first = round * 64u;
    var end = min(width, first + 64u);
    if (!indexed) {
      first = max(first, shape.start);
      end = min(end, shape.to);
    }
    if (first < end) { log = joined(log, mixed(fold, unit, weights, indices, indexed, first, end)); }
  }
  logs[at] = log;
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
  start: u32,
  to: u32,
}
struct Fold { logs: u32, table: u32, variable: u32, scale: u32 }
alias Value = f32;
@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> folds: array<Fold>;
@group(0) @binding(3) var<storage, read> soft: array<u32>;
@group(0) @binding(4) var<storage, read_write> logs: array<Value>;
@group(0) @binding(5) var<storage, read_write> scales: array<i32>;
@group(0) @binding(6) var<storage, read> table: array<Value>;
const NOT_SOFT = 0x7fffffff;
const LEAST = 8.2718061e-25;
fn logOf(x: Value) -> Value {
  return select(log2(x), Value(ZERO), x <= Value());
}
fn joined(a: Value, b: Value) -> Value {
  let larger = max(a, b);
  return select(larger + log2(exp2(a - larger) + exp2(b - larger)), Value(ZERO), larger <= Value(NONE));
}
fn mixed(fold: Fold, unit: u32, weights: u32, indices: u32, indexed: bool, first: u32, end: u32) -> Value {
  let at = fold.table + unit;
  var sum = Value();
  for (var i = first; i < end; i++) {
    var state = i;
    if (indexed) { state = soft[indices + i]; }
    if (state < shape.start || state >= shape.to) { continue; }
    sum += bitcast<f32>(soft[weights + i]) * table[at + (state - shape.start) * shape.tableStride];
  }
  if (sum >= LEAST) { return log2(sum); }
  var most = Value(ZERO);
  for (var i = first; i < end; i++) {
    var state = i;
    if (indexed) { state = soft[indices + i]; }
    let weight = bitcast<f32>(soft[weights + i]);
    if (weight == 0.0 || state < shape.start || state >= shape.to) { continue; }
    most = max(most, log2(weight) + logEntry(at + (state - shape.start) * shape.tableStride));
  }
  var total = Value();
  for (var i = first; i < end; i++) {
    var state = i;
    if (indexed) { state = soft[indices + i]; }
    let weight = bitcast<f32>(soft[weights + i]);
    if (weight == 0.0 || state < shape.start || state >= shape.to) { continue; }
    total += exp2(log2(weight) + logEntry(at + (state - shape.start) * shape.tableStride) - most);
  }
  return select(most + log2(max(total, Value(1.0))), Value(ZERO), most <= Value(NONE));
}
fn logEntry(at: u32) -> Value {
  return logOf(table[at]);
}
@compute @workgroup_size(4, 32)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u(4, 32, 1u);
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
  let at = fold.logs + sample * shape.stride + unit;
  var log = Value(ZERO);
  if (shape.start > 0u || portion.start > 0u) { log = logs[at]; }
  for (var round = portion.start; round < portion.end; round++) {
    var first = round * 64u;
    var end = min(width, first + 64u);
    if (!indexed) {
      first = max(first, shape.start);
      end = min(end, shape.to);
    }
    if (first < end) { log = joined(log, mixed(fold, unit, weights, indices, indexed, first, end)); }
  }
  logs[at] = log;
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
  start: u32,
  to: u32,
}
struct Fold { logs: u32, table: u32, variable: u32, scale: u32 }
alias Value = vec4f;
@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> folds: array<Fold>;
@group(0) @binding(3) var<storage, read> soft: array<u32>;
@group(0) @binding(4) var<storage, read_write> logs: array<Value>;
@group(0) @binding(5) var<storage, read_write> scales: array<i32>;
@group(0) @binding(6) var<storage, read> table: array<Value>;
const NOT_SOFT = 0x7fffffff;
const LEAST = 8.2718061e-25;
fn logOf(x: Value) -> Value {
  return select(log2(x), Value(ZERO), x <= Value());
}
fn joined(a: Value, b: Value) -> Value {
  let larger = max(a, b);
  return larger;
}
fn mixed(fold: Fold, unit: u32, weights: u32, indices: u32, indexed: bool, first: u32, end: u32) -> Value {
  let at = fold.table + unit;
  var most = Value(ZERO);
  for (var i = first; i < end; i++) {
    var state = i;
    if (indexed) { state = soft[indices + i]; }
    let weight = bitcast<f32>(soft[weights + i]);
    if (weight == 0.0 || state < shape.start || state >= shape.to) { continue; }
    most = max(most, log2(weight) + logEntry(at + (state - shape.start) * shape.tableStride));
  }
  return most;
}
fn logEntry(at: u32) -> Value {
  return logOf(table[at]);
}
@compute @workgroup_size(1, 128)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u(1, 128, 1u);
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
  let at = fold.logs + sample * shape.stride + unit;
  var log = Value(ZERO);
  if (shape.start > 0u || portion.start > 0u) { log = logs[at]; }
  for (var round = portion.start; round < portion.end; round++) {
    var first = round * 64u;
    var end = min(width, first + 64u);
    if (!indexed) {
      first = max(first, shape.start);
      end = min(end, shape.to);
    }
    if (first < end) { log = joined(log, mixed(fold, unit, weights, indices, indexed, first, end)); }
  }
  logs[at] = log;
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
  start: u32,
  to: u32,
}
struct Fold { logs: u32, table: u32, variable: u32, scale: u32 }
alias Value = vec4f;
@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> folds: array<Fold>;
@group(0) @binding(3) var<storage, read> soft: array<u32>;
@group(0) @binding(4) var<storage, read_write> logs: array<Value>;
@group(0) @binding(5) var<storage, read_write> scales: array<i32>;
@group(0) @binding(6) var<storage, read> table: array<Value>;
const NOT_SOFT = 0x7fffffff;
const LEAST = 8.2718061e-25;
fn logOf(x: Value) -> Value {
  return select(log2(x), Value(ZERO), x <= Value());
}
fn joined(a: Value, b: Value) -> Value {
  let larger = max(a, b);
  return select(larger + log2(exp2(a - larger) + exp2(b - larger)), Value(ZERO), larger <= Value(NONE));
}
fn mixed(fold: Fold, unit: u32, weights: u32, indices: u32, indexed: bool, first: u32, end: u32) -> Value {
  let at = fold.table + unit;
  var sum = Value();
  for (var i = first; i < end; i++) {
    var state = i;
    if (indexed) { state = soft[indices + i]; }
    if (state < shape.start || state >= shape.to) { continue; }
    sum += bitcast<f32>(soft[weights + i]) * table[at + (state - shape.start) * shape.tableStride];
  }
  if (all(sum >= Value(LEAST))) { return log2(sum); }
  var most = Value(ZERO);
  for (var i = first; i < end; i++) {
    var state = i;
    if (indexed) { state = soft[indices + i]; }
    let weight = bitcast<f32>(soft[weights + i]);
    if (weight == 0.0 || state < shape.start || state >= shape.to) { continue; }
    most = max(most, log2(weight) + logEntry(at + (state - shape.start) * shape.tableStride));
  }
  var total = Value();
  for (var i = first; i < end; i++) {
    var state = i;
    if (indexed) { state = soft[indices + i]; }
    let weight = bitcast<f32>(soft[weights + i]);
    if (weight == 0.0 || state < shape.start || state >= shape.to) { continue; }
    total += exp2(log2(weight) + logEntry(at + (state - shape.start) * shape.tableStride) - most);
  }
  return select(most + log2(max(total, Value(1.0))), Value(ZERO), most <= Value(NONE));
}
fn logEntry(at: u32) -> Value {
  return logOf(table[at]);
}
@compute @workgroup_size(1, 128)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u(1, 128, 1u);
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
  let at = fold.logs + sample * shape.stride + unit;
  var log = Value(ZERO);
  if (shape.start > 0u || portion.start > 0u) { log = logs[at]; }
  for (var round = portion.start; round < portion.end; round++) {
    var first = round * 64u;
    var end = min(width, first + 64u);
    if (!indexed) {
      first = max(first, shape.start);
      end = min(end, shape.to);
    }
    if (first < end) { log = joined(log, mixed(fold, unit, weights, indices, indexed, first, end)); }
  }
  logs[at] = log;
}

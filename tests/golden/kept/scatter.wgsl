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
alias Value = f32;
@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> sets: array<Set>;
@group(0) @binding(3) var<storage, read> uses: array<Use>;
@group(0) @binding(4) var<storage, read> flows: array<Value>;
@group(0) @binding(5) var<storage, read_write> statistics: array<Value>;
struct Use { at: u32, stride: u32, variable: u32, pad: u32 }
struct Shape { units: u32, stride: u32, columns: u32, tableStride: u32 }
struct Set { statistics: u32, first: u32, count: u32, table: u32 }
@group(0) @binding(6) var<storage, read> values: array<u32>;
@group(0) @binding(7) var<storage, read> table: array<Value>;
const MISSING = 0xffffffffu;
const PART = 32u;
@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u(32, 1u, 1u);
  let unit = id.x;
  if (unit >= shape.units) { return; }
  let leaf = sets[id.z];
  var weight = Value();
  var total = Value();
  for (var u = leaf.first; u < leaf.first + leaf.count; u++) {
    let user = uses[u];
    for (var start = 0u; start < batch.rows; start += PART) {
      var partWeight = Value();
      var partTotal = Value();
      for (var sample = start; sample < min(start + PART, batch.rows); sample++) {
        let value = values[sample * shape.columns + user.variable];
        if (value == MISSING) { continue; }
        let flow = flows[user.at + sample * user.stride + unit];
        partWeight += flow;
        partTotal += flow * f32(value);
      }
      weight += partWeight;
      total += partTotal;
    }
  }
  let at = leaf.statistics + unit;
  statistics[at] += weight;
  statistics[at + shape.stride] += total;
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
alias Value = f32;
@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> sets: array<Set>;
@group(0) @binding(3) var<storage, read> uses: array<Use>;
@group(0) @binding(4) var<storage, read> flows: array<Value>;
@group(0) @binding(5) var<storage, read_write> statistics: array<Value>;
struct Use { at: u32, stride: u32, variable: u32, pad: u32 }
struct Shape { units: u32, stride: u32, columns: u32, tableStride: u32 }
struct Set { statistics: u32, first: u32, count: u32, table: u32 }
@group(0) @binding(6) var<storage, read> values: array<u32>;
@group(0) @binding(7) var<storage, read> table: array<Value>;
const MISSING_REAL = 0x7f7fffffu;
const PART = 32u;
const FARTHEST = 1e13;
@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u(32, 1u, 1u);
  let unit = id.x;
  if (unit >= shape.units) { return; }
  let leaf = sets[id.z];
  let mean = table[leaf.table + unit];
  let meanLow = table[leaf.table + shape.tableStride + unit];
  let inverse = table[leaf.table + 2u * shape.tableStride + unit];
  var weight = Value();
  var first = Value();
  var second = Value();
  for (var u = leaf.first; u < leaf.first + leaf.count; u++) {
    let user = uses[u];
    for (var start = 0u; start < batch.rows; start += PART) {
      var partWeight = Value();
      var partFirst = Value();
      var partSecond = Value();
      for (var sample = start; sample < min(start + PART, batch.rows); sample++) {
        let value = values[sample * shape.columns + user.variable];
        if (value == MISSING_REAL) { continue; }
        let low = bitcast<f32>(values[sample * shape.columns + shape.columns / 2u + user.variable]);
        let flow = flows[user.at + sample * user.stride + unit];
        let z = clamp(((bitcast<f32>(value) - mean) + (low - meanLow)) * inverse, Value(-FARTHEST), Value(FARTHEST));
        partWeight += flow;
        partFirst += flow * z;
        partSecond += flow * z * z;
      }
      weight += partWeight;
      first += partFirst;
      second += partSecond;
    }
  }
  let at = leaf.statistics + unit;
  statistics[at] += weight;
  statistics[at + shape.stride] += first;
  statistics[at + 2u * shape.stride] += second;
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
alias Value = f32;
@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> sets: array<Set>;
@group(0) @binding(3) var<storage, read> uses: array<Use>;
@group(0) @binding(4) var<storage, read> flows: array<Value>;
@group(0) @binding(5) var<storage, read_write> statistics: array<Value>;
struct Use { at: u32, stride: u32, variable: u32, pad: u32 }
struct Shape { units: u32, stride: u32, start: u32, to: u32 }
struct Set { statistics: u32, first: u32, list: u32, pad: u32 }
@group(0) @binding(6) var<storage, read> words: array<u32>;
@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u(32, 1u, 1u);
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
alias Value = vec4f;
@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> sets: array<Set>;
@group(0) @binding(3) var<storage, read> uses: array<Use>;
@group(0) @binding(4) var<storage, read> flows: array<Value>;
@group(0) @binding(5) var<storage, read_write> statistics: array<Value>;
struct Use { at: u32, stride: u32, variable: u32, pad: u32 }
struct Shape { units: u32, stride: u32, start: u32, to: u32 }
struct Set { statistics: u32, first: u32, list: u32, pad: u32 }
@group(0) @binding(6) var<storage, read> words: array<u32>;
@compute @workgroup_size(1)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u(1, 1u, 1u);
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
}

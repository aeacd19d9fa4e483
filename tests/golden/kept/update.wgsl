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
struct Rule {
  step: u32,
  amount: f32,
  weight: f32,
  pad: u32,
}
struct Shape {
  width: u32,
  stride: u32,
  states: u32,
  units: u32,
  part: u32,
  parts: u32,
}
struct Slot { at: u32, counts: u32, rows: u32, settings: u32, prior: u32, totals: u32, pad0: u32, pad1: u32 }
struct Settings { pseudocount: f32, mix: f32, learned: u32, pad: u32 }
struct Factors { keep: vec4f, counted: vec4f, spread: vec4f }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> slots: array<Slot>;
@group(0) @binding(2) var<storage, read_write> totals: array<vec4f>;
@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u(32, 1u, 1u);
  if (id.x >= shape.stride) { return; }
  let slot = slots[id.z];
  var total = vec4f();
  for (var p = 0u; p < shape.parts; p++) { total += totals[slot.totals + p * shape.stride + id.x]; }
  totals[slot.totals + id.x] = total;
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
struct Rule {
  step: u32,
  amount: f32,
  weight: f32,
  pad: u32,
}
struct Shape {
  width: u32,
  stride: u32,
  states: u32,
  units: u32,
  part: u32,
  parts: u32,
}
struct Slot { at: u32, counts: u32, rows: u32, settings: u32, prior: u32, totals: u32, pad0: u32, pad1: u32 }
struct Settings { pseudocount: f32, mix: f32, learned: u32, pad: u32 }
struct Factors { keep: vec4f, counted: vec4f, spread: vec4f }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> slots: array<Slot>;
@group(0) @binding(2) var<storage, read_write> totals: array<vec4f>;
@group(0) @binding(3) var<storage, read> counts: array<vec4f>;
@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u(32, 1u, 1u);
  if (id.x >= shape.stride) { return; }
  let slot = slots[id.z];
  let first = id.y * 256u;
  var total = vec4f();
  for (var s = first; s < min(first + 256u, shape.states); s++) {
    total += counts[slot.counts + s * shape.stride + id.x];
  }
  totals[slot.totals + (shape.part + id.y) * shape.stride + id.x] = total;
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
struct Rule {
  step: u32,
  amount: f32,
  weight: f32,
  pad: u32,
}
struct Shape {
  width: u32,
  stride: u32,
  states: u32,
  units: u32,
  part: u32,
  parts: u32,
}
struct Slot { at: u32, counts: u32, rows: u32, settings: u32, prior: u32, totals: u32, pad0: u32, pad1: u32 }
struct Settings { pseudocount: f32, mix: f32, learned: u32, pad: u32 }
struct Factors { keep: vec4f, counted: vec4f, spread: vec4f }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> slots: array<Slot>;
@group(0) @binding(2) var<uniform> rule: Rule;
@group(0) @binding(3) var<storage, read> counts: array<vec4f>;
@group(0) @binding(4) var<storage, read> settings: array<Settings>;
@group(0) @binding(5) var<storage, read_write> values: array<vec4f>;
@group(0) @binding(6) var<storage, read> priors: array<f32>;
fn factors(total: vec4f, prior: vec4f, leaf: Settings) -> Factors {
  let smoothed = total + leaf.pseudocount;
  var keep = vec4f();
  var take = vec4f();
  switch (rule.step) {
    case 0u: {
      let past = (1.0 - rule.amount) * rule.weight * prior;
      let all = past + rule.amount * smoothed;
      keep = select(past / all, vec4f(1.0), all <= vec4f());
      take = select(rule.amount / all, vec4f(), all <= vec4f());
    }
    case 1u: {
      keep = select(vec4f(), vec4f(1.0), smoothed <= vec4f());
      take = select(1.0 / smoothed, vec4f(), smoothed <= vec4f());
    }
    case 2u: {
      keep = select(vec4f(rule.amount), vec4f(1.0), smoothed <= vec4f());
      take = select((1.0 - rule.amount) / smoothed, vec4f(), smoothed <= vec4f());
    }
    default: {}
  }
  return Factors(keep, take * (1.0 - leaf.mix), take * (leaf.mix * total + leaf.pseudocount) / f32(shape.width));
}
fn stepped(at: u32, count: u32, f: Factors) -> vec4f {
  return f.keep * values[at] + f.counted * counts[count] + f.spread;
}
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) here: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let group = here + portion.group;
  let row = group.x;
  let lane = local.x;
  let slot = slots[group.z];
  let leaf = settings[slot.settings];
  if (leaf.learned == 0u) { return; }
  let at = slot.at + row * shape.stride;
  let count = slot.counts + row * shape.stride;
  var sum = vec4f();
  for (var i = lane; i < shape.stride; i += 64u) { sum += counts[count + i]; }
  let total = all_sum(sum.x + sum.y + sum.z + sum.w, lane);
  let f = factors(vec4f(total), vec4f(priors[slot.prior + row]), leaf);
  for (var i = lane; i < shape.stride; i += 64u) {
    let inside = vec4u(0u, 1u, 2u, 3u) + i * 4u < vec4u(shape.width);
    values[at + i] = select(vec4f(), stepped(at + i, count + i, f), inside);
  }
}
var<workgroup> shared_x: array<f32, 64>;
fn all_sum(x: f32, lane: u32) -> f32 {
  shared_x[lane] = x;
  for (var step = 32u; step > 0u; step /= 2u) {
    workgroupBarrier();
    if (lane < step) { shared_x[lane] += shared_x[lane + step]; }
  }
  workgroupBarrier();
  return shared_x[0];
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
struct Rule {
  step: u32,
  amount: f32,
  weight: f32,
  pad: u32,
}
struct Shape {
  width: u32,
  stride: u32,
  states: u32,
  units: u32,
  part: u32,
  parts: u32,
}
struct Slot { at: u32, counts: u32, rows: u32, settings: u32, prior: u32, totals: u32, pad0: u32, pad1: u32 }
struct Settings { pseudocount: f32, mix: f32, learned: u32, pad: u32 }
struct Factors { keep: vec4f, counted: vec4f, spread: vec4f }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> slots: array<Slot>;
@group(0) @binding(2) var<uniform> rule: Rule;
@group(0) @binding(3) var<storage, read> counts: array<vec4f>;
@group(0) @binding(4) var<storage, read> settings: array<Settings>;
@group(0) @binding(5) var<storage, read_write> values: array<vec4f>;
@group(0) @binding(6) var<storage, read> priors: array<vec4f>;
@group(0) @binding(7) var<storage, read> totals: array<vec4f>;
fn factors(total: vec4f, prior: vec4f, leaf: Settings) -> Factors {
  let smoothed = total + leaf.pseudocount;
  var keep = vec4f();
  var take = vec4f();
  switch (rule.step) {
    case 0u: {
      let past = (1.0 - rule.amount) * rule.weight * prior;
      let all = past + rule.amount * smoothed;
      keep = select(past / all, vec4f(1.0), all <= vec4f());
      take = select(rule.amount / all, vec4f(), all <= vec4f());
    }
    case 1u: {
      keep = select(vec4f(), vec4f(1.0), smoothed <= vec4f());
      take = select(1.0 / smoothed, vec4f(), smoothed <= vec4f());
    }
    case 2u: {
      keep = select(vec4f(rule.amount), vec4f(1.0), smoothed <= vec4f());
      take = select((1.0 - rule.amount) / smoothed, vec4f(), smoothed <= vec4f());
    }
    default: {}
  }
  return Factors(keep, take * (1.0 - leaf.mix), take * (leaf.mix * total + leaf.pseudocount) / f32(shape.width));
}
fn stepped(at: u32, count: u32, f: Factors) -> vec4f {
  return f.keep * values[at] + f.counted * counts[count] + f.spread;
}
@compute @workgroup_size(32, 4)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u(32, 4, 1u);
  if (id.x >= shape.stride || id.y >= shape.states) { return; }
  let slot = slots[id.z];
  let leaf = settings[slot.settings];
  if (leaf.learned == 0u) { return; }
  let f = factors(totals[slot.totals + id.x], priors[slot.prior + id.x], leaf);
  let at = id.y * shape.stride + id.x;
  let inside = vec4u(0u, 1u, 2u, 3u) + id.x * 4u < vec4u(shape.units);
  values[slot.at + at] = select(vec4f(), stepped(slot.at + at, slot.counts + at, f), inside);
}

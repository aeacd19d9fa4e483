// The M-step of circuits/update.ts: new = keep * old + counted * counts + spread, with factors that make every
// distribution sum to one. Distributions are rows of weights (KIND rows), or columns of tables of states: `totals` sums
// parts of the columns, `states` makes the step. Constants: KIND, LANES and X, Y (workgroup).
struct Rule {
  step: u32,     // index of its kind
  amount: f32,   // its number
  weight: f32,   // samples counted
  pad: u32,
}
struct Shape {
  width: u32,  // entries of a distribution
  stride: u32, // between rows, or between states, in vec4
  states: u32, // states of the part of the table that is bound
  units: u32,
  part: u32,   // totals: where the sums of these states begin
  parts: u32,  // sums of a slot
}
// Offsets of a parameter's values and counts, in vec4, its bound rows, and the remaining fields.
struct Slot { at: u32, counts: u32, rows: u32, settings: u32, prior: u32, totals: u32, pad0: u32, pad1: u32 }
struct Settings { pseudocount: f32, mix: f32, learned: u32, pad: u32 }
struct Factors { keep: vec4f, counted: vec4f, spread: vec4f }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> slots: array<Slot>;
//# if KIND == totals
@group(0) @binding(2) var<storage, read_write> totals: array<vec4f>;
@group(0) @binding(3) var<storage, read> counts: array<vec4f>;
//# else
//# if KIND == reduce
@group(0) @binding(2) var<storage, read_write> totals: array<vec4f>;
//# else
@group(0) @binding(2) var<uniform> rule: Rule;
@group(0) @binding(3) var<storage, read> counts: array<vec4f>;
@group(0) @binding(4) var<storage, read> settings: array<Settings>;
@group(0) @binding(5) var<storage, read_write> values: array<vec4f>;
//# if KIND == rows
@group(0) @binding(6) var<storage, read> priors: array<f32>;
//# else
@group(0) @binding(6) var<storage, read> priors: array<vec4f>;
@group(0) @binding(7) var<storage, read> totals: array<vec4f>;
//# end
//# end
//# end

//# if KIND == totals
@compute @workgroup_size($X)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u($X, 1u, 1u);
  if (id.x >= shape.stride) { return; }
  let slot = slots[id.z];
  // This part of the column: PART of the bound states.
  let first = id.y * ${PART}u;
  var total = vec4f();
  for (var s = first; s < min(first + ${PART}u, shape.states); s++) {
    total += counts[slot.counts + s * shape.stride + id.x];
  }
  totals[slot.totals + (shape.part + id.y) * shape.stride + id.x] = total;
}
//# else
//# if KIND == reduce
@compute @workgroup_size($X)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u($X, 1u, 1u);
  if (id.x >= shape.stride) { return; }
  let slot = slots[id.z];
  var total = vec4f();
  for (var p = 0u; p < shape.parts; p++) { total += totals[slot.totals + p * shape.stride + id.x]; }
  totals[slot.totals + id.x] = total;
}
//# else

// Factors of four distributions from the sums of their counts; `active` where there is something to learn from.
fn factors(total: vec4f, prior: vec4f, leaf: Settings) -> Factors {
  let smoothed = total + leaf.pseudocount;
  var keep = vec4f();
  var take = vec4f();
  //# paste STEPS
  return Factors(keep, take * (1.0 - leaf.mix), take * (leaf.mix * total + leaf.pseudocount) / f32(shape.width));
}

fn stepped(at: u32, count: u32, f: Factors) -> vec4f {
  return f.keep * values[at] + f.counted * counts[count] + f.spread;
}

//# if KIND == rows
@compute @workgroup_size($X)
fn main(@builtin(workgroup_id) here: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let group = here + portion.group;
  //# if LANES == 1
  let row = group.x * ${X}u + local.x;
  let lane = 0u;
  //# else
  let row = group.x;
  let lane = local.x;
  //# end
  let slot = slots[group.z];
  let leaf = settings[slot.settings];
  //# if LANES == 1
  if (row >= slot.rows) { return; }
  //# end
  if (leaf.learned == 0u) { return; }
  let at = slot.at + row * shape.stride;
  let count = slot.counts + row * shape.stride;
  var sum = vec4f();
  for (var i = lane; i < shape.stride; i += ${LANES}u) { sum += counts[count + i]; }
  let total = all_sum(sum.x + sum.y + sum.z + sum.w, lane);
  let f = factors(vec4f(total), vec4f(priors[slot.prior + row]), leaf);
  for (var i = lane; i < shape.stride; i += ${LANES}u) {
    // The padding of the row stays zero.
    let inside = vec4u(0u, 1u, 2u, 3u) + i * 4u < vec4u(shape.width);
    values[at + i] = select(vec4f(), stepped(at + i, count + i, f), inside);
  }
}

//# if LANES == 1
fn all_sum(x: f32, lane: u32) -> f32 { return x; }
//# else
var<workgroup> shared_x: array<f32, $LANES>;
fn all_sum(x: f32, lane: u32) -> f32 {
  shared_x[lane] = x;
  for (var step = ${LANES / 2}u; step > 0u; step /= 2u) {
    workgroupBarrier();
    if (lane < step) { shared_x[lane] += shared_x[lane + step]; }
  }
  workgroupBarrier();
  return shared_x[0];
}
//# end
//# else
@compute @workgroup_size($X, $Y)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u($X, $Y, 1u);
  if (id.x >= shape.stride || id.y >= shape.states) { return; }
  let slot = slots[id.z];
  let leaf = settings[slot.settings];
  if (leaf.learned == 0u) { return; }
  let f = factors(totals[slot.totals + id.x], priors[slot.prior + id.x], leaf);
  let at = id.y * shape.stride + id.x;
  let inside = vec4u(0u, 1u, 2u, 3u) + id.x * 4u < vec4u(shape.units);
  values[slot.at + at] = select(vec4f(), stepped(slot.at + at, slot.counts + at, f), inside);
}
//# end
//# end
//# end

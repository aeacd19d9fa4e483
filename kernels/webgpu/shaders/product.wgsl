// Products: sums of the pieces' logarithms. With NORMALISE, for many pieces, a sum is kept as an integer and a small
// remainder, so that hundreds of terms lose no digits, and the row's largest is brought near 0.
// Constants: VEC, NORMALISE, LANES and X (workgroup) as in inputs.wgsl; Y without NORMALISE.
struct Shape { arity: u32, units: u32, stride: u32 }
struct Fold { logs: u32, scale: u32 }
struct Piece { logs: u32, stride: u32, scale: u32, pad: u32 }

@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> folds: array<Fold>;
@group(0) @binding(3) var<storage, read> pieces: array<Piece>;
//# if VEC
alias Value = vec4f;
alias Whole = vec4i;
//# else
alias Value = f32;
alias Whole = i32;
//# end
@group(0) @binding(4) var<storage, read_write> logs: array<Value>;
@group(0) @binding(5) var<storage, read_write> scales: array<i32>;

//# if VEC
fn greatest(x: vec4f) -> f32 { return max(max(x.x, x.y), max(x.z, x.w)); }
//# else
fn greatest(x: f32) -> f32 { return x; }
//# end

fn scale_of(first: u32, sample: u32) -> i32 {
  var scale = 0;
  for (var p = 0u; p < shape.arity; p++) { scale = max(ZERO_SCALE, scale + scales[pieces[first + p].scale + sample]); }
  return scale;
}

//# if NORMALISE
//# if LANES == 1
fn all_max(x: f32, lane: u32) -> f32 { return x; }
//# else
var<workgroup> shared_x: array<f32, $LANES>;
fn all_max(x: f32, lane: u32) -> f32 {
  shared_x[lane] = x;
  for (var step = ${LANES / 2}u; step > 0u; step /= 2u) {
    workgroupBarrier();
    if (lane < step) { shared_x[lane] = max(shared_x[lane], shared_x[lane + step]); }
  }
  workgroupBarrier();
  return shared_x[0];
}
//# end

struct Split { whole: Whole, rest: Value, zero: Value }

fn sum_of(first: u32, sample: u32, unit: u32) -> Split {
  var whole = Whole();
  var rest = Value();
  var zero = Value();
  for (var p = 0u; p < shape.arity; p++) {
    let piece = pieces[first + p];
    let x = logs[piece.logs + sample * piece.stride + unit];
    let none = x < Value(NONE);
    zero = select(zero, Value(1.0), none);
    rest += select(x, Value(), none);
    let step = round(rest);
    rest -= step;
    whole += Whole(step);
  }
  return Split(whole, rest, zero);
}

@compute @workgroup_size($X)
fn main(@builtin(workgroup_id) here: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let group = here + portion.group;
  //# if LANES == 1
  let sample = group.x * ${X}u + local.x;
  let lane = 0u;
  if (sample >= batch.rows) { return; }
  //# else
  let sample = group.x;
  let lane = local.x;
  //# end
  let fold = folds[group.z];
  let first = group.z * shape.arity;
  // Integer parts stay below 2^24, where f32 holds integers exactly.
  var most = ZERO;
  for (var u = lane; u < shape.units; u += ${LANES}u) {
    let s = sum_of(first, sample, u);
    most = max(most, greatest(select(Value(s.whole), Value(ZERO), s.zero > Value())));
  }
  most = all_max(most, lane);
  let top = select(i32(most), 0, most < NONE);
  for (var u = lane; u < shape.units; u += ${LANES}u) {
    let s = sum_of(first, sample, u);
    logs[fold.logs + sample * shape.stride + u] =
      select(Value(s.whole - Whole(top)) + s.rest, Value(ZERO), s.zero > Value());
  }
  if (lane == 0u) {
    scales[fold.scale + sample] = select(scale_of(first, sample) + top, ZERO_SCALE, most < NONE);
  }
}
//# else
@compute @workgroup_size($X, $Y)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u($X, $Y, 1u);
  let unit = id.x;
  let sample = id.y;
  if (unit >= shape.units || sample >= batch.rows) { return; }
  let fold = folds[id.z];
  let first = id.z * shape.arity;
  var sum = Value();
  for (var p = 0u; p < shape.arity; p++) {
    let piece = pieces[first + p];
    sum += logs[piece.logs + sample * piece.stride + unit];
  }
  logs[fold.logs + sample * shape.stride + unit] = select(sum, Value(ZERO), sum < Value(NONE));
  if (unit == 0u) { scales[fold.scale + sample] = scale_of(first, sample); }
}
//# end

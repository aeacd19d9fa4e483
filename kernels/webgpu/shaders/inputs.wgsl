// Inputs of sums in the linear domain, e = exp2(x - max + BIAS), zero-padded to fours, and the scale of the row.
// Constants: VEC (pieces are whole vec4), LANES (invocations per row: 1, or a workgroup), X (workgroup).
struct Shape { arity: u32, inputs: u32, padded: u32 }
struct Fold { e: u32, row: u32, scale: u32, pad: u32 }
struct Piece { logs: u32, stride: u32, scale: u32, pad: u32 }
struct Span { at: u32, width: u32 }

@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> folds: array<Fold>;
@group(0) @binding(3) var<storage, read> pieces: array<Piece>;
@group(0) @binding(4) var<storage, read> spans: array<Span>;
//# if VEC
@group(0) @binding(5) var<storage, read> logs: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> e: array<vec4f>;
//# else
@group(0) @binding(5) var<storage, read> logs: array<f32>;
@group(0) @binding(6) var<storage, read_write> e: array<f32>;
//# end
@group(0) @binding(7) var<storage, read_write> scales: array<i32>;
@group(0) @binding(8) var<storage, read_write> marks: array<u32>;

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
  let most = shared_x[0];
  workgroupBarrier();
  return most;
}
//# end

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

  var scale = ZERO_SCALE;
  for (var p = 0u; p < shape.arity; p++) { scale = max(scale, scales[pieces[first + p].scale + sample]); }

  var most = ZERO;
  var least = 0.0;
  for (var p = 0u; p < shape.arity; p++) {
    let piece = pieces[first + p];
    let start = piece.logs + sample * piece.stride;
    let shift = f32(scales[piece.scale + sample] - scale);
    for (var i = lane; i < spans[p].width; i += ${LANES}u) {
      //# if VEC
      let x = logs[start + i];
      let y = select(x + shift, vec4f(ZERO), x < vec4f(NONE));
      most = max(most, max(max(y.x, y.y), max(y.z, y.w)));
      let low = select(y, vec4f(0.0), x < vec4f(NONE));
      least = min(least, min(min(low.x, low.y), min(low.z, low.w)));
      //# else
      let x = logs[start + i];
      if (x > NONE) {
        most = max(most, x + shift);
        least = min(least, x + shift);
      }
      //# end
    }
  }
  most = all_max(most, lane);
  least = -all_max(-least, lane);
  let top = select(ceil(most), 0.0, most < NONE);

  for (var p = 0u; p < shape.arity; p++) {
    let piece = pieces[first + p];
    let start = piece.logs + sample * piece.stride;
    let to = fold.e + sample * shape.padded + spans[p].at;
    let shift = f32(scales[piece.scale + sample] - scale) - top + BIAS;
    for (var i = lane; i < spans[p].width; i += ${LANES}u) {
      let x = logs[start + i] + shift;
      //# if VEC
      e[to + i] = select(exp2(x), vec4f(), x < vec4f(-126.0));
      //# else
      e[to + i] = select(exp2(x), 0.0, x < -126.0);
      //# end
    }
  }
  //# if !VEC
  for (var i = shape.inputs + lane; i < shape.padded; i += ${LANES}u) { e[fold.e + sample * shape.padded + i] = 0.0; }
  //# end
  if (lane == 0u) {
    scales[fold.scale + sample] = select(scale + i32(top), ZERO_SCALE, most < NONE);
    marks[fold.row + sample] = select(0u, REACH, least - top + BIAS < 0.0);
  }
}

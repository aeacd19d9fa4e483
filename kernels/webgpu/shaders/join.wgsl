// Adds up the parts of products whose sums were cut, in order, and ends them as matmul.wgsl does:
//   forward   logs[b,o] = log2(sum) - BIAS
//   backward  into[b,i] = e[b,i] sum
// Constants: FORM; PARTS; X, Y (workgroup).
struct Shape {
  columns: u32,   // outputs of a row, in numbers
  columns4: u32,  // the same in vec4: between rows of a part
  part: u32,      // between parts, in vec4
  outStride: u32, // between rows of the result: numbers in forward, else vec4
}
struct Fold { out: u32, other: u32, parts: u32, pad: u32 }

@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> folds: array<Fold>;
@group(0) @binding(3) var<storage, read> parts: array<vec4f>;
//# if FORM == forward
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
@group(0) @binding(5) var<storage, read_write> marks: array<u32>;
//# else
@group(0) @binding(4) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(5) var<storage, read> other: array<vec4f>;
//# end

@compute @workgroup_size($X, $Y)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u($X, $Y, 1u);
  let unit = id.x;
  let sample = id.y;
  if (unit >= shape.columns4 || sample >= batch.rows) { return; }
  let fold = folds[id.z];
  let first = fold.parts + sample * shape.columns4 + unit;
  var sums = parts[first];
  for (var p = 1u; p < ${PARTS}u; p++) { sums += parts[first + p * shape.part]; }
  //# if FORM == forward
  let index = fold.other + sample;
  let reach = marks[index] & REACH;
  //# for c in 4
  if (unit * 4u + ${c}u < shape.columns) {
    let sum = sums[$c];
    var log = ZERO;
    // Written so that NaN stays NaN.
    if (!(sum <= 0.0)) { log = log2(sum) - BIAS; }
    // As in matmul.wgsl: what may have underflowed is done again by repair.wgsl.
    if (sum < SMALL && (sum > 0.0 || reach != 0u)) { marks[index] = reach | REPAIR; }
    out[fold.out + sample * shape.outStride + unit * 4u + ${c}u] = log;
  }
  //# end
  //# else
  let at = sample * shape.outStride + unit;
  out[fold.out + at] = sums * other[fold.other + at];
  //# end
}

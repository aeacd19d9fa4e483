// Sums of the vectors of each cluster. A thread holds four components of one sum, and adds the vectors of its cluster in
// order, without atomics: results are bitwise reproducible, however the vectors are batched. A sum is two floats, the second
// holding the rounding error of the first (compensated summation), so it is about as accurate as a float of twice the width.
//
// Constants: X (workgroup).
// clusters, first: centroids in this binding, and the index of the first; depth: length of a vector, in vec4; nothing: zero,
// unknown to the compiler, because WGSL may reorder sums and must not reorder these.
struct Shape { clusters: u32, first: u32, depth: u32, nothing: u32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> values: array<vec4f>;
// The offset of each cluster's rows, and the end of the last; then row indices by cluster.
@group(0) @binding(2) var<storage, read> order: array<u32>;
@group(0) @binding(3) var<storage, read> factors: array<f32>;
@group(0) @binding(4) var<storage, read_write> sums: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> lost: array<vec4f>;

fn exactly(x: vec4f) -> vec4f { return bitcast<vec4f>(bitcast<vec4u>(x) ^ vec4u(shape.nothing)); }

@compute @workgroup_size($X)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let at = here.x + portion.group.x * ${X}u;
  if (at >= shape.clusters * shape.depth) { return; }
  let cluster = shape.first + at / shape.depth;
  var sum = sums[at];
  var rest = lost[at];
  // The part of the loop in this dispatch: the vectors at these positions of `order`.
  for (var e = max(order[cluster], portion.start); e < min(order[cluster + 1u], portion.end); e++) {
    let row = order[e];
    let x = exactly(values[row * shape.depth + at % shape.depth] * factors[row]);
    // Knuth's error-free sum of two numbers (TwoSum).
    let next = exactly(sum + x);
    let part = exactly(next - sum);
    rest += exactly(sum - exactly(next - part)) + exactly(x - part);
    sum = next;
  }
  sums[at] = sum;
  lost[at] = rest;
}

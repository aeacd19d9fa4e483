// Sums of the vectors of each cluster. A thread has four numbers of one sum, and adds the vectors of its cluster in their order:
// no atomics, and the same bits in every run, however the vectors come in batches. A sum is two floats, the second what the first
// has lost, so it keeps about as much as one of double width.
//
// Constants: X (workgroup).
// Centroids in this binding and the number of the first; depth: of a vector, in vec4; nothing: zero, which the compiler does not
// know: WGSL may reorder sums, and must not reorder these.
struct Shape { clusters: u32, first: u32, depth: u32, nothing: u32 }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> values: array<vec4f>;
// Where the rows of each cluster begin, and behind those of the last cluster the end; then rows by cluster.
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
  // A part of the loop: the vectors that stand in these places of the order.
  for (var e = max(order[cluster], portion.start); e < min(order[cluster + 1u], portion.end); e++) {
    let row = order[e];
    let x = exactly(values[row * shape.depth + at % shape.depth] * factors[row]);
    // Knuth's exact sum of two numbers.
    let next = exactly(sum + x);
    let part = exactly(next - sum);
    rest += exactly(sum - exactly(next - part)) + exactly(x - part);
    sum = next;
  }
  sums[at] = sum;
  lost[at] = rest;
}

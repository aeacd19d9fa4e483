// Flow of the root: the weight of every possible sample, 0 for impossible ones. Constants: X (workgroup).
struct Shape { logs: u32, stride: u32, flows: u32, flowStride: u32 }

@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read> logs: array<f32>;
@group(0) @binding(4) var<storage, read_write> flows: array<f32>;

@compute @workgroup_size($X)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u($X, 1u, 1u);
  let sample = id.x;
  if (sample >= batch.rows) { return; }
  let possible = sample < batch.samples && logs[shape.logs + sample * shape.stride] > NONE;
  for (var u = 0u; u < shape.flowStride; u++) { flows[shape.flows + sample * shape.flowStride + u] = 0.0; }
  if (possible) { flows[shape.flows + sample * shape.flowStride] = weights[sample]; }
}

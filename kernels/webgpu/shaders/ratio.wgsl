// Flow of a sum's outputs divided by their values, r = flow * exp2(-BIAS - log): the input of matmul.wgsl's downward
// products. Outputs left to repair.wgsl get 0 and a mark. In partial batches no flow passes through sums in whose scope a
// sample has nothing observed: `seen` has a bit for every scope and sample.
// Constants: X, Y (workgroup).
struct Shape { units4: u32, stride: u32 }
struct Fold { flow: u32, flowStride: u32, logs: u32, r: u32, row: u32, flag: u32, seen: u32, pad: u32 }

@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> folds: array<Fold>;
@group(0) @binding(3) var<storage, read> flows: array<vec4f>;
@group(0) @binding(4) var<storage, read> logs: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> ratios: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> marks: array<u32>;
@group(0) @binding(7) var<storage, read_write> flags: array<u32>;
@group(0) @binding(8) var<storage, read> seen: array<u32>;

@compute @workgroup_size($X, $Y)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u($X, $Y, 1u);
  let unit = id.x;
  let sample = id.y;
  if (unit >= shape.units4 || sample >= batch.rows) { return; }
  let fold = folds[id.z];
  if (batch.partial != 0u && ((seen[fold.seen + sample / 32u] >> (sample % 32u)) & 1u) == 0u) {
    ratios[fold.r + sample * shape.stride + unit] = vec4f();
    return;
  }
  let flow = flows[fold.flow + sample * fold.flowStride + unit];
  let log = logs[fold.logs + sample * shape.stride + unit];
  let low = log < vec4f(SMALL_LOG);
  ratios[fold.r + sample * shape.stride + unit] = select(flow * exp2(-BIAS - log), vec4f(), low | (flow <= vec4f()));
  if (any(low & (log > vec4f(NONE)) & (flow > vec4f()))) {
    marks[fold.row + sample] |= RARE;
    flags[fold.flag] = 1u;
  }
}

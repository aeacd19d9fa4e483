// Flow of a row that several parents read, or one with misaligned pieces: summed from where the parents wrote it.
// Constants: X, Y (workgroup); APART: the sums, with a factor for each source, go to a separate array (top-down masses of
// parameters).
struct Shape { padded: u32 }
struct Fold { to: u32, first: u32, count: u32, factor: u32 }
// The source covers units `from .. to - 1` of the row.
struct Source { at: u32, stride: u32, start: u32, to: u32 }

@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> folds: array<Fold>;
@group(0) @binding(3) var<storage, read> sources: array<Source>;
//# if APART
@group(0) @binding(4) var<storage, read> flows: array<f32>;
@group(0) @binding(5) var<storage, read_write> sums: array<f32>;
@group(0) @binding(6) var<storage, read> factors: array<f32>;
//# else
@group(0) @binding(4) var<storage, read_write> flows: array<f32>;
//# end

@compute @workgroup_size($X, $Y)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u($X, $Y, 1u);
  let unit = id.x;
  let sample = id.y;
  if (unit >= shape.padded || sample >= batch.rows) { return; }
  let fold = folds[id.z];
  var flow = 0.0;
  for (var s = fold.first; s < fold.first + fold.count; s++) {
    let source = sources[s];
    if (unit >= source.start && unit < source.to) {
      let part = flows[source.at + sample * source.stride + unit - source.start];
      //# if APART
      flow += part * factors[fold.factor + s - fold.first];
      //# else
      flow += part;
      //# end
    }
  }
  //# if APART
  sums[fold.to + sample * shape.padded + unit] = flow;
  //# else
  flows[fold.to + sample * shape.padded + unit] = flow;
  //# end
}

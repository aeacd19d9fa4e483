// Fills an array with log zero: the padding of `logs` keeps this value. Constants: X (workgroup), EACH (numbers per thread).
@group(0) @binding(0) var<storage, read_write> logs: array<f32>;

@compute @workgroup_size($X)
fn main(@builtin(workgroup_id) here: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let from_here = (here.x + portion.group.x) * ${X * EACH}u + local.x;
  for (var n = 0u; n < ${EACH}u; n++) {
    let i = from_here + n * ${X}u;
    if (i < arrayLength(&logs)) { logs[i] = ZERO; }
  }
}

// Fills an array with log zero: what pads the rows of `logs` stays as it is from here on.
@group(0) @binding(0) var<storage, read_write> logs: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < arrayLength(&logs); i += groups.x * 64u) { logs[i] = ZERO; }
}

// Expected statistics of leaves, counted by a family's `DeviceLeaf`. Each sum belongs to one thread, without atomics, so
// results are bitwise reproducible. Constants: KIND (the snippet), VEC, X (workgroup).
//# if VEC
alias Value = vec4f;
//# else
alias Value = f32;
//# end
@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> sets: array<Set>;
@group(0) @binding(3) var<storage, read> uses: array<Use>;
@group(0) @binding(4) var<storage, read> flows: array<Value>;
@group(0) @binding(5) var<storage, read_write> statistics: array<Value>;
struct Use { at: u32, stride: u32, variable: u32, pad: u32 }

//# paste STATISTICS

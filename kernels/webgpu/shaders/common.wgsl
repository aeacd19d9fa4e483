// Prepended to all kernels. Activations are base-2 logarithms relative to an integer scale per row (one fold of one
// sample): value = 2^(log + scale). WGSL does not guarantee infinities, so log zero is a finite number.
const ZERO = -1e30;
const NONE = -1e29;         // whatever is below is zero
const ZERO_SCALE = -536870912;
const BIAS = 64.0;          // inputs of a sum are scaled so that the largest is near 2^BIAS
const SMALL = 9.094947e-13; // 2^-40: sums below it are done again by repair.wgsl
const SMALL_LOG = -104.0;   // log2(SMALL) - BIAS

// Bits of a row's mark.
const REACH = 1u;   // its inputs reach so far down that products with weights may vanish
const REPAIR = 2u;  // some outputs were below SMALL
const RARE = 4u;    // some of those have flow

// rows: samples of this batch, rounded up to a multiple of eight; the padding rows have only missing values.
// partial: whether samples are not counted for sums about which they have no evidence; see ratio.wgsl.
struct Batch { rows: u32, samples: u32, partial: u32, pad: u32 }

// The part of a kernel that a dispatch executes: its first workgroup, and iterations start .. end - 1 of the loop, if the
// kernel has one that can be split. Built-in indices are relative to that workgroup.
struct Portion { group: vec3u, start: u32, end: u32 }
@group(1) @binding(0) var<uniform> portion: Portion;

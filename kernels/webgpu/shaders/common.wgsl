// What all kernels share. Activations are base-2 logarithms relative to an integer scale for every row (one fold
// of one sample): value = 2^(log + scale). WGSL promises no infinities, so log zero is a number.
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

// rows: samples of this batch, rounded up to eight; what is past the samples are rows of missing values.
// partial: whether nothing is counted of sums about which a sample says nothing; see ratio.wgsl.
struct Batch { rows: u32, samples: u32, partial: u32, pad: u32 }

// The part of a kernel that a dispatch does: its first workgroup, and the rounds start .. end - 1 of the loop, where the kernel
// has one that may be cut. Built-in numbers count from that workgroup on.
struct Portion { group: vec3u, start: u32, end: u32 }
@group(1) @binding(0) var<uniform> portion: Portion;

// Batched matrix products in the log domain, one per fold:
//   forward   logs[b,o] = log2(sum_i e[b,i] W[o,i]) - BIAS          left e, right W
//   backward  into[b,i] = e[b,i] sum_o r[b,o] W[o,i]                left r, right W
//   flows     F[o,i]   += W[o,i] sum_uses sum_b r[b,o] e[b,i]       left r, right e
// where e = exp2(x - max + BIAS), computed once by inputs.wgsl, and r = flow / sum. Left and right are zero-padded to
// multiples of four, so the inner loops need no bounds checks; past the end, the last row or column is read again but
// never stored.
//
// Constants: FORM; TILE (how operands are loaded), ROWS and COLS (results per thread), X and Y (workgroup), LANES for
// `subgroup`, DEPTH for `shared`, LONGEST for flows (see tiles.ts); ROW_STEP and COL_STEP between a thread's groups of four
// rows and columns; RESULT: `logs` in forward, else `factors`, sums times those, or `added`, the same added to the output, or
// `parts` of sums for join.wgsl.
struct Shape {
  rows: u32,        // flows: outputs o; otherwise the batch has them
  columns: u32,     // outputs of a row, in numbers
  depth: u32,       // forward and backward: length of the sums, in vec4
  leftStride: u32,  // between rows (flows: between samples), in vec4
  rightStride: u32, // between rows of the right matrix, in vec4
  outStride: u32,   // between rows of the result: numbers in forward, else vec4
  terms: u32,       // flows: most terms of a fold
}

// A fold is a sum of terms: one in forward and backward, the uses of tied weights in flows.
struct Fold { out: u32, other: u32, first: u32, terms: u32 }
struct Term { left: u32, right: u32 }

@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> folds: array<Fold>;
@group(0) @binding(3) var<storage, read> terms: array<Term>;
@group(0) @binding(4) var<storage, read> left: array<vec4f>;
@group(0) @binding(5) var<storage, read> right: array<vec4f>;
//# if RESULT == logs
@group(0) @binding(6) var<storage, read_write> out: array<f32>;
@group(0) @binding(7) var<storage, read_write> marks: array<u32>;
//# else
@group(0) @binding(6) var<storage, read_write> out: array<vec4f>;
//# if RESULT == parts
//# else
@group(0) @binding(7) var<storage, read> other: array<vec4f>;
//# end
//# end

//# if TILE == shared
// Four rows of an operand at four steps of the sums, a column a step: one index for sixteen numbers. The padding makes neighbours
// lie 20 words apart, so that eight threads that read a column of eight neighbours use every bank once.
struct Four { steps: mat4x4f, padding: vec4f }
// Two tiles each: one is read while the next one is written.
var<workgroup> leftTile: array<Four, ${2 * DEPTH4 * Y * ROWS4}>;
var<workgroup> rightTile: array<Four, ${2 * DEPTH4 * X * COLS4}>;
//# end

@compute @workgroup_size($X, $Y)
fn main(@builtin(workgroup_id) here: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let group = here + portion.group;
  let fold = folds[group.z];
  //# if FORM == flows
  let rows = shape.rows;
  let depth = batch.rows / 4u;
  //# else
  let rows = batch.rows;
  let depth = shape.depth;
  //# end
  //# if TILE == shared
  let row0 = group.y * ${Y * ROWS}u + local.y * 4u;
  let col0 = group.x * ${X * COLS}u + local.x * 4u;
  //# else
  let row0 = (group.y * ${Y}u + local.y) * ${ROWS}u;
  let col0 = (group.x * ${X}u + local.x) * ${COLS}u;
  //# end
  //# for i in ROWS
  //# for q in COLS4
  var c$i_$q = vec4f();
  //# end
  //# end

  //# if TILE == shared
  let thread = local.y * ${X}u + local.x;
  // What this thread loads of a tile, the same in all tiles. Past the last row or column that one is loaded again. Loads by row take
  // four rows each, the right operand's by the last threads, so that other subgroups do them.
  //# if LEFT == rows
  let leftWho = thread;
  let leftSpot = leftWho % ${Y * ROWS4}u;
  let leftStep = leftWho / ${Y * ROWS4}u;
  //# for i in 4
  let leftAt$i = min(group.y * ${Y * ROWS}u + leftSpot * 4u + ${i}u, rows - 1u) * shape.leftStride + leftStep;
  //# end
  //# else
  //# for n in LEFT_LOADS
  let leftWho$n = thread + ${n * X * Y}u;
  let leftAt$n = (leftWho$n / ${Y * ROWS4}u) * shape.leftStride +
    min(group.y * ${Y * ROWS4}u + leftWho$n % ${Y * ROWS4}u, (rows + 3u) / 4u - 1u);
  //# end
  //# end
  //# if RIGHT == rows
  let rightWho = ${X * Y - 1}u - thread;
  let rightSpot = rightWho % ${X * COLS4}u;
  let rightStep = rightWho / ${X * COLS4}u;
  //# for i in 4
  let rightAt$i = min(group.x * ${X * COLS}u + rightSpot * 4u + ${i}u, shape.columns - 1u) * shape.rightStride + rightStep;
  //# end
  //# else
  //# for n in RIGHT_LOADS
  let rightWho$n = thread + ${n * X * Y}u;
  let rightAt$n = (rightWho$n / ${X * COLS4}u) * shape.rightStride +
    min(group.x * ${X * COLS4}u + rightWho$n % ${X * COLS4}u, (shape.columns + 3u) / 4u - 1u);
  //# end
  //# end
  //# else
  //# if TILE == subgroup
  let lane = local.x;
  //# end
  // Offset of each of this thread's rows and columns; past the end, that of the last.
  //# if LEFT == rows
  //# if TILE == subgroup
  //# for r in LOADS
  let at$r = min(row0 + ${r * LANES}u + lane, rows - 1u) * shape.leftStride;
  //# end
  //# else
  //# for i in ROWS
  let at$i = min(row0 + ${i}u, rows - 1u) * shape.leftStride;
  //# end
  //# end
  //# else
  let lastRow = (rows + 3u) / 4u - 1u;
  //# if TILE == subgroup
  //# for r in LOADS
  let at$r = ((${r * LANES}u + lane) / ${ROWS4}u) * shape.leftStride +
    min(row0 / 4u + (${r * LANES}u + lane) % ${ROWS4}u, lastRow);
  //# end
  //# else
  //# for i in ROWS4
  let at$i = min(row0 / 4u + ${i}u, lastRow);
  //# end
  //# end
  //# end
  //# if RIGHT == rows
  //# for j in COLS
  let to$j = min(col0 + ${j}u, shape.columns - 1u) * shape.rightStride;
  //# end
  //# else
  //# for q in COLS4
  let to$q = min(col0 / 4u + ${q}u, (shape.columns + 3u) / 4u - 1u);
  //# end
  //# end
  //# end

  //# if FORM == flows
  // One sum of all terms would drop what is small beside it, so that of some is added to the output before the next begins. Which
  // are together follows from the batch, not from how the loop is split.
  let together = max(1u, ${LONGEST}u / batch.rows);
  let last = fold.first + min(fold.terms, portion.end * together);
  for (var begin = fold.first + portion.start * together; begin < last;) {
  let end = min(last, begin + together);
  for (var t = begin; t < end; t++) {
  //# else
  for (var t = fold.first; t < fold.first + fold.terms; t++) {
  //# end
    let term = terms[t];
    //# if TILE == shared
    //# if LEFT == rows
    //# for i in 4
    var leftNext$i = vec4f();
    //# end
    //# else
    //# for n in LEFT_LOADS
    var leftNext$n = vec4f();
    //# end
    //# end
    //# if RIGHT == rows
    //# for i in 4
    var rightNext$i = vec4f();
    //# end
    //# else
    //# for n in RIGHT_LOADS
    var rightNext$n = vec4f();
    //# end
    //# end
    var tile = 0u;
    // The next tile is on its way to registers while this one is used; one barrier a tile.
    for (var k0 = 0u; k0 < depth + ${DEPTH4}u; k0 += ${DEPTH4}u) {
      if (k0 < depth) {
        //# if LEFT == rows
        if (leftWho < ${Y * ROWS4 * DEPTH4}u && k0 + leftStep < depth) {
          //# for i in 4
          leftNext$i = left[term.left + leftAt$i + k0];
          //# end
        } else {
          //# for i in 4
          leftNext$i = vec4f();
          //# end
        }
        //# else
        //# for n in LEFT_LOADS
        leftNext$n = vec4f();
        if (leftWho$n < ${Y * ROWS4 * DEPTH}u && k0 * 4u + leftWho$n / ${Y * ROWS4}u < depth * 4u) {
          leftNext$n = left[term.left + k0 * 4u * shape.leftStride + leftAt$n];
        }
        //# end
        //# end
        //# if RIGHT == rows
        if (rightWho < ${X * COLS4 * DEPTH4}u && k0 + rightStep < depth) {
          //# for i in 4
          rightNext$i = right[term.right + rightAt$i + k0];
          //# end
        } else {
          //# for i in 4
          rightNext$i = vec4f();
          //# end
        }
        //# else
        //# for n in RIGHT_LOADS
        rightNext$n = vec4f();
        if (rightWho$n < ${X * COLS4 * DEPTH}u && k0 * 4u + rightWho$n / ${X * COLS4}u < depth * 4u) {
          rightNext$n = right[term.right + k0 * 4u * shape.rightStride + rightAt$n];
        }
        //# end
        //# end
      }
      if (k0 > 0u) {
        let leftFrom = (1u - tile) * ${DEPTH4 * Y * ROWS4}u + local.y;
        let rightFrom = (1u - tile) * ${DEPTH4 * X * COLS4}u + local.x;
        //# for s in DEPTH4
        //# for q in COLS4
        let b$s_$q = rightTile[rightFrom + ${s * X * COLS4 + q * X}u].steps;
        //# end
        //# for i in ROWS4
        let a$s_$i = leftTile[leftFrom + ${s * Y * ROWS4 + i * Y}u].steps;
        //# for k in 4
        //# for r in 4
        //# for q in COLS4
        c${i * 4 + r}_$q = fma(vec4f(a$s_$i[$k][$r]), b$s_$q[$k], c${i * 4 + r}_$q);
        //# end
        //# end
        //# end
        //# end
        //# end
      }
      if (k0 < depth) {
        //# if LEFT == rows
        if (leftWho < ${Y * ROWS4 * DEPTH4}u) {
          leftTile[tile * ${DEPTH4 * Y * ROWS4}u + leftWho].steps = transpose(mat4x4f(leftNext0, leftNext1, leftNext2, leftNext3));
        }
        //# else
        //# for n in LEFT_LOADS
        if (leftWho$n < ${Y * ROWS4 * DEPTH}u) {
          let k = leftWho$n / ${Y * ROWS4}u;
          leftTile[tile * ${DEPTH4 * Y * ROWS4}u + k / 4u * ${Y * ROWS4}u + leftWho$n % ${Y * ROWS4}u].steps[k % 4u] = leftNext$n;
        }
        //# end
        //# end
        //# if RIGHT == rows
        if (rightWho < ${X * COLS4 * DEPTH4}u) {
          rightTile[tile * ${DEPTH4 * X * COLS4}u + rightWho].steps = transpose(mat4x4f(rightNext0, rightNext1, rightNext2, rightNext3));
        }
        //# else
        //# for n in RIGHT_LOADS
        if (rightWho$n < ${X * COLS4 * DEPTH}u) {
          let k = rightWho$n / ${X * COLS4}u;
          rightTile[tile * ${DEPTH4 * X * COLS4}u + k / 4u * ${X * COLS4}u + rightWho$n % ${X * COLS4}u].steps[k % 4u] = rightNext$n;
        }
        //# end
        //# end
      }
      workgroupBarrier();
      tile = 1u - tile;
    }
    //# else
    for (var k = 0u; k < depth; k++) {
      // Right: four rows for the result's columns, b<row>_<column block>.
      //# if RIGHT == rows
      //# for j in COLS
      let w$j = right[term.right + to$j + k];
      //# end
      //# for q in COLS4
      let b0_$q = vec4f(w${q * 4}.x, w${q * 4 + 1}.x, w${q * 4 + 2}.x, w${q * 4 + 3}.x);
      let b1_$q = vec4f(w${q * 4}.y, w${q * 4 + 1}.y, w${q * 4 + 2}.y, w${q * 4 + 3}.y);
      let b2_$q = vec4f(w${q * 4}.z, w${q * 4 + 1}.z, w${q * 4 + 2}.z, w${q * 4 + 3}.z);
      let b3_$q = vec4f(w${q * 4}.w, w${q * 4 + 1}.w, w${q * 4 + 2}.w, w${q * 4 + 3}.w);
      //# end
      //# else
      //# for q in COLS4
      let b0_$q = right[term.right + (k * 4u) * shape.rightStride + to$q];
      let b1_$q = right[term.right + (k * 4u + 1u) * shape.rightStride + to$q];
      let b2_$q = right[term.right + (k * 4u + 2u) * shape.rightStride + to$q];
      let b3_$q = right[term.right + (k * 4u + 3u) * shape.rightStride + to$q];
      //# end
      //# end
      //# if TILE == subgroup
      // Left: each lane loads a share and broadcasts it to all lanes.
      //# for r in LOADS
      //# if LEFT == rows
      let q$r = left[term.left + at$r + k];
      //# for n in LANES
      let a${r * LANES + n} = subgroupBroadcast(q$r, ${n}u);
      //# for q in COLS4
      c${r * LANES + n}_$q = fma(vec4f(a${r * LANES + n}.w), b3_$q, fma(vec4f(a${r * LANES + n}.z), b2_$q,
        fma(vec4f(a${r * LANES + n}.y), b1_$q, fma(vec4f(a${r * LANES + n}.x), b0_$q, c${r * LANES + n}_$q))));
      //# end
      //# end
      //# else
      let q$r = left[term.left + k * 4u * shape.leftStride + at$r];
      //# end
      //# end
      //# if LEFT == columns
      //# for i in ROWS4
      //# for s in 4
      let a$i_$s = subgroupBroadcast(q${(s * ROWS4 + i) / LANES}, ${(s * ROWS4 + i) % LANES}u);
      //# end
      //# for c in 4
      //# for q in COLS4
      c${i * 4 + c}_$q = fma(vec4f(a$i_3[$c]), b3_$q, fma(vec4f(a$i_2[$c]), b2_$q,
        fma(vec4f(a$i_1[$c]), b1_$q, fma(vec4f(a$i_0[$c]), b0_$q, c${i * 4 + c}_$q))));
      //# end
      //# end
      //# end
      //# end
      //# else
      //# if LEFT == rows
      //# for i in ROWS
      let a$i = left[term.left + at$i + k];
      //# for q in COLS4
      c$i_$q = fma(vec4f(a$i.w), b3_$q, fma(vec4f(a$i.z), b2_$q,
        fma(vec4f(a$i.y), b1_$q, fma(vec4f(a$i.x), b0_$q, c$i_$q))));
      //# end
      //# end
      //# else
      //# for i in ROWS4
      //# for s in 4
      let a$i_$s = left[term.left + (k * 4u + ${s}u) * shape.leftStride + at$i];
      //# end
      //# for c in 4
      //# for q in COLS4
      c${i * 4 + c}_$q = fma(vec4f(a$i_3[$c]), b3_$q, fma(vec4f(a$i_2[$c]), b2_$q,
        fma(vec4f(a$i_1[$c]), b1_$q, fma(vec4f(a$i_0[$c]), b0_$q, c${i * 4 + c}_$q))));
      //# end
      //# end
      //# end
      //# end
      //# end
    }
    //# end
  }

  //# for i in ROWS
  if (row0 + ${i / 4 * ROW_STEP + i % 4}u < rows) {
    let row = row0 + ${i / 4 * ROW_STEP + i % 4}u;
    //# if RESULT == logs
    let index = fold.other + row;
    let reach = marks[index] & REACH;
    //# for q in COLS4
    //# for c in 4
    if (col0 + ${q * COL_STEP + c}u < shape.columns) {
      let sum = c$i_$q[$c];
      var log = ZERO;
      // Written so that NaN stays NaN.
      if (!(sum <= 0.0)) { log = log2(sum) - BIAS; }
      // Terms of a sum this small may have underflowed: repair.wgsl recomputes the row in the log domain.
      if (sum < SMALL && (sum > 0.0 || reach != 0u)) { marks[index] = reach | REPAIR; }
      out[fold.out + row * shape.outStride + col0 + ${q * COL_STEP + c}u] = log;
    }
    //# end
    //# end
    //# else
    //# for q in COLS4
    if (col0 + ${q * COL_STEP}u < shape.columns) {
      let at = row * shape.outStride + (col0 + ${q * COL_STEP}u) / 4u;
      //# if RESULT == parts
      out[fold.out + at] = c$i_$q;
      //# end
      //# if RESULT == factors
      out[fold.out + at] = c$i_$q * other[fold.other + at];
      //# end
      //# if RESULT == added
      out[fold.out + at] = fma(c$i_$q, other[fold.other + at], out[fold.out + at]);
      //# end
    }
    //# end
    //# end
  }
  //# end
  //# if FORM == flows
  //# for i in ROWS
  //# for q in COLS4
  c$i_$q = vec4f();
  //# end
  //# end
  begin = end;
  }
  //# end
}

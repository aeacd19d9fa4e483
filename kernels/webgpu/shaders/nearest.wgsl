// The nearest centroid of every vector, fused: distances never leave the registers. The score of vector x and centroid c is
// bias[c] - 2 x . directions[c]; ties go to the smaller index. Centroids that need several bindings are split into pages,
// one dispatch each, and every page starts from the result of the previous ones.
//
// Constants: TILE as in matmul.wgsl, ROWS vectors by COLS centroids per thread, X by Y threads (X along the centroids; 1 for
// `register`), LANES and LOADS for `subgroup`, DEPTH for `shared`.
// clusters, first: centroids in this binding, and the index of the first; depth: length of a vector, in vec4.
struct Shape { clusters: u32, first: u32, depth: u32 }
struct Nearest { score: f32, label: u32 }

@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> values: array<vec4f>;
@group(0) @binding(3) var<storage, read> directions: array<vec4f>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> nearest: array<Nearest>;

const FARTHEST = 3.4e38;

//# if TILE == shared
var<workgroup> leftTile: array<array<f32, ${Y * ROWS + 4}>, $DEPTH>;
var<workgroup> rightTile: array<array<f32, ${X * COLS + 4}>, $DEPTH>;
var<workgroup> found: array<array<Nearest, $X>, ${Y * ROWS}>;
//# end

@compute @workgroup_size($X, $Y)
fn main(@builtin(workgroup_id) here: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let group = here + portion.group;
  let row0 = (group.y * ${Y}u + local.y) * ${ROWS}u;
  let last = batch.rows - 1u;
  //# for i in ROWS
  var score$i = FARTHEST;
  var label$i = 0u;
  //# end
  //# if TILE == register
  //# for i in ROWS
  let at$i = min(row0 + ${i}u, last) * shape.depth;
  //# end
  //# end
  //# if TILE == subgroup
  let lane = local.x;
  //# for r in LOADS
  let at$r = min(row0 + ${r * LANES}u + lane, last) * shape.depth;
  //# end
  //# end
  //# if TILE == shared
  let thread = local.y * ${X}u + local.x;
  let groupRow = group.y * ${Y * ROWS}u;
  //# end

  // Whether these are the very first centroids; later ones must be nearer than the nearest so far.
  let fresh = shape.first == 0u && portion.start == 0u;
  let end = min(shape.clusters, portion.end * ${X * COLS}u);
  for (var group0 = portion.start * ${X * COLS}u; group0 < end; group0 += ${X * COLS}u) {
    let col0 = group0 + local.x * ${COLS}u;
    //# for i in ROWS
    //# for q in COLS4
    var c$i_$q = vec4f();
    //# end
    //# end
    //# if TILE == shared
    for (var k0 = 0u; k0 < shape.depth; k0 += ${DEPTH / 4}u) {
      for (var n = thread; n < ${Y * ROWS * DEPTH / 4}u; n += ${X * Y}u) {
        let row = n / ${DEPTH / 4}u;
        let k = n % ${DEPTH / 4}u;
        var v = vec4f();
        if (k0 + k < shape.depth) { v = values[min(groupRow + row, last) * shape.depth + k0 + k]; }
        //# for c in 4
        leftTile[k * 4u + ${c}u][row] = v[$c];
        //# end
      }
      for (var n = thread; n < ${X * COLS * DEPTH / 4}u; n += ${X * Y}u) {
        let col = n / ${DEPTH / 4}u;
        let k = n % ${DEPTH / 4}u;
        var v = vec4f();
        if (k0 + k < shape.depth) {
          v = directions[min(group0 + col, shape.clusters - 1u) * shape.depth + k0 + k];
        }
        //# for c in 4
        rightTile[k * 4u + ${c}u][col] = v[$c];
        //# end
      }
      workgroupBarrier();
      for (var k = 0u; k < ${DEPTH}u; k++) {
        //# for q in COLS4
        let b$q = vec4f(rightTile[k][local.x * ${COLS}u + ${q * 4}u], rightTile[k][local.x * ${COLS}u + ${q * 4 + 1}u],
          rightTile[k][local.x * ${COLS}u + ${q * 4 + 2}u], rightTile[k][local.x * ${COLS}u + ${q * 4 + 3}u]);
        //# end
        //# for i in ROWS
        let a$i = vec4f(leftTile[k][local.y * ${ROWS}u + ${i}u]);
        //# for q in COLS4
        c$i_$q = fma(a$i, b$q, c$i_$q);
        //# end
        //# end
      }
      workgroupBarrier();
    }
    //# else
    //# for j in COLS
    let to$j = min(col0 + ${j}u, shape.clusters - 1u) * shape.depth;
    //# end
    for (var k = 0u; k < shape.depth; k++) {
      //# for j in COLS
      let w$j = directions[to$j + k];
      //# end
      //# for q in COLS4
      let b0_$q = vec4f(w${q * 4}.x, w${q * 4 + 1}.x, w${q * 4 + 2}.x, w${q * 4 + 3}.x);
      let b1_$q = vec4f(w${q * 4}.y, w${q * 4 + 1}.y, w${q * 4 + 2}.y, w${q * 4 + 3}.y);
      let b2_$q = vec4f(w${q * 4}.z, w${q * 4 + 1}.z, w${q * 4 + 2}.z, w${q * 4 + 3}.z);
      let b3_$q = vec4f(w${q * 4}.w, w${q * 4 + 1}.w, w${q * 4 + 2}.w, w${q * 4 + 3}.w);
      //# end
      //# if TILE == subgroup
      //# for r in LOADS
      let v$r = values[at$r + k];
      //# for n in LANES
      let a${r * LANES + n} = subgroupBroadcast(v$r, ${n}u);
      //# for q in COLS4
      c${r * LANES + n}_$q = fma(vec4f(a${r * LANES + n}.w), b3_$q, fma(vec4f(a${r * LANES + n}.z), b2_$q,
        fma(vec4f(a${r * LANES + n}.y), b1_$q, fma(vec4f(a${r * LANES + n}.x), b0_$q, c${r * LANES + n}_$q))));
      //# end
      //# end
      //# end
      //# else
      //# for i in ROWS
      let a$i = values[at$i + k];
      //# for q in COLS4
      c$i_$q = fma(vec4f(a$i.w), b3_$q, fma(vec4f(a$i.z), b2_$q,
        fma(vec4f(a$i.y), b1_$q, fma(vec4f(a$i.x), b0_$q, c$i_$q))));
      //# end
      //# end
      //# end
    }
    //# end
    //# for q in COLS4
    //# for c in 4
    if (col0 + ${q * 4 + c}u < shape.clusters) {
      let constant = bias[col0 + ${q * 4 + c}u];
      let label = shape.first + col0 + ${q * 4 + c}u;
      //# for i in ROWS
      let s$i = fma(-2.0, c$i_$q[$c], constant);
      if (s$i < score$i) {
        score$i = s$i;
        label$i = label;
      }
      //# end
    }
    //# end
    //# end
  }

  //# if TILE == shared
  //# for i in ROWS
  found[local.y * ${ROWS}u + ${i}u][local.x] = Nearest(score$i, label$i);
  //# end
  workgroupBarrier();
  for (var n = thread; n < ${Y * ROWS}u; n += ${X * Y}u) {
    var best = found[n][0];
    for (var x = 1u; x < ${X}u; x++) {
      let other = found[n][x];
      if (other.score < best.score || (other.score == best.score && other.label < best.label)) { best = other; }
    }
    if (groupRow + n < batch.rows && (fresh || best.score < nearest[groupRow + n].score)) {
      nearest[groupRow + n] = best;
    }
  }
  //# else
  //# for i in ROWS
  //# if TILE == subgroup
  let least$i = subgroupMin(score$i);
  label$i = subgroupMin(select(0xffffffffu, label$i, score$i == least$i));
  score$i = least$i;
  if (lane == 0u && row0 + ${i}u < batch.rows &&
    (fresh || score$i < nearest[row0 + ${i}u].score)) {
    nearest[row0 + ${i}u] = Nearest(score$i, label$i);
  }
  //# else
  if (row0 + ${i}u < batch.rows && (fresh || score$i < nearest[row0 + ${i}u].score)) {
    nearest[row0 + ${i}u] = Nearest(score$i, label$i);
  }
  //# end
  //# end
  //# end
}

// Sums computed in the log domain, one output at a time, from the logarithms of inputs and weights:
//   forward   outputs of rows that matmul.wgsl marked
//   maximum   all outputs, with the maximum instead of the sum
//   backward  flow down through outputs that ratio.wgsl left out
//   flows     their part of the expected counts
// Constants: FORM, CHUNK (outputs or inputs per thread), X and Y (workgroup).
struct Shape {
  inputs: u32,
  stride: u32, // between rows of the weights
  start: u32,   // outputs whose weights are bound
  to: u32,
}

// All tables in one, as words; see pieces.ts: folds of FOLD words each, and their pieces of PIECE words each.
const FOLD = 12u;
const PIECE = 5u;
struct Fold {
  logs: u32, stride: u32, scale: u32, mark: u32, flag: u32,
  flow: u32, flowStride: u32, into: u32, intoStride: u32,
  weights: u32, pieces: u32, arity: u32,
}
struct Piece { logs: u32, stride: u32, scale: u32, at: u32, width: u32 }

@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> words: array<u32>;
@group(0) @binding(3) var<storage, read> weights: array<f32>;
//# if FORM == maximum
@group(0) @binding(4) var<storage, read_write> logs: array<f32>;
@group(0) @binding(5) var<storage, read> scales: array<i32>;
//# else
//# if FORM == forward
@group(0) @binding(4) var<storage, read_write> logs: array<f32>;
//# else
@group(0) @binding(4) var<storage, read> logs: array<f32>;
//# end
@group(0) @binding(5) var<storage, read> scales: array<i32>;
@group(0) @binding(6) var<storage, read> marks: array<u32>;
//# end
//# if FORM == backward
@group(0) @binding(7) var<storage, read_write> flows: array<f32>;
//# end
//# if FORM == flows
@group(0) @binding(7) var<storage, read> flows: array<f32>;
@group(0) @binding(8) var<storage, read> flags: array<u32>;
@group(0) @binding(9) var<storage, read_write> counts: array<f32>;
//# end

fn fold_at(w: u32) -> Fold {
  return Fold(words[w], words[w + 1u], words[w + 2u], words[w + 3u], words[w + 4u], words[w + 5u], words[w + 6u],
    words[w + 7u], words[w + 8u], words[w + 9u], words[w + 10u], words[w + 11u]);
}

fn piece_at(w: u32) -> Piece {
  return Piece(words[w], words[w + 1u], words[w + 2u], words[w + 3u], words[w + 4u]);
}

// Common scale of the inputs: the largest of the pieces'.
fn scale_in(fold: Fold, sample: u32) -> i32 {
  var scale = ZERO_SCALE;
  for (var p = 0u; p < fold.arity; p++) { scale = max(scale, scales[piece_at(fold.pieces + p * PIECE).scale + sample]); }
  return scale;
}

@compute @workgroup_size($X, $Y)
fn main(@builtin(global_invocation_id) here: vec3u) {
  let id = here + portion.group * vec3u($X, $Y, 1u);
  //# if FORM == forward
  let sample = id.y;
  if (sample >= batch.rows) { return; }
  let fold = fold_at(id.z * FOLD);
  if ((marks[fold.mark + sample] & REPAIR) == 0u) { return; }
  //# end
  //# if FORM == maximum
  let sample = id.y;
  if (sample >= batch.rows) { return; }
  let fold = fold_at(id.z * FOLD);
  //# end
  //# if UPWARD
  let inner = scale_in(fold, sample);
  let shift = f32(scales[fold.scale + sample] - inner);
  let last = min(shape.to, shape.start + (id.x + 1u) * ${CHUNK}u);
  for (var o = shape.start + id.x * ${CHUNK}u; o < last; o++) {
    let to = fold.logs + sample * fold.stride + o;
    //# if FORM == forward
    if (logs[to] >= SMALL_LOG) { continue; }
    //# end
    let row = fold.weights + (o - shape.start) * shape.stride;
    var most = ZERO;
    var total = 0.0;
    for (var p = 0u; p < fold.arity; p++) {
      let piece = piece_at(fold.pieces + p * PIECE);
      let align = f32(scales[piece.scale + sample] - inner);
      for (var i = 0u; i < piece.width; i++) {
        let weight = weights[row + piece.at + i];
        let log = logs[piece.logs + sample * piece.stride + i];
        if (weight <= 0.0 || log < NONE) { continue; }
        let x = log2(weight) + log + align;
        //# if FORM == forward
        // The sum relative to its largest term so far.
        if (x > most) {
          total = select(total * exp2(max(most - x, -150.0)), 0.0, most - x < -126.0) + 1.0;
        } else if (x - most > -126.0) {
          total += exp2(x - most);
        }
        //# end
        most = max(most, x);
      }
    }
    var log = ZERO;
    //# if FORM == forward
    if (most > NONE) { log = most + log2(total) - shift; }
    //# else
    if (most > NONE) { log = most - shift; }
    //# end
    logs[to] = log;
  }
  //# end

  //# if FORM == backward
  let sample = id.y;
  if (sample >= batch.rows) { return; }
  let fold = fold_at(id.z * FOLD);
  if ((marks[fold.mark + sample] & RARE) == 0u) { return; }
  let first = id.x * ${CHUNK}u;
  let end = min(shape.inputs, first + ${CHUNK}u);
  for (var o = shape.start; o < shape.to; o++) {
    let log = logs[fold.logs + sample * fold.stride + o];
    let flow = flows[fold.flow + sample * fold.flowStride + o];
    if (log >= SMALL_LOG || log < NONE || flow <= 0.0) { continue; }
    let row = fold.weights + (o - shape.start) * shape.stride;
    for (var p = 0u; p < fold.arity; p++) {
      let piece = piece_at(fold.pieces + p * PIECE);
      let align = f32(scales[piece.scale + sample] - scales[fold.scale + sample]) - log;
      for (var i = max(first, piece.at); i < min(end, piece.at + piece.width); i++) {
        let share = share_of(weights[row + i], logs[piece.logs + sample * piece.stride + i - piece.at] + align);
        flows[fold.into + sample * fold.intoStride + i] += flow * share;
      }
    }
  }
  //# end

  //# if FORM == flows
  // words: for every slot, from words[slot] on, the number of its uses and the offsets of their folds.
  let o = shape.start + id.y;
  if (o >= shape.to) { return; }
  let first = id.x * ${CHUNK}u;
  let end = min(shape.inputs, first + ${CHUNK}u);
  let slot = words[id.z];
  for (var user = portion.start; user < min(words[slot], portion.end); user++) {
    let fold = fold_at(words[slot + 1u + user]);
    if (flags[fold.flag] == 0u) { continue; }
    let row = fold.weights + id.y * shape.stride;
    for (var sample = 0u; sample < batch.rows; sample++) {
      if ((marks[fold.mark + sample] & RARE) == 0u) { continue; }
      let log = logs[fold.logs + sample * fold.stride + o];
      let flow = flows[fold.flow + sample * fold.flowStride + o];
      if (log >= SMALL_LOG || log < NONE || flow <= 0.0) { continue; }
      for (var p = 0u; p < fold.arity; p++) {
        let piece = piece_at(fold.pieces + p * PIECE);
        let align = f32(scales[piece.scale + sample] - scales[fold.scale + sample]) - log;
        for (var i = max(first, piece.at); i < min(end, piece.at + piece.width); i++) {
          let share = share_of(weights[row + i], logs[piece.logs + sample * piece.stride + i - piece.at] + align);
          counts[row + i] += flow * share;
        }
      }
    }
  }
  //# end
}

// weight * exp2(log), without underflow of an intermediate f32.
fn share_of(weight: f32, log: f32) -> f32 {
  if (weight <= 0.0 || log < NONE) { return 0.0; }
  let x = log2(weight) + log;
  if (x < -126.0) { return 0.0; }
  return exp2(x);
}

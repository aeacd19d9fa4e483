import { RandomStream } from "../circuits/random.ts";
import { RetortError } from "../foundation/errors.ts";

/** Options of static word vectors. */
export interface WordVectorOptions {
  /** Dimension of a vector. */
  readonly width: number;
  /** Context size: number of tokens on each side of a token. */
  readonly reach: number;
  /** Number of context types to count: the most frequent tokens. */
  readonly contexts: number;
  /** `ppmi`: a singular value decomposition; `random`: a random projection of the same numbers. */
  readonly method: "ppmi" | "random";
  /** Seed of the random directions. */
  readonly seed: number;
}

/** Maximum size of the table of counts in bytes. */
const LARGEST = 1 << 30;

/**
 * Counts co-occurrences of tokens and makes vectors of the counts: positive pointwise mutual information (PPMI), then
 * its leading singular vectors times the square roots of the singular values (Levy, Goldberg and Dagan, "Improving
 * Distributional Similarity with Lessons Learned from Word Embeddings", TACL 2015), found by a randomised method (Halko,
 * Martinsson and Tropp, "Finding Structure with Randomness", SIAM Review 2011).
 */
export class WordVectors {
  readonly #tokens: number;
  readonly #options: WordVectorOptions;
  /** Column of each token that is counted as a context, otherwise -1. */
  readonly #column: Int32Array;
  readonly #columns: number;
  readonly #counts: Float32Array;
  readonly #recent: number[] = [];

  /**
   * Counts nothing yet.
   *
   * @param occurrences of each token
   * @throws RetortError when the table of counts would be too large.
   */
  constructor(occurrences: ArrayLike<number>, options: WordVectorOptions) {
    this.#tokens = occurrences.length;
    this.#options = options;
    this.#columns = Math.min(options.contexts, this.#tokens);
    const size = 4 * this.#tokens * this.#columns;
    if (size > LARGEST) {
      throw new RetortError(
        "teacher/options",
        `counts of ${this.#tokens} tokens by ${this.#columns} contexts take ${size} bytes`,
        { hint: `At most ${Math.floor(LARGEST / 4 / this.#tokens)} contexts fit.` },
      );
    }
    this.#counts = new Float32Array(this.#tokens * this.#columns);
    this.#column = new Int32Array(this.#tokens).fill(-1);
    Array.from({ length: this.#tokens }, (_, token) => token)
      .sort((a, b) => occurrences[b]! - occurrences[a]! || a - b)
      .slice(0, this.#columns)
      .forEach((token, column) => this.#column[token] = column);
  }

  /** Counts tokens that continue those counted before. */
  add(ids: Int32Array): void {
    const { reach } = this.#options;
    const recent = this.#recent;
    const columns = this.#columns;
    for (const token of ids) {
      const column = this.#column[token]!;
      for (const other of recent) {
        const contextColumn = this.#column[other]!;
        if (contextColumn >= 0) this.#counts[token * columns + contextColumn]! += 1;
        if (column >= 0) this.#counts[other * columns + column]! += 1;
      }
      recent.push(token);
      if (recent.length > reach) recent.shift();
    }
  }

  /** The vectors, `[tokens, width]`, row-major. Consumes the counts. */
  async vectors(): Promise<Float32Array> {
    const { width, seed, method } = this.#options;
    const table = this.#ppmi();
    const extra = method === "ppmi" ? 8 : 0;
    const rank = Math.min(width + extra, this.#columns);
    const stream = new RandomStream(seed, 0x776f7264);
    const directions = Float64Array.from({ length: this.#columns * rank }, () => stream.normal());
    let left = times(table, directions, rank);
    const result = new Float32Array(this.#tokens * width);
    if (method === "random") {
      for (let token = 0; token < this.#tokens; token++) {
        for (let i = 0; i < rank; i++) result[token * width + i] = left[token * rank + i]! / Math.sqrt(rank);
      }
      return result;
    }
    orthonormalise(left, rank);
    for (let pass = 0; pass < 2; pass++) {
      const right = transposedTimes(table, left, rank);
      orthonormalise(right, rank);
      left = times(table, right, rank);
      orthonormalise(left, rank);
    }
    const right = transposedTimes(table, left, rank);
    const { EigenvalueDecomposition, Matrix } = await import("ml-matrix");
    const gram = new Matrix(rank, rank);
    for (let c = 0; c < this.#columns; c++) {
      for (let i = 0; i < rank; i++) {
        const x = right[c * rank + i]!;
        for (let j = 0; j <= i; j++) gram.set(i, j, gram.get(i, j) + x * right[c * rank + j]!);
      }
    }
    for (let i = 0; i < rank; i++) for (let j = 0; j < i; j++) gram.set(j, i, gram.get(i, j));
    const { realEigenvalues: values, eigenvectorMatrix: basis } = new EigenvalueDecomposition(gram, {
      assumeSymmetric: true,
    });
    const order = values.map((_, i) => i).sort((a, b) => values[b]! - values[a]!).slice(0, width);
    for (let token = 0; token < this.#tokens; token++) {
      order.forEach((column, k) => {
        let sum = 0;
        for (let i = 0; i < rank; i++) sum += left[token * rank + i]! * basis.get(i, column);
        // Eigenvalues are squared singular values, and the square roots of the singular values are needed, hence 0.25.
        result[token * width + k] = sum * Math.max(0, values[column]!) ** 0.25;
      });
    }
    return result;
  }

  /** Positive pointwise mutual information, as sparse rows. */
  #ppmi(): SparseRows {
    const counts = this.#counts;
    const [tokens, columns] = [this.#tokens, this.#columns];
    const rowSums = new Float64Array(tokens);
    const columnSums = new Float64Array(columns);
    let total = 0;
    for (let token = 0, at = 0; token < tokens; token++) {
      for (let c = 0; c < columns; c++, at++) {
        const n = counts[at]!;
        if (n === 0) continue;
        rowSums[token]! += n;
        columnSums[c]! += n;
        total += n;
      }
    }
    const starts = new Int32Array(tokens + 1);
    const index: number[] = [];
    const values: number[] = [];
    for (let token = 0, at = 0; token < tokens; token++) {
      for (let c = 0; c < columns; c++, at++) {
        const n = counts[at]!;
        if (n === 0) continue;
        const information = Math.log(n * total / (rowSums[token]! * columnSums[c]!));
        if (information > 0) {
          index.push(c);
          values.push(information);
        }
      }
      starts[token + 1] = index.length;
    }
    return {
      rows: tokens,
      columns,
      starts,
      index: Int32Array.from(index),
      values: Float64Array.from(values),
    };
  }
}

/** A sparse matrix by rows (CSR): row `r` has the values from `starts[r]` to `starts[r + 1]`, in the columns of `index`. */
interface SparseRows {
  readonly rows: number;
  readonly columns: number;
  readonly starts: Int32Array;
  readonly index: Int32Array;
  readonly values: Float64Array;
}

/** `table * dense`, for a dense matrix of `rank` columns. */
function times({ rows, starts, index, values }: SparseRows, dense: Float64Array, rank: number): Float64Array {
  const result = new Float64Array(rows * rank);
  for (let row = 0; row < rows; row++) {
    for (let at = starts[row]!; at < starts[row + 1]!; at++) {
      const from = index[at]! * rank;
      const value = values[at]!;
      for (let i = 0; i < rank; i++) result[row * rank + i]! += value * dense[from + i]!;
    }
  }
  return result;
}

/** `transpose(table) * dense`. */
function transposedTimes(table: SparseRows, dense: Float64Array, rank: number): Float64Array {
  const { rows, columns, starts, index, values } = table;
  const result = new Float64Array(columns * rank);
  for (let row = 0; row < rows; row++) {
    for (let at = starts[row]!; at < starts[row + 1]!; at++) {
      const to = index[at]! * rank;
      const value = values[at]!;
      for (let i = 0; i < rank; i++) result[to + i]! += value * dense[row * rank + i]!;
    }
  }
  return result;
}

/**
 * Orthonormalises the columns of a dense matrix by Gram-Schmidt, twice to reduce rounding errors. Zero columns stay
 * zero.
 */
function orthonormalise(matrix: Float64Array, rank: number): void {
  const rows = matrix.length / rank;
  for (let column = 0; column < rank; column++) {
    for (let pass = 0; pass < 2; pass++) {
      for (let other = 0; other < column; other++) {
        let dot = 0;
        for (let r = 0; r < rows; r++) dot += matrix[r * rank + column]! * matrix[r * rank + other]!;
        for (let r = 0; r < rows; r++) matrix[r * rank + column]! -= dot * matrix[r * rank + other]!;
      }
    }
    let norm = 0;
    for (let r = 0; r < rows; r++) norm += matrix[r * rank + column]! ** 2;
    const scale = norm > 1e-24 ? 1 / Math.sqrt(norm) : 0;
    for (let r = 0; r < rows; r++) matrix[r * rank + column]! *= scale;
  }
}

/**
 * Vectors of the suffixes of windows as decayed sums of the vectors of their tokens: z_t = v(x_t) + decay * z_{t+1}.
 * `[count * variables, width]`; padding rows are zero. With `side` "left" those of what comes before, z_t = v(x_t) +
 * decay * z_{t-1}.
 *
 * @param vectors `[tokens, width]`
 */
export function decayedSums(
  rows: {
    readonly count: number;
    readonly variables: number;
    readonly values: Int32Array;
    readonly observed?: Uint8Array;
  },
  vectors: Float32Array,
  width: number,
  decay: number,
  side: "left" | "right" = "right",
): Float32Array {
  const { count, variables, values, observed } = rows;
  const result = new Float32Array(count * variables * width);
  const sum = new Float64Array(width);
  for (let window = 0; window < count; window++) {
    sum.fill(0);
    for (let step = 0; step < variables; step++) {
      const at = window * variables + (side === "left" ? step : variables - 1 - step);
      if (observed?.[at] === 0) continue;
      const from = values[at]! * width;
      for (let i = 0; i < width; i++) {
        sum[i] = sum[i]! * decay + vectors[from + i]!;
        result[at * width + i] = sum[i]!;
      }
    }
  }
  return result;
}

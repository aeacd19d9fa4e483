/** Settings of {@link AdamW}. */
export interface AdamWOptions {
  /** Decay rate of the mean of the gradients. Default: 0.9. */
  readonly beta1?: number;
  /** Decay rate of the mean of the squared gradients. Default: 0.98, usual for transformers. */
  readonly beta2?: number;
  /** Added to the root of the mean square. Default: 1e-8. */
  readonly epsilon?: number;
  /** Weight decay: the fraction of a parameter subtracted by a step of learning rate 1. Default: 0. */
  readonly decay?: number;
}

/** Rows of a table that a step updates. */
export interface TouchedRows {
  /** Width of a row. */
  readonly width: number;
  /** Row indices, without duplicates. */
  readonly rows: Int32Array;
  /** `[rows, width]`: gradients of those rows. */
  readonly gradient: Float32Array;
}

/** First and second moments of one parameter, each of the parameter's length. */
interface Moments {
  readonly mean: Float32Array;
  readonly square: Float32Array;
}

/**
 * AdamW: Adam with decoupled weight decay, in place on host arrays. Sources: Kingma and Ba, "Adam" (ICLR 2015);
 * Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (ICLR 2019). In tables updated sparsely, only the
 * touched rows change; the moments of the others stay as they are.
 */
export class AdamW {
  readonly #beta1: number;
  readonly #beta2: number;
  readonly #epsilon: number;
  readonly #decay: number;
  readonly #moments = new Map<string, Moments>();
  #steps = 0;

  /** Creates an optimiser in its initial state. */
  constructor({ beta1 = 0.9, beta2 = 0.98, epsilon = 1e-8, decay = 0 }: AdamWOptions = {}) {
    this.#beta1 = beta1;
    this.#beta2 = beta2;
    this.#epsilon = epsilon;
    this.#decay = decay;
  }

  /** Number of steps so far. */
  get steps(): number {
    return this.#steps;
  }

  /** Begins the next step, to which the following `update` and `updateRows` calls belong. */
  next(): void {
    this.#steps++;
  }

  /**
   * Updates a parameter.
   * @param options `rate`: learning rate; `scale`: factor of the gradient, for clipping; `decay`: whether weight decay
   * applies, usual for matrices but not for biases
   */
  update(
    name: string,
    values: Float32Array,
    gradient: Float32Array,
    options: { readonly rate: number; readonly scale?: number; readonly decay?: boolean },
  ): void {
    this.#move(this.#momentsOf(name, values.length), values, 0, gradient, 0, values.length, options);
  }

  /** Updates the touched rows of a table; see {@link AdamW.update}. */
  updateRows(
    name: string,
    table: Float32Array,
    { width, rows, gradient }: TouchedRows,
    options: { readonly rate: number; readonly scale?: number; readonly decay?: boolean },
  ): void {
    const moments = this.#momentsOf(name, table.length);
    rows.forEach((row, n) => {
      this.#move(moments, table, row * width, gradient, n * width, width, options);
    });
  }

  /** The moments by name, `NAME/mean` and `NAME/square`, for saving; not copied. */
  state(): Map<string, Float32Array> {
    return new Map(
      [...this.#moments].flatMap((
        [name, { mean, square }],
      ) => [[`${name}/mean`, mean], [`${name}/square`, square]]),
    );
  }

  /** Restores the state after `steps` steps; the arrays are copied. */
  restore(steps: number, state: ReadonlyMap<string, Float32Array>): void {
    this.#steps = steps;
    this.#moments.clear();
    for (const [key, mean] of state) {
      const name = /^(.*)\/mean$/.exec(key)?.[1];
      if (name === undefined) continue;
      this.#moments.set(name, { mean: mean.slice(), square: state.get(`${name}/square`)!.slice() });
    }
  }

  #momentsOf(name: string, length: number): Moments {
    let moments = this.#moments.get(name);
    if (moments === undefined) {
      moments = { mean: new Float32Array(length), square: new Float32Array(length) };
      this.#moments.set(name, moments);
    }
    return moments;
  }

  #move(
    { mean, square }: Moments,
    values: Float32Array,
    at: number,
    gradient: Float32Array,
    from: number,
    count: number,
    { rate, scale = 1, decay = false }: { rate: number; scale?: number; decay?: boolean },
  ): void {
    const b1 = this.#beta1, b2 = this.#beta2;
    const size = rate / (1 - b1 ** this.#steps);
    const correction = 1 / (1 - b2 ** this.#steps);
    const epsilon = this.#epsilon;
    const keep = decay ? 1 - rate * this.#decay : 1;
    for (let i = 0; i < count; i++) {
      const to = at + i;
      const g = scale * gradient[from + i]!;
      const m = mean[to] = b1 * mean[to]! + (1 - b1) * g;
      const v = square[to] = b2 * square[to]! + (1 - b2) * g * g;
      values[to] = keep * values[to]! - size * m / (Math.sqrt(v * correction) + epsilon);
    }
  }
}

/** Scale factor that clips gradients to a global norm of at most `most` (Pascanu et al. 2013). */
export function clipping(gradients: Iterable<Float32Array>, most: number): { norm: number; scale: number } {
  let total = 0;
  for (const gradient of gradients) {
    for (let i = 0; i < gradient.length; i++) total += gradient[i]! * gradient[i]!;
  }
  const norm = Math.sqrt(total);
  return { norm, scale: norm > most ? most / norm : 1 };
}

/**
 * The learning rate of a step relative to its maximum: it rises evenly in the first part of all steps, `warmup`, then falls
 * to zero along a cosine (Loshchilov and Hutter, "SGDR", ICLR 2017).
 */
export function warmedCosine(step: number, total: number, warmup: number): number {
  const rising = Math.max(1, Math.round(warmup * total));
  if (step < rising) return (step + 1) / rising;
  return 0.5 * (1 + Math.cos(Math.PI * (step - rising) / Math.max(1, total - rising)));
}

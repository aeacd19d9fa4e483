import { CallError } from "../../foundation/errors.ts";
import { movedOn, type Reals, type TokenHmm } from "./token_hmm.ts";

/** Products of rows of numbers over states with a model's transitions. */
export interface TransitionProducts extends AsyncDisposable {
  /** `[count, states]`: for each row and state, the sum over the states after it: `sum_z' A[z, z'] row[z']`. */
  backward(rows: Reals, count: number): Promise<Reals>;
  /** `[count, states]`: for each row and state, the sum over the states before it: `sum_z row[z] A[z, z']`. */
  forward(rows: Reals, count: number): Promise<Reals>;
}

/** The same products, refused once they were disposed of. */
export function untilDisposed(products: TransitionProducts): TransitionProducts {
  let isOpen = true;
  const open = () => {
    if (isOpen) return products;
    throw new CallError("control/argument", "the control of this plan was disposed of", {
      hint: "Dispose of a control when the last text of its plans is drawn.",
    });
  };
  return {
    // Asynchronous, so that what is refused is a promise like others.
    backward: async (rows, count) => await open().backward(rows, count),
    forward: async (rows, count) => await open().forward(rows, count),
    async [Symbol.asyncDispose]() {
      if (!isOpen) return;
      isOpen = false;
      await products[Symbol.asyncDispose]();
    },
  };
}

/** Products with typed arrays, summed in double precision. */
export function plainProducts(hmm: TokenHmm): TransitionProducts {
  const { states, transition } = hmm;
  return {
    backward(rows, count) {
      const out = new (rows.constructor as Float64ArrayConstructor)(count * states);
      for (let r = 0; r < count; r++) {
        const own = rows.subarray(r * states, (r + 1) * states);
        for (let z = 0; z < states; z++) {
          const from = z * states;
          let sum = 0;
          for (let to = 0; to < states; to++) sum += transition[from + to]! * own[to]!;
          out[r * states + z] = sum;
        }
      }
      return Promise.resolve(out);
    },
    forward(rows, count) {
      const out = new Float64Array(count * states);
      for (let r = 0; r < count; r++) {
        out.set(movedOn(hmm, rows.subarray(r * states, (r + 1) * states)), r * states);
      }
      return Promise.resolve(out);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

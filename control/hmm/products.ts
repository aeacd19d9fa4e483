import { CallError } from "../../foundation/errors.ts";
import { OnnxGraph } from "../../kernels/onnx/graph.ts";
import { floatsOf, openSession } from "../../kernels/onnx/session.ts";
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

/** Products with ONNX Runtime in single precision, on all cores. */
export async function onnxProducts(
  { states, transition }: TokenHmm,
  threads?: number,
): Promise<TransitionProducts> {
  const matrix = Float32Array.from(transition);
  const open = (transB: number) => {
    const graph = new OnnxGraph();
    const rows = graph.input("rows", "float32", ["count", states]);
    graph.output(
      "out",
      graph.op("Gemm", [rows, graph.constant(matrix, [states, states])], { transB }),
      "float32",
      [
        "count",
        states,
      ],
    );
    // Between two products the language model works, and is not to be kept from it.
    return openSession(new Uint8Array(graph.model()), {
      spins: false,
      ...(threads !== undefined && { threads }),
    });
  };
  const [back, on] = await Promise.all([open(1), open(0)]);
  const run = async (session: typeof back, rows: Reals, count: number) => {
    const data = rows instanceof Float32Array ? rows : Float32Array.from(rows);
    const { out } = await session.run({ rows: { data, shape: [count, states] } });
    return floatsOf(out!);
  };
  return {
    backward: (rows, count) => run(back, rows, count),
    forward: (rows, count) => run(on, rows, count),
    async [Symbol.asyncDispose]() {
      await Promise.all([back.release(), on.release()]);
    },
  };
}

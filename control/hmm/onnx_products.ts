import { OnnxGraph } from "../../kernels/onnx/graph.ts";
import { floatsOf, openSession } from "../../kernels/onnx/session.ts";
import type { TransitionProducts } from "./products.ts";
import type { Reals, TokenHmm } from "./token_hmm.ts";

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

import { LeafStore } from "../../kernels/cpu/leaf_store.ts";
import { type ProgramKind, programOf } from "../../kernels/cpu/programs.ts";
import { segmentsOf } from "../../kernels/cpu/segments.ts";
import { exportOnnx } from "../../kernels/onnx/export.ts";
import { planOf } from "../../kernels/plan.ts";
import { checkGolden, hashOf } from "../golden.ts";
import { goldenCases } from "./circuits.ts";
import { onnxText } from "./onnx_text.ts";

/** Forward with and without error bounds, and backward. */
const KINDS: readonly ProgramKind[] = ["likelihoods", "unbounded likelihoods", "leaves", "partial training"];

for (const { name, circuit } of goldenCases()) {
  // Of the tree little more than of the others could be read.
  if (name === "tree") continue;
  Deno.test(`golden: the ONNX graphs of ${name}`, async () => {
    const plan = planOf(circuit), segmentation = segmentsOf(plan), store = new LeafStore(plan);
    const models: [string, Uint8Array][] = [
      ...KINDS.map((kind): [string, Uint8Array] => [
        kind,
        programOf(kind, plan, segmentation, store).model,
      ]),
      ["export", exportOnnx(circuit, { observed: true })],
    ];
    const texts = await Promise.all(
      models.map(async ([kind, model]) =>
        `# ${kind}, sha256 ${await hashOf(model)}\n${await onnxText(model)}\n`
      ),
    );
    checkGolden(`onnx_${name}.txt`, texts.join("\n"));
  });
}

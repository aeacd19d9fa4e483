import assert from "node:assert/strict";
import { ELEMENT_TYPES, OnnxGraph } from "../../kernels/onnx/graph.ts";
import { openSession, type TensorValue } from "../../kernels/onnx/session.ts";
import { message } from "../../kernels/onnx/wire.ts";
import { ROOT } from "../command.ts";

async function run(graph: OnnxGraph, inputs: Record<string, TensorValue>) {
  const session = await openSession(graph.model());
  try {
    return await session.run(inputs);
  } finally {
    await session.release();
  }
}

Deno.test("messages are encoded as the protocol buffer documentation shows", () => {
  // https://protobuf.dev/programming-guides/encoding: field 1 = 150; field 2 = "testing"; field 3 = { 1: 150 }.
  const bytes = message([[1, 150], [2, "testing"], [3, [[1, 150]]], [4, -2], [5, { float: 1 }]]);
  assert.equal(
    Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" "),
    "08 96 01 12 07 74 65 73 74 69 6e 67 1a 03 08 96 01 20 fe ff ff ff ff ff ff ff ff 01 2d 00 00 80 3f",
  );
});

Deno.test("ONNX Runtime runs graphs with every kind of attribute, constant and size", async () => {
  const graph = new OnnxGraph();
  const x = graph.input("x", "float32", ["rows", 3]);
  const scaled = graph.op("LeakyRelu", [x], { alpha: { float: 0.5 } });
  const turned = graph.op("Transpose", [scaled], { perm: [1, 0] });
  const sum = graph.op("ReduceSum", [turned, graph.integers(-1)], { keepdims: 0 });
  const [top, where] = graph.ops("TopK", [sum, graph.integers(2)], 2, { axis: -1 });
  const clipped = graph.op("Clip", [top!, undefined, graph.constant(4)]);
  graph.output("y", clipped, "float32", [2]);
  graph.output("where", graph.op("Cast", [where!], { to: ELEMENT_TYPES.int32 }), "int32", [2]);
  const table = graph.constant(Int32Array.of(5, 6, 7, 8), [2, 2]);
  graph.output("row", graph.op("Gather", [table, graph.integers(1)]), "int32", [1, 2]);
  const found = await run(graph, { x: { data: Float32Array.of(1, -2, 3, 4, 5, -6), shape: [2, 3] } });
  assert.deepEqual([...found.y!.data], [4, 4]);
  assert.deepEqual([...found.where!.data], [0, 1]);
  assert.deepEqual(found.row, { data: Int32Array.of(7, 8), shape: [1, 2], type: "int32" });
});

Deno.test("a graph that makes no sense is refused", async () => {
  const graph = new OnnxGraph();
  graph.output("y", graph.op("NoSuchOperator", [graph.input("x", "float32", [1])]), "float32", [1]);
  await assert.rejects(openSession(graph.model()), /NoSuchOperator/);
});

Deno.test("a session that is profiled leaves a trace with the time of every operator", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    const graph = new OnnxGraph(), x = graph.input("x", "float32", [2]);
    graph.output("y", graph.op("Erf", [x]), "float32", [2]);
    const session = await openSession(graph.model(), { threads: 1, profile: `${folder}/profile` });
    await session.run({ x: { data: Float32Array.of(0, 1), shape: [2] } });
    await session.release();
    const [file] = [...Deno.readDirSync(folder)];
    const events = JSON.parse(Deno.readTextFileSync(`${folder}/${file!.name}`)) as {
      args?: { op_name?: string };
    }[];
    assert.ok(events.some(({ args }) => args?.op_name === "Erf"));
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("where ONNX Runtime is missing, that is said, with what to do", async () => {
  const code = `const { openSession } = await import(${
    JSON.stringify(`file://${ROOT}/kernels/onnx/session.ts`)
  });
    await openSession(new Uint8Array()).catch(({ code, message, hint }) => console.log(code, message, hint));`;
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["eval", "--no-npm", code], cwd: ROOT })
    .output();
  assert.match(
    new TextDecoder().decode(stdout),
    /^onnx\/not-loaded cannot load ONNX Runtime: .* The engine `cpu` .* `onnxruntime-node`: install it/s,
  );
});

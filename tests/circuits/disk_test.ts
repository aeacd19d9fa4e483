import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import * as fc from "fast-check";
import {
  type Circuit,
  CircuitBuilder,
  CircuitError,
  decodeCircuit,
  decodeSafetensors,
  encodeCircuit,
  encodeSafetensors,
  hmm,
  type InputNode,
  leafOf,
  loadCircuit,
  ReferenceEvaluator,
  replaceValues,
  samplesFromRows,
  saveCircuit,
  type Tensor,
} from "../../circuits/mod.ts";
import { holds } from "../property.ts";
import { allSamples, anyCircuit } from "./truth.ts";

Deno.test("safetensors: what is written is read, aligned and in any type", () => {
  const tensors = new Map<string, Tensor>([
    ["bytes", { shape: [3], values: Uint8Array.of(1, 2, 255) }],
    ["floats", { shape: [2, 1], values: Float32Array.of(-0.5, Infinity) }],
    ["one", { shape: [], values: Float64Array.of(Math.PI) }],
    ["none", { shape: [0, 4], values: new Int32Array(0) }],
    ["ints", { shape: [2], values: Int32Array.of(-1, 2 ** 31 - 1) }],
  ]);
  const bytes = encodeSafetensors(tensors, { by: "test" });
  const shifted = new Uint8Array(bytes.length + 1);
  shifted.set(bytes, 1);
  const read = decodeSafetensors(shifted.subarray(1));
  assert.deepEqual(new Map([...read.tensors].sort()), new Map([...tensors].sort()));
  assert.deepEqual(read.metadata, { by: "test" });
  assert.equal(bytes.length % 1, 0);
  assert.throws(
    () => encodeSafetensors(new Map([["x", { shape: [2], values: new Uint8Array(3) }]])),
    /holds 3/,
  );
});

/** A file with this header and `size` bytes of data. */
function file(header: unknown, size: number): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + size);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

Deno.test("safetensors: what Node reads into a Buffer, which is a part of a larger one, is read as well", () => {
  const values = Float32Array.of(1.5, -2);
  const bytes = encodeSafetensors(new Map([["t", { shape: [2], values }]]));
  const pool = Buffer.alloc(bytes.length + 6);
  pool.set(bytes, 3);
  assert.deepEqual(decodeSafetensors(pool.subarray(3, 3 + bytes.length)).tensors.get("t")!.values, values);
});

Deno.test("safetensors: damaged files are refused by name", () => {
  const tensor = (from: number, to: number, shape: unknown = [1], dtype = "F32") => ({
    dtype,
    shape,
    data_offsets: [from, to],
  });
  const refused: [Uint8Array, RegExp][] = [
    [new Uint8Array(4), /4 bytes, too few/],
    [file("{", 0), /header is not JSON/],
    [file("[]", 0), /header is no object/],
    [file({ a: tensor(0, 4) }, 0), /tensor `a` of the shape \[1\] stands at 0 to 4 of 0/],
    [file({ a: tensor(0, 4, [2]) }, 4), /tensor `a` of the shape \[2\]/],
    [file({ a: tensor(0, 4, [-1]) }, 4), /tensor `a` has no shape/],
    [file({ a: tensor(0, 4, [1], "BF16") }, 4), /type BF16, expected F64/],
    [file({ a: tensor(4, 8) }, 8), /tensor `a` starts at 4, expected 0/],
    [file({ a: tensor(0, 4), b: tensor(0, 4) }, 4), /tensor `b` starts at 0, expected 4/],
    [file({ a: tensor(0, 4) }, 6), /2 bytes after the last tensor/],
    [file({ a: null }, 0), /tensor `a` has the type undefined/],
  ];
  for (const [bytes, message] of refused) assert.throws(() => decodeSafetensors(bytes), message);
  const long = file({}, 0);
  new DataView(long.buffer).setBigUint64(0, 1n << 60n, true);
  assert.throws(() => decodeSafetensors(long), /header should have/);
});

Deno.test("a circuit comes back from its files as it was", async (test) => {
  await holds(
    test,
    fc.asyncProperty(anyCircuit(), async (circuit) => {
      const { structure, parameters } = encodeCircuit(circuit);
      const back = decodeCircuit(structure, parameters);
      assert.deepEqual(back.nodes, circuit.nodes);
      assert.deepEqual(back.variables, circuit.variables);
      assert.deepEqual(new Map([...back.parameters].sort()), new Map([...circuit.parameters].sort()));
      assert.deepEqual(encodeCircuit(back), { structure, parameters });
      const logs = await Promise.all(
        [circuit, back].map((c) => new ReferenceEvaluator(c).logLikelihoods(allSamples(c))),
      );
      assert.deepEqual(logs[0], logs[1]);
    }),
    { numRuns: 50 },
  );
});

Deno.test("real numbers and small probabilities come back from a file with all their digits", () => {
  const b = new CircuitBuilder();
  const leaves = [
    b.input({ variable: b.real("x"), family: "gaussian", units: 1, parameter: [1e9 + 0.125, 1e-6] }),
    b.input({
      variable: b.categorical("level", 65536),
      family: "logistic",
      units: 1,
      parameter: [40000.3, 0.1],
    }),
    b.input({
      variable: b.categorical("coin", 2),
      family: "bernoulli",
      units: 1,
      parameter: [1e-9, 1 - 1e-9],
    }),
  ];
  const circuit = b.build(b.sum([b.product(leaves)], { units: 1 }));
  const { structure, parameters } = encodeCircuit(circuit);
  const back = decodeCircuit(structure, parameters);
  assert.deepEqual(leaves.map((id) => [...leafOf(back, back.nodes[id] as InputNode).values]), [
    [1e9 + 0.125, 1e-6],
    [40000.3, 0.1],
    [Math.fround(1e-9), 1],
  ]);
});

Deno.test("a file of version 1 is read: real numbers in float32, Bernoulli leaves as P(1) alone", async () => {
  const nodes = [
    { kind: "input", units: 2, variable: 0, family: "bernoulli", parameter: "coin" },
    { kind: "input", units: 2, variable: 1, family: "gaussian", parameter: "height" },
    { kind: "product", units: 2, children: [0, 1] },
    { kind: "sum", units: 1, children: [2], parameter: "z" },
  ];
  const variables = [{ kind: "categorical", name: "coin", states: 2 }, { kind: "real", name: "height" }];
  const structure = JSON.stringify({ format: "retort-circuit", version: 1, variables, nodes, root: 3 });
  const parameters = encodeSafetensors(
    new Map<string, Tensor>([
      ["coin", { shape: [2], values: Float32Array.of(0.25, 0.5) }],
      ["height", { shape: [2, 2], values: Float32Array.of(0, 1, 0, 1) }],
      ["z", { shape: [1, 1, 2], values: Float32Array.of(0.5, 0.5) }],
    ]),
  );
  const circuit = decodeCircuit(structure, parameters);
  assert.deepEqual(circuit.parameters.get("coin"), {
    id: "coin",
    shape: [2, 2],
    values: Float32Array.of(0.75, 0.25, 0.5, 0.5),
  });
  assert.ok(circuit.parameters.get("height")!.values instanceof Float64Array);
  const [log] = await new ReferenceEvaluator(circuit).logLikelihoods(samplesFromRows([[1, 0]]));
  assert.ok(Math.abs(log! - Math.log(0.375 / Math.sqrt(2 * Math.PI))) < 1e-12);
});

Deno.test("save and load through a folder; a missing file is named", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const circuit = hmm({ length: 3, states: 2, symbols: 4 });
    await saveCircuit(`${folder}/deep/model`, circuit);
    const names = [...Deno.readDirSync(`${folder}/deep/model`)].map((entry) => entry.name).sort();
    assert.deepEqual(names, ["circuit.json", "parameters.safetensors"]);
    assert.deepEqual((await loadCircuit(`${folder}/deep/model`)).nodes, circuit.nodes);
    await Deno.remove(`${folder}/deep/model/parameters.safetensors`);
    await assert.rejects(loadCircuit(`${folder}/deep/model`), /parameters.safetensors is missing/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

// deno-lint-ignore no-explicit-any
type Loose = any;

Deno.test("every fault of a file is refused with its place", () => {
  const circuit = hmm({ length: 2, states: 2, symbols: 3 });
  const { structure, parameters } = encodeCircuit(circuit);
  // Nodes: 0 leaf x1, 1 sum z1, 2 leaf x0, 3 product, 4 sum z0.
  const changed = (change: (file: Loose) => void): string => {
    const file = JSON.parse(structure);
    change(file);
    return JSON.stringify(file);
  };
  const refused: [(file: Loose) => void, RegExp][] = [
    [(f) => f.version = 5, /version 5 of the format; this program reads up to 4/],
    [(f) => f.format = "other", /format: /],
    [(f) => f.extra = 1, /extra/],
    [(f) => f.nodes[1].kind = "max", /nodes\[1\]/],
    [
      (f) => f.nodes[0].family = "weibull",
      /input node 0: unknown leaf family `weibull`; known are bernoulli, .*categorical/,
    ],
    [(f) => f.nodes[0].variable = 9, /input node 0: there is no variable 9/],
    [(f) => f.nodes[0].units = 0, /nodes\[0\].units/],
    [(f) => f.nodes[2].units = 3, /expected one of the shape \[3, 3\]/],
    [(f) => f.nodes[1].children = [3], /it is its own descendant: 1 -> 3 -> 1/],
    [(f) => f.nodes[1].children = [1], /it is its own descendant: 1 -> 1/],
    [(f) => f.nodes[1].children = [2], /a parent stands before its child/],
    [(f) => f.nodes[1].children = [77], /sum node 1 `z1`: its child 77 does not exist/],
    [(f) => f.nodes[3].children = [2, 2], /product node 3: not decomposable: .* shares variable 0 `x0`/],
    [
      (f) => f.nodes[4].children = [3, 2],
      /sum node 4 `z0`: not smooth: its child 2 does not depend on variable 1 `x1`/,
    ],
    [
      (f) => f.nodes[1].groups = 2,
      /there is|has the shape \[1, 2, 2\], expected one of the shape \[2, 1, 1\]/,
    ],
    [(f) => f.nodes[1].parameter = "nothing", /there is no parameter `nothing`/],
    [(f) => f.root = 2, /does not depend on/],
    [(f) => f.root = 50, /there is no node 50/],
    [(f) => f.nodes.reverse(), /a parent stands before its child|own descendant|does not exist|root/],
    [(f) => f.variables[0].states = 4, /expected one of the shape \[2, 4\]/],
    [(f) => f.nodes[0].family = "gaussian", /a gaussian leaf models real variables/],
    [(f) => f.nodes[0].settings = { a: "x" }, /nodes\[0\].settings.a/],
  ];
  for (const [change, message] of refused) {
    assert.throws(() => decodeCircuit(changed(change), parameters, "model"), (error: unknown) => {
      assert.ok(error instanceof CircuitError);
      assert.match(error.message, message);
      assert.match(error.message, /^model/);
      return true;
    });
  }
  assert.throws(() => decodeCircuit("{", parameters), /its structure is not JSON/);
  assert.throws(() => decodeCircuit("null", parameters), CircuitError);
  const withValues = (id: string, values: number[]): Circuit =>
    replaceValues(circuit, new Map([[id, Float32Array.from(values)]]));
  const bad: [Circuit, RegExp][] = [
    [
      withValues("transition", [NaN, 1, 0.5, 0.5]),
      /parameter `transition` of sum node 1 `z1`: row 0, entry 0 is NaN/,
    ],
    [withValues("transition", [0.5, 0.5, 0.5, 0.6]), /row 1 sums to 1.1/],
    [withValues("transition", [0.5, 0.5, -1, 2]), /row 1, entry 0 is -1/],
    [withValues("emission", [0, 0, 0, 1, 0, 0]), /parameter `emission` of input node 0: unit 0 sums to 0/],
  ];
  for (const [broken, message] of bad) {
    const { structure } = encodeCircuit(circuit), written = encodeSafetensors(broken.parameters);
    assert.throws(() => decodeCircuit(structure, written), message);
    assert.throws(() => encodeCircuit(broken), message);
  }
  const extra = encodeSafetensors(
    new Map<string, Tensor>([...circuit.parameters, ["stray", { shape: [1], values: new Float32Array(1) }]]),
  );
  assert.throws(() => decodeCircuit(structure, extra), /parameter `stray`: no node uses it/);
});

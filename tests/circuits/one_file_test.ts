import assert from "node:assert/strict";
import {
  CircuitError,
  decodeCircuitFile,
  encodeCircuitFile,
  encodeSafetensors,
  hmm,
  loadCircuit,
  ReferenceEvaluator,
  samplesFromRows,
  saveCircuit,
  type Tensor,
} from "../../circuits/mod.ts";
import { codesOfRows, rowsOfCodes } from "../../circuits/eight_bits.ts";

const circuit = hmm({ length: 5, states: 4, symbols: 7, seed: 2 });

Deno.test("a circuit comes back from one file as it was, with the texts that went with it", () => {
  const { bytes, loss } = encodeCircuitFile(circuit, { metadata: { vocabulary: "[]", maker: "a tab" } });
  const back = decodeCircuitFile(bytes);
  assert.deepEqual(back.circuit, circuit);
  assert.deepEqual(back.metadata, { vocabulary: "[]", maker: "a tab" });
  assert.equal(loss, undefined);
});

Deno.test("8 bits take a quarter, and cost what is said", async () => {
  const wide = hmm({ length: 4, states: 6, symbols: 3000, seed: 2 });
  const whole = encodeCircuitFile(wide), small = encodeCircuitFile(wide, { bits: 8 });
  assert.ok(small.bytes.length < 0.3 * whole.bytes.length);
  const back = decodeCircuitFile(small.bytes).circuit;
  const [exact, rounded] = [wide, back].map((one) => one.parameters.get("emission")!.values);
  let mean = 0;
  exact!.forEach((p, i) => mean += p * Math.log(p / rounded![i]!) / 6);
  assert.ok(Math.abs(mean - small.loss!.mean) < 1e-6);
  assert.ok(small.loss!.largest < 0.002 && small.loss!.largest >= small.loss!.mean);
  const rows = samplesFromRows([[0, 1, 2, 3], [9, null, 7, 2999]]);
  const logs = await Promise.all([wide, back].map((one) => new ReferenceEvaluator(one).logLikelihoods(rows)));
  logs[0]!.forEach((log, s) => assert.ok(Math.abs(log - logs[1]![s]!) < 0.2));
});

Deno.test("zeros stay zeros in 8 bits, and what is rare stays possible", () => {
  const { codes } = codesOfRows([0, 1, 1e-30, 0.5, 0.25, 0.25], 3);
  const back = rowsOfCodes(codes, 3);
  assert.equal(back[0], 0);
  assert.ok(back[2]! > 0 && back[2]! < 1e-10);
  for (const [i, p] of [0.5, 0.25, 0.25].entries()) assert.ok(Math.abs(back[3 + i]! / p - 1) < 0.06);
});

Deno.test("`loadCircuit` reads a folder and one file alike", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeFile(`${folder}/one.retort`, encodeCircuitFile(circuit).bytes);
    await saveCircuit(`${folder}/model`, circuit);
    const [one, other] = [await loadCircuit(`${folder}/one.retort`), await loadCircuit(`${folder}/model`)];
    assert.deepEqual(one, other);
    await assert.rejects(loadCircuit(`${folder}/none`), /circuit.json is missing/);
    await Deno.writeTextFile(`${folder}/text`, "what is this?");
    await assert.rejects(loadCircuit(`${folder}/text`), /header should have/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("files that hold no circuit are refused", () => {
  const floats: Tensor = { shape: [1], values: new Float32Array(1) };
  const plain = encodeSafetensors(new Map([["a", floats]]));
  assert.throws(() => decodeCircuitFile(plain), /without a circuit's structure/);
  const { bytes } = encodeCircuitFile(circuit);
  assert.throws(() => decodeCircuitFile(bytes.subarray(0, bytes.length - 3)), CircuitError);
  const coded = (text: string) => {
    const { metadata, tensors } = {
      metadata: { format: "retort-circuit", structure: "{}", coded: text },
      tensors: new Map([["a", floats]]),
    };
    return encodeSafetensors(tensors, metadata);
  };
  assert.throws(() => decodeCircuitFile(coded("[")), /list of its tables/);
  assert.throws(() => decodeCircuitFile(coded('["a"]')), /no table in 8 bits/);
  assert.throws(() => decodeCircuitFile(coded("[]")), /holds no valid circuit/);
  assert.throws(() => encodeCircuitFile(circuit, { metadata: { coded: "x" } }), /a name of the format's own/);
  assert.throws(() => encodeCircuitFile(circuit, { bits: 7 as 8 }), /expected 8 or 32/);
});

/** Numbers of model files replaced by any others: every file is read or refused by a CircuitError, soon. */
import assert from "node:assert/strict";
import * as fc from "fast-check";
import {
  categoricalVariables,
  type Circuit,
  CircuitError,
  compileFactors,
  decodeCircuit,
  decodeSafetensors,
  encodeCircuit,
  formatJpc,
  formatUai,
  hmm,
  naiveMixture,
  parseJpc,
  parsePsdd,
  parseUai,
  parseUaiEvidence,
  ReferenceEvaluator,
  unobserved,
} from "../../circuits/mod.ts";
import { holds } from "../property.ts";
import "./truth.ts";

/** Numbers that files have no good reason to hold, and some that they have. */
const odd = fc.oneof(
  fc.maxSafeNat(),
  fc.nat(10),
  fc.constantFrom(-1, 0.5, 2 ** 31, 2 ** 32, 2 ** 53, 1e308, -0, 65535, 65536, 16777216),
  fc.maxSafeInteger(),
  fc.double(),
);

/** A text with one to three of its numbers replaced. */
const mutated = (text: string) =>
  fc.array(fc.record({ at: fc.nat(), value: odd }), { minLength: 1, maxLength: 3 }).map((changes) => {
    const parts = text.split(/(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)/i);
    for (const { at, value } of changes) parts[1 + 2 * (at % (parts.length >> 1))] = String(value);
    return parts.join("");
  });

/** How long a file may take: far above what any of these small ones needs, far below a hang. */
const SOON = 5000;

async function readOrRefused(read: () => Circuit | void, text: string): Promise<void> {
  const begin = performance.now();
  try {
    const circuit = read();
    if (circuit !== undefined) {
      const [log] = await new ReferenceEvaluator(circuit).logLikelihoods(
        unobserved(1, circuit.variables.length),
      );
      assert.ok(Math.abs(log!) < 1e-3, `${log} of nothing observed:\n${text}`);
    }
  } catch (error) {
    if (!(error instanceof CircuitError)) {
      throw new Error(`not refused as it should be:\n${text}`, { cause: error });
    }
  }
  assert.ok(performance.now() - begin < SOON, `took too long:\n${text}`);
}

const texts: Record<string, { text: string; read: (text: string) => Circuit | void }> = {
  psdd: {
    text: "psdd 7\nL 0 0 1\nL 1 0 -1\nT 2 1 2 -0.5\nT 3 1 2 -0.25 -1.5084\nT 4 2 3 -1\n" +
      "D 5 3 2 0 2 -0.6931472 1 3 -0.6931472\nD 6 4 1 5 4 0.0\n",
    read: parsePsdd,
  },
  jpc: {
    text:
      "jpc 9\nL 0 0 1\nL 1 0 -1\nI 2 0 2 2\nC 3 0 2 -1.0986 -1.0986 -1.0987\nB 4 0 3 5 0.25\nG 5 0 4 1.5 2\n" +
      "P 6 0 4 0 2 4 5\nP 7 0 4 1 3 4 5\nS 8 0 2 6 -0.6931472 7 -0.6931472\n",
    read: parseJpc,
  },
  jpcOfHmm: { text: formatJpc(hmm({ length: 3, states: 2, symbols: 3 })), read: parseJpc },
  uai: {
    text: formatUai({
      states: [2, 3, 2],
      factors: [{ scope: [0, 1], values: Float64Array.of(1, 2, 3, 4, 5, 6) }, {
        scope: [1, 2],
        values: Float64Array.of(1, 0, 3, 4, 0.5, 6),
      }],
    }),
    read: (text) => compileFactors(parseUai(text)).circuit,
  },
  evidence: {
    text: "2\n1 0 1\n2 1 2 2 0\n",
    read: (text) => void parseUaiEvidence(text, { states: [2, 3, 2], factors: [] }),
  },
};

for (const [format, { text, read }] of Object.entries(texts)) {
  Deno.test(`${format}: any numbers in a file are read or refused`, async (test) => {
    await readOrRefused(() => read(text), text);
    await holds(
      test,
      fc.asyncProperty(mutated(text), (changed) => readOrRefused(() => read(changed), changed)),
      { numRuns: 1000 },
    );
  });
}

const circuits: Record<string, Circuit> = {
  hmm: hmm({ length: 3, states: 2, symbols: 3 }),
  mixture: naiveMixture([...categoricalVariables(2, 3), { kind: "real", name: "y" }], {
    components: 2,
    leaf: (variable, v) => ({
      family: variable.kind === "real" ? "gaussian" : v === 0 ? "logistic" : "categorical",
    }),
  }),
};

for (const [name, circuit] of Object.entries(circuits)) {
  Deno.test(`circuit.json of a ${name}: any numbers are read or refused`, async (test) => {
    const { structure, parameters } = encodeCircuit(circuit);
    await holds(
      test,
      fc.asyncProperty(
        mutated(structure),
        (changed) => readOrRefused(() => decodeCircuit(changed, parameters), changed),
      ),
      { numRuns: 1000 },
    );
  });
}

Deno.test("safetensors: any numbers in the header are read or refused", async (test) => {
  const { parameters } = encodeCircuit(circuits["mixture"]!);
  const length = Number(new DataView(parameters.buffer).getBigUint64(0, true));
  const header = new TextDecoder().decode(parameters.subarray(8, 8 + length));
  await holds(
    test,
    fc.asyncProperty(mutated(header), async (changed) => {
      const text = new TextEncoder().encode(changed);
      const bytes = new Uint8Array(8 + text.length + parameters.length - 8 - length);
      new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
      bytes.set(text, 8);
      bytes.set(parameters.subarray(8 + length), 8 + text.length);
      await readOrRefused(() => void decodeSafetensors(bytes), changed);
    }),
    { numRuns: 1000 },
  );
  await holds(
    test,
    fc.asyncProperty(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), async (claimed) => {
      const bytes = parameters.slice();
      new DataView(bytes.buffer).setBigUint64(0, claimed, true);
      await readOrRefused(() => void decodeSafetensors(bytes), `length ${claimed}`);
    }),
  );
});

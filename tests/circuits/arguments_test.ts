/** A whole argument of a wrong kind, such as `undefined`, is refused in words for people by every function that users call. */
import assert from "node:assert/strict";
import * as circuits from "../../circuits/mod.ts";
import * as kernels from "../../kernels/mod.ts";

const WRONG = [undefined, null, 5, "x", {}];

/** Parts of evaluators and learners, called for every node, sample or row: who calls them has checked what they get. */
const INNER = `
  CountedWeight PatchLearner accumulateSoft amountOf applyUpdate batchOf bytesPerSample certainStates checkFalling
  childrenOf clusterLogs courseOf defaultLeaf describeNode describeVariable downward encodeSafetensors firstDifferent
  firstShared foldOf inPrecision inScope isBetter isObserved isSoft leafOf leafStates logSumExp mapSoft mostFalls
  nodesOfFolds parameterBytes philox realColumns rectangleMask rowFactors ruleAt safetensorsHeaderLength
  safetensorsPieces safetensorsPlaces sampleSoft scopeVariables settingsFor shapeOf softLogProbability softMode softOf softPosterior
  softWidth statesOf statesOfValues unitsInto updateRows upward weightOf
`.trim().split(/\s+/);

// deno-lint-ignore no-explicit-any -- called with what its type forbids
type Called = any;

const exported: [string, Called][] = [circuits, kernels].flatMap((module) =>
  Object.entries(module).filter(([, value]) => typeof value === "function")
);

/** Calls a function, or makes an object of a class, and waits for what comes. */
async function called(of: Called, x: unknown): Promise<void> {
  const made = /^class\b/.test(Function.prototype.toString.call(of)) ? new of(x) : of(x);
  const result = await made;
  await result?.next?.();
}

/** The first error that is not for people. */
async function fault(of: Called): Promise<unknown> {
  for (const x of WRONG) {
    try {
      await called(of, x);
    } catch (error) {
      if (!(error instanceof circuits.CircuitError)) return error;
    }
  }
  return undefined;
}

Deno.test("every exported function refuses a whole argument of a wrong kind", async () => {
  const faults: string[] = [];
  for (const [name, of] of exported) {
    if (INNER.includes(name)) continue;
    const error = await fault(of);
    if (error !== undefined) faults.push(`${name}: ${error}`);
  }
  assert.deepEqual(faults, [], "call `requireCircuit`, `requireSamples` or the like in these");
});

Deno.test("functions that are left out of that need it", async () => {
  const names = exported.map(([name]) => name), idle: string[] = [];
  assert.deepEqual(INNER.filter((name) => !names.includes(name)), [], "no longer exported");
  for (const [name, of] of exported) {
    if (INNER.includes(name) && await fault(of) === undefined) idle.push(name);
  }
  assert.deepEqual(idle, [], "take these out of INNER");
});

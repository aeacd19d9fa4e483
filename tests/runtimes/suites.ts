/** What `retort/circuits`, `retort/engines` and `retort/kmeans` must do in every runtime: the suites of the engines, and what touches files. */
import { type Circuit, requireSingleRoot } from "../../circuits/mod.ts";
import { openKMeans } from "../../kernels/kmeans/mod.ts";
import { type EngineName, openEngine } from "../../kernels/mod.ts";
import { learnerConformance } from "../circuits/learner_conformance.ts";
import { digitsSuite } from "../kernels/digits_suite.ts";
import { engineSuite } from "../kernels/engine_suite.ts";
import { kmeansSuite } from "../kernels/kmeans_suite.ts";
import { softSuite } from "../kernels/soft_suite.ts";
import { librarySuite, type Truth } from "./library_suite.ts";

/** Fewer random circuits than the suites try under Deno: what differs between runtimes does so on any. */
const FEW = 2;

/** Registers all of them. */
export function runtimeSuites(truth: Truth, name: EngineName = "cpu"): void {
  const circuits = FEW;
  const open = (circuit: Circuit, memory?: number) =>
    openEngine(circuit, { engine: name, threads: 1, ...(memory !== undefined && { memory }) });
  engineSuite({ name, circuits, relative: name === "webgpu" ? 1e-6 : 0, shut: name === "cpu", open });
  softSuite({ name, circuits, relative: 1e-6, open });
  learnerConformance({
    name,
    circuits,
    open(circuit) {
      requireSingleRoot(circuit);
      return open(circuit);
    },
  });
  digitsSuite({ name, open });
  const engine = openKMeans({ engine: name });
  kmeansSuite({
    name,
    kernel: async (width, clusters) => (await engine).kernel(width, clusters),
    share: name === "webgpu" ? 0.05 : 0.1,
  });
  librarySuite(truth, name);
}

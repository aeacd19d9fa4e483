import { requireSingleRoot } from "../../circuits/mod.ts";
import { CpuEngine } from "../../kernels/cpu/engine.ts";
import { learnerConformance } from "../circuits/learner_conformance.ts";
import { engineSuite } from "./engine_suite.ts";

const options = { threads: 1 };

engineSuite({
  name: "cpu",
  open: (circuit, memory) => new CpuEngine(circuit, { ...options, ...(memory !== undefined && { memory }) }),
});

learnerConformance({
  name: "cpu",
  open(circuit) {
    requireSingleRoot(circuit);
    return new CpuEngine(circuit, options);
  },
});

import { CpuEngine } from "../../kernels/cpu/engine.ts";
import { softSuite } from "./soft_suite.ts";

softSuite({
  name: "cpu",
  circuits: 8,
  relative: 1e-6,
  open: (circuit, memory) => new CpuEngine(circuit, { threads: 1, ...(memory !== undefined && { memory }) }),
});

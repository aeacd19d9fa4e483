import { ReferenceLearner } from "../../circuits/mod.ts";
import { CpuEngine } from "../../kernels/cpu/engine.ts";
import { digitsSuite } from "./digits_suite.ts";

digitsSuite({ name: "reference", open: (circuit) => new ReferenceLearner(circuit) });
digitsSuite({ name: "cpu", open: (circuit) => new CpuEngine(circuit, { threads: 1 }) });

import { WebGpuEngine } from "../../../kernels/webgpu/engine.ts";
import { learnerConformance } from "../../circuits/learner_conformance.ts";
import { host, onGpu } from "./host.ts";

learnerConformance({ name: "webgpu", open: (circuit) => WebGpuEngine.open(host, circuit), test: onGpu });

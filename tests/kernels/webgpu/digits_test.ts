import { WebGpuEngine } from "../../../kernels/webgpu/engine.ts";
import { digitsSuite } from "../digits_suite.ts";
import { host, onGpu } from "./host.ts";

digitsSuite({ name: "webgpu", open: (circuit) => WebGpuEngine.open(host, circuit), test: onGpu });

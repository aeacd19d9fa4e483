import assert from "node:assert/strict";
import { findGpu } from "../../foundation/gpu.ts";
import { partNeeds } from "../needs.ts";

const SHADER = /* wgsl */ `
@group(0) @binding(0) var<storage, read_write> data: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  data[id.x] = data[id.x] * 2.0 + 1.0;
}`;

Deno.test("WebGPU computes on this machine", async () => {
  const adapter = await findGpu()?.requestAdapter();
  if (!partNeeds("webgpu", Boolean(adapter)) || !adapter) return;
  const device = await adapter.requestDevice();
  const input = Float32Array.from({ length: 256 }, (_, i) => i);
  const buffer = device.createBuffer({
    size: input.byteLength,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
  });
  const back = device.createBuffer({
    size: input.byteLength,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  device.queue.writeBuffer(buffer, 0, input);
  const pipeline = device.createComputePipeline({
    layout: "auto",
    compute: { module: device.createShaderModule({ code: SHADER }) },
  });
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer } }],
  });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(input.length / 64);
  pass.end();
  encoder.copyBufferToBuffer(buffer, 0, back, 0, input.byteLength);
  device.queue.submit([encoder.finish()]);
  await back.mapAsync(GPUMapMode.READ);
  assert.deepEqual([...new Float32Array(back.getMappedRange())], [...input].map((x) => 2 * x + 1));
  device.destroy();
});

/** Teachers on ONNX Runtime's WebGPU, each in a process of its own: the environment names the driver. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { farOutput } from "../../kernels/onnx/engine_session.ts";
import { ROOT } from "../command.ts";
import { needs } from "../needs.ts";

/** Vulkan in software. Mesa's lacks in Debian 12 what ONNX Runtime's WebGPU asks of a driver; Chromium's has it. */
const DRIVER = "/usr/lib/chromium/vk_swiftshader_icd.json";

interface OnEngine {
  readonly used: readonly string[];
  readonly said: readonly string[];
  readonly vectors: readonly (readonly number[])[];
}

async function vectorsOn(engine: string, driver: string): Promise<OnEngine> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "--allow-all", "tests/teachers/on_engine.ts", engine],
    cwd: ROOT,
    env: { VK_ICD_FILENAMES: driver, XDG_RUNTIME_DIR: "/tmp" },
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

Deno.test({
  ...needs("browser", existsSync(DRIVER)),
  name: "teachers give the same vectors on WebGPU within 1e-3 of the largest number",
  async fn() {
    const cpu = await vectorsOn("cpu", DRIVER), gpu = await vectorsOn("webgpu", DRIVER);
    assert.deepEqual([cpu.used, gpu.used, gpu.said], [["cpu", "cpu"], ["webgpu", "webgpu"], []]);
    for (const [i, vectors] of cpu.vectors.entries()) {
      const largest = Math.max(...vectors.map(Math.abs));
      const apart = Math.max(...vectors.map((x, j) => Math.abs(x - gpu.vectors[i]![j]!)));
      assert.ok(largest > 0.1 && apart <= 1e-3 * largest, `${apart} of ${largest}`);
    }
  },
});

Deno.test("where ONNX Runtime finds no adapter, teachers are computed by the CPU, and it is said why", async () => {
  const cpu = await vectorsOn("cpu", "/nowhere.json"), gpu = await vectorsOn("webgpu", "/nowhere.json");
  assert.deepEqual([gpu.used, gpu.vectors], [["cpu", "cpu"], cpu.vectors]);
  for (const said of gpu.said) {
    assert.match(said, /^ONNX Runtime computes on the CPU: it has no adapter \(.+\)$/);
  }
  assert.deepEqual([cpu.said.length, gpu.said.length], [0, 2]);
});

Deno.test("outputs of a device are near those of the CPU within 1e-3 of their largest number; NaN is not", () => {
  const of = (...numbers: number[]) => ({ y: { data: Float32Array.from(numbers), shape: [numbers.length] } });
  assert.equal(farOutput(of(100, 0.01, NaN), of(100.05, 0.05, NaN)), undefined);
  assert.match(farOutput(of(100, 1), of(100, 1.2))!, /^`y` differs by 0\.200, its largest number is 100$/);
  assert.match(farOutput(of(1, 2), of(1, NaN))!, /differs by NaN/);
  assert.match(farOutput(of(1, NaN), of(1, 2))!, /differs by NaN/);
  assert.match(farOutput(of(1, 2), of(1))!, /differs/);
});

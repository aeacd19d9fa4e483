import { WebGpuEngine } from "../../kernels/webgpu/engine.ts";
import { DeviceHost } from "../../kernels/webgpu/host.ts";
import type { Circuit, Samples } from "../../circuits/mod.ts";
import { checkGolden, hashOf } from "../golden.ts";
import { mixedSamples } from "../circuits/soft_truth.ts";
import { type GoldenCase, goldenCases, goldenRules } from "./circuits.ts";
import { recordingGpu, type Sources } from "./recording_gpu.ts";

/** Templates whose kernels are kept in full, those for hardware: leaves and updates. */
const READABLE = ["leaves", "scatter", "update"];

/** The kernels of everything that an engine does with circuits. */
async function kernels(software: boolean, cases: readonly GoldenCase[]): Promise<Sources> {
  const sources: Sources = new Map();
  const host = new DeviceHost(recordingGpu(sources), { software });
  for (const { circuit, samples } of cases) {
    const engine = await WebGpuEngine.open(host, circuit);
    await engine.activations(samples, "sum");
    await engine.activations(samples, "max");
    for (const rule of Object.values(goldenRules)) {
      await engine.accumulate(samples);
      await engine.update(rule);
    }
    await engine.close();
  }
  await host.close();
  return sources;
}

/** WGSL without comments and empty lines: what is said of code may change. */
function bare(code: string): string {
  return code.split("\n").map((line) => line.replace(/\s*\/\/.*$/, "")).filter((line) => line.trim() !== "")
    .join("\n");
}

for (const machine of ["software", "hardware"]) {
  Deno.test(`golden: the WGSL of all kernels, as for ${machine}`, async () => {
    const sources = [...await kernels(machine === "software", goldenCases())]
      .map(([label, code]) => ({ template: label.split(" ")[0]!, code: bare(code) }));
    const lines = await Promise.all(
      sources.map(async ({ template, code }) => `${template} ${await hashOf(code)}`),
    );
    checkGolden(`wgsl_${machine}.txt`, [...new Set(lines)].sort().join("\n"));
    if (machine === "software") return;
    for (const template of READABLE) {
      const own = sources.filter((source) => source.template === template).map(({ code }) => code);
      checkGolden(`${template}.wgsl`, [...new Set(own)].sort().join("\n\n"));
    }
  });
}

/** Without the soft evidence that the host computes, by parameters that the recording device does not have. */
function onDevices({ nodes }: Circuit, samples: Samples): Samples {
  const host = new Set(
    nodes.flatMap((node) => node.kind === "input" && node.family === "subset" ? node.variable : []),
  );
  return { ...samples, soft: new Map([...samples.soft ?? []].filter(([v]) => !host.has(v))) };
}

Deno.test("golden: the WGSL of soft evidence, as for hardware", async () => {
  const cases = goldenCases().filter(({ circuit }) =>
    circuit.variables.every(({ kind }) => kind !== "external")
  )
    .map((one) => ({ ...one, samples: onDevices(one.circuit, mixedSamples(one.circuit, 5, 1)) }));
  const own = [...await kernels(false, cases)].filter(([label]) => label.startsWith("soft"))
    .map(([, code]) => bare(code));
  checkGolden("soft.wgsl", [...new Set(own)].sort().join("\n\n"));
});

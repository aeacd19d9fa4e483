import { type Diagnosis, type EngineReport, examine } from "../../kernels/doctor.ts";
import { bytesText, paint, print, printJson, table } from "../output.ts";
import { JSON_OUTPUT, VERBOSE } from "../options.ts";
import { defineCommand } from "../command.ts";

export default defineCommand({
  name: "doctor",
  summary: "examine the engines of this machine, and say what auto picks",
  permissions: ["--allow-read", "--allow-env", "--allow-sys", "--allow-ffi"],
  declare: (command) =>
    command.option("--adapter <name>", "only the WebGPU adapters with this in their names").addOption(
      JSON_OUTPUT,
    ).addOption(VERBOSE)
      .action(doctor),
});

async function doctor({ adapter, json }: { adapter?: string; json?: true }): Promise<void> {
  const diagnosis = await examine(adapter);
  if (json) printJson(diagnosis);
  else print(diagnosisText(diagnosis));
  const broken = diagnosis.engines.some(({ selfTest }) => selfTest?.passed === false);
  const missing = diagnosis.engines.every(({ problem }) => problem !== undefined);
  if (broken || missing || (adapter !== undefined && diagnosis.engines.at(-1)?.problem !== undefined)) {
    Deno.exitCode = 1;
  }
}

function diagnosisText({ engines, auto }: Diagnosis): string {
  return [...engines.map(engineText), `\`--engine auto\` is ${paint("bold", auto)}`].join("\n\n");
}

function engineText({ engine, adapter, device, problem, selfTest, ...rates }: EngineReport): string {
  const rows: [string, string][] = [];
  if (problem !== undefined) rows.push(["cannot be used", problem]);
  if (device !== undefined) {
    const { limits, features } = device;
    rows.push(
      ["kind", device.software ? "software: never chosen by auto" : "hardware"],
      ["largest buffer", bytesText(limits.buffer)],
      ["largest binding", bytesText(limits.binding)],
      ["workgroup", `${limits.invocations} invocations, ${bytesText(limits.shared)} shared`],
      ["subgroups", features.subgroup > 0 ? `${features.subgroup} lanes` : "no"],
      ["f32 atomics", features.floatAtomics ? "yes" : "no"],
      ["timestamps", features.timestamps ? "yes" : "no"],
      ["f16", features.half ? "yes" : "no"],
    );
  }
  if (selfTest !== undefined) {
    const { passed, circuits, nats, flows } = selfTest;
    rows.push([
      "self-test",
      `${passed ? paint("green", "passed") : paint("red", "FAILED")}: ${circuits} models, at most ` +
      `${nats.toExponential(1)} nats and ${flows.toExponential(1)} of a count from the reference`,
    ]);
  }
  const { product, learning, bandwidth } = rates;
  if (product !== undefined) rows.push(["matrix product 1024", `${product.toFixed(1)} GFLOP/s`]);
  if (learning !== undefined) rows.push(["E-step, 256 states", `${learning.toFixed(1)} GFLOP/s`]);
  if (bandwidth !== undefined) rows.push(["copies", `${bandwidth.toFixed(1)} GB/s`]);
  return `${paint("bold", engine)}: ${adapter}\n${table([], rows)}`;
}

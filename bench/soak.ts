/**
 * Trains on the WebGPU engine over and over, in the second half losing the device every now and then, and watches memory: that of the
 * process and that of the device. Fails when parameters differ from those of a calm training, or memory grows in the calm half.
 * What a lost device leaves behind in the process is told.
 *
 *     deno task bench:soak                                20 minutes, 50 losses
 *     deno task bench:soak --minutes 2 --losses 50 --json
 */
import { hmm, RandomStream, type Samples } from "../circuits/mod.ts";
import { openEngine } from "../kernels/open.ts";
import { findGpu } from "../foundation/gpu.ts";
import { WebGpuEngine } from "../kernels/webgpu/engine.ts";
import { DeviceHost } from "../kernels/webgpu/host.ts";
import type { RemoteEngine } from "../kernels/webgpu/remote.ts";
import { benchOptions, type Figure, figure, meets, printFigures } from "./measure.ts";

const options = benchOptions({
  minutes: { type: "string", default: "20" },
  losses: { type: "string", default: "50" },
});
const duration = 60_000 * Number(options.minutes), losses = Number(options.losses);

const circuit = hmm({ length: 16, states: 64, symbols: 100, seed: 1 });
const batches = [0, 1, 2, 3].map((seed): Samples => {
  const random = new RandomStream(seed);
  return { count: 128, variables: 16, values: Int32Array.from({ length: 2048 }, () => random.integer(100)) };
});

/** An epoch from the start: digest of the parameters it ends with. */
async function epoch(engine: WebGpuEngine | RemoteEngine, lose?: () => unknown): Promise<string> {
  await engine.setParameters(new Map([...circuit.parameters].map(([id, { values }]) => [id, values])));
  for (const [i, batch] of batches.entries()) {
    if (i === 2) await lose?.();
    await engine.accumulate(batch);
    await engine.update({ step: { kind: "inertia", inertia: 0.5 }, sums: { pseudocount: 0.1 } });
  }
  const digest = await crypto.subtle.digest(
    "SHA-256",
    await new Blob([...(await engine.parameters()).values()].map((array) => array as BlobPart)).arrayBuffer(),
  );
  return new Uint8Array(digest).toHex();
}

const host = new DeviceHost(findGpu());
const engine = await WebGpuEngine.open(host, circuit);
const calm = await epoch(engine);
const began = performance.now();
const memory: { second: number; host: number; device: number }[] = [];
let epochs = 0, wrong = 0, asked = 0;
for (let at = 0; at < duration || asked < losses; at = performance.now() - began) {
  const due = asked < losses && at >= duration / 2 * (1 + asked / losses);
  const lose = due ? () => (asked++, engine.session.open.device.destroy()) : undefined;
  if (await epoch(engine, lose) !== calm) wrong++;
  epochs++;
  if (at >= memory.length * Math.max(1000, duration / 40)) {
    memory.push({
      second: Math.round(at / 1000),
      host: Deno.memoryUsage().rss,
      device: engine.session.bytes,
    });
  }
}
const survived = engine.deviceLosses;
await engine.close();
await host.close();

// The same behind the thread of a stage: opened and closed, with a loss, a few times.
let reopened = 0;
for (; reopened < 5; reopened++) {
  const remote = await openEngine(circuit, { engine: "webgpu" }) as RemoteEngine;
  if (await epoch(remote, () => remote.loseDevice()) !== calm) wrong++;
  await remote.close();
}

/** Mean memory of a part of the time. */
function mean(kind: "host" | "device", from: number, to: number): number {
  const part = memory.filter(({ second }) =>
    second * 1000 >= from * duration && second * 1000 <= to * duration
  );
  return part.reduce((sum, one) => sum + one[kind], 0) / part.length;
}

/** Growth in the calm half, after everything is warm. */
function growth(kind: "host" | "device"): number {
  return mean(kind, 0.35, 0.5) - mean(kind, 0.1, 0.25);
}

const mebibytes = (bytes: number) => bytes / 2 ** 20;
const figures: Figure[] = [
  figure("it took", "min", [(performance.now() - began) / 60_000]),
  figure("epochs", "", [epochs]),
  figure("losses of the device", "", [survived], { atLeast: asked }),
  figure("losses behind a thread", "", [reopened]),
  figure("epochs that ended with other parameters", "", [wrong], { atMost: 0 }),
  figure("growth of the process in the middle of the calm half", "MiB", [mebibytes(growth("host"))], {
    atMost: 16,
  }),
  figure("growth of memory on the device", "MiB", [mebibytes(growth("device"))], { atMost: 0.05 }),
  figure("growth of the process for each loss", "MiB", [
    mebibytes((memory.at(-1)!.host - mean("host", 0.35, 0.5)) / losses),
  ]),
];
printFigures(figures, {
  ...options,
  more: { hostMiB: memory.map((one) => Math.round(mebibytes(one.host))) },
});
Deno.exit(figures.every((one) => meets(one) !== false) ? Deno.exitCode : 1);

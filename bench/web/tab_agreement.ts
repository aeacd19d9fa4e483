import { openTabEngine } from "../../browser/engine.ts";
import { fitText, prepareText, type TextTraining } from "../../browser/train.ts";
import { type Circuit, replaceValues } from "../../circuits/circuit.ts";
import type { Learner } from "../../circuits/learner.ts";
import { RandomStream } from "../../circuits/random.ts";
import { openGatesHere } from "../../kernels/gates/here.ts";
import { openEngine } from "../../kernels/open.ts";
import { addressesText } from "../../tests/browser/addresses.ts";
import { type Figure, figure } from "../measure.ts";

const STATES = [32, 128, 256], STARTS = 3, EPOCHS = 5;

/**
 * How far scores of a real text are apart after five epochs, from three starts: of the tab's engine, opened under Deno; of the engine
 * `cpu`; of the tab's arithmetic in float64; and of `cpu` where every number of the start is moved by the last bit of float32.
 */
export async function measureTabAgreement(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const states of STATES) {
    const ofTab = { cpu: [] as number[], exact: [] as number[] };
    const ofEngine = { exact: [] as number[], moved: [] as number[] };
    for (let seed = 0; seed < STARTS; seed++) {
      const training = await prepareText(await addressesText(), { states, seed }), { start } = training;
      const ofCpu = (from: Circuit) => openEngine(from, { engine: "cpu", threads: 1 });
      const cpu = await scoreAfter(await ofCpu(start), training);
      const tab = await scoreAfter((await openTabEngine(start, "wasm")).engine, training);
      const exact = await scoreAfter(await openGatesHere(start), training);
      const itself = await scoreAfter(await ofCpu(moved(start)), training);
      ofTab.cpu.push(Math.abs(tab - cpu));
      ofTab.exact.push(Math.abs(tab - exact));
      ofEngine.exact.push(Math.abs(cpu - exact));
      ofEngine.moved.push(Math.abs(itself - cpu));
    }
    const what = `nats a token after ${EPOCHS} epochs of addresses, ${states} states`;
    figures.push(
      figure(`${what}: the tab from the engine cpu`, "", ofTab.cpu, { atMost: 1e-5 }),
      figure(`${what}: the tab from float64`, "", ofTab.exact),
      figure(`${what}: the engine cpu from float64`, "", ofEngine.exact),
      figure(`${what}: the engine cpu from itself, its start moved by the last bit`, "", ofEngine.moved),
    );
  }
  return figures;
}

/** A circuit with every number up or down by the last bit of float32. */
function moved(circuit: Circuit): Circuit {
  const random = new RandomStream(1, circuit.nodes.length);
  return replaceValues(
    circuit,
    new Map(
      [...circuit.parameters].map(([id, { values }]) => [
        id,
        Float64Array.from(values, (x) => x * (1 + (random.uniform() < 0.5 ? -1 : 1) * 2 ** -24)),
      ]),
    ),
  );
}

/** Nats a token after some epochs on an engine, which is then closed. */
async function scoreAfter(engine: Learner, training: TextTraining): Promise<number> {
  let nats = NaN;
  await fitText(engine, training, {
    epochs: EPOCHS,
    onEpoch: ({ perplexity }) => nats = Math.log(perplexity),
  });
  await engine.close();
  return nats;
}

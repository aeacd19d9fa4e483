import { openTabEngine } from "../../browser/engine.ts";
import { fitText, prepareText, type TextTraining } from "../../browser/train.ts";
import { type Circuit, replaceValues } from "../../circuits/circuit.ts";
import type { Learner } from "../../circuits/learner.ts";
import { RandomStream } from "../../circuits/random.ts";
import { openEngine } from "../../kernels/open.ts";
import { addressesText } from "../../tests/browser/addresses.ts";
import { bundleForBrowsers } from "../../web/bundle.ts";
import { type Figure, figure, workOf } from "../measure.ts";
import { openTab } from "./tab.ts";

const ROUNDS = 5, STATES = 128, TOKENS = 100_000, EPOCHS = 5;

/** A text of this many tokens, of 2,000 kinds. */
export function tokensText(count: number): string {
  return Array.from({ length: count }, (_, i) => `t${(i * 7919 + (i * i) % 31) % 2000}`).join(" ");
}

/**
 * Training in a tab beside the engine `cpu` under Deno on one thread: the same text, start, batches and epoch (the start is scored,
 * then an epoch, then its score), in turns. Processor time, which other work on the machine does not change, and time by the clock.
 */
export async function measureTabTraining(): Promise<Figure[]> {
  const text = tokensText(TOKENS);
  const training = await prepareText(text, { states: STATES });
  const bundled = await bundleForBrowsers([new URL("tab_page.ts", import.meta.url)], "esm");
  const files = new Map([...bundled].map(([name, script]) => [name, script.text]));
  files.set("main.js", 'import "./tab_page.js";');
  await using tab = await openTab(files);
  await tab.page.evaluate(
    ([text, states]) =>
      (globalThis as unknown as { prepare(text: string, states: number): Promise<void> }).prepare(
        text,
        states,
      ),
    [
      text,
      STATES,
    ] as const,
  );
  const own = { wall: [] as number[], core: [] as number[] },
    theirs = { wall: [] as number[], core: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    const engine = await openEngine(training.start, { engine: "cpu", threads: 1 });
    const { wall, core } = await workOf(() => fitText(engine, training, { epochs: 1 }));
    await engine.close();
    own.wall.push(wall);
    own.core.push(core);
    await tab.page.evaluate("open()");
    theirs.core.push(
      await tab.core(async () => {
        theirs.wall.push(await tab.page.evaluate("epoch()"));
      }),
    );
  }
  const ratios = (kind: "wall" | "core") => own[kind].map((time, i) => time / theirs[kind][i]!);
  const what = `an epoch of ${TOKENS} tokens, ${STATES} states`;
  return [
    figure(`${what}: engine cpu on one thread, processor time`, "ms", own.core),
    figure(`${what}: in a tab, processor time`, "ms", theirs.core),
    figure("the tab's speed, as a share of that, by processor time", "", ratios("core"), { atLeast: 1 / 3 }),
    figure("the tab's speed, as a share of that, by the clock", "", ratios("wall"), { atLeast: 1 / 3 }),
    ...await distances(32),
    ...await distances(STATES),
    ...await distances(2 * STATES),
  ];
}

/**
 * How far scores of a real text are apart after five epochs: of the tab's engine, opened under Deno, and of the engine `cpu`; and
 * of `cpu` and itself where every number of the start is moved by the last bit of float32, up or down.
 */
async function distances(states: number): Promise<Figure[]> {
  const training = await prepareText(await addressesText(), { states });
  const { start } = training;
  const random = new RandomStream(1, states);
  const moved = replaceValues(
    start,
    new Map(
      [...start.parameters].map(([id, { values }]) => [
        id,
        Float32Array.from(values, (x) => x * (1 + (random.uniform() < 0.5 ? -1 : 1) * 2 ** -24)),
      ]),
    ),
  );
  const ofCpu = (from: Circuit) => openEngine(from, { engine: "cpu", threads: 1 });
  const wanted = await scoreAfter(await ofCpu(start), training);
  const tab = await scoreAfter((await openTabEngine(start, "wasm")).engine, training);
  const itself = await scoreAfter(await ofCpu(moved), training);
  const what = `nats a token after ${EPOCHS} epochs of addresses, ${states} states`;
  return [
    figure(`${what}: the tab from the engine cpu`, "", [Math.abs(tab - wanted)], { atMost: 1e-5 }),
    figure(`${what}: the engine cpu from itself, its start moved by the last bit`, "", [
      Math.abs(itself - wanted),
    ]),
  ];
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

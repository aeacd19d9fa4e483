import { fitText, prepareText } from "../../browser/train.ts";
import { openEngine } from "../../kernels/open.ts";
import { bundleForBrowsers } from "../../web/bundle.ts";
import { type Figure, figure, workOf } from "../measure.ts";
import { openTab } from "./tab.ts";

const ROUNDS = 5, STATES = 128, TOKENS = 100_000;

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
  ];
}

import { BarePage, type LongestTask } from "./bare_page.ts";

/** What the playground is put through. */
export interface Visit {
  /** Its address; it offers two models of texts at least, the second beside the first. */
  readonly url: string;
  /** Sentences with blanks, of words that the model has. */
  readonly sentences: readonly [string, string];
  /** A text that is pasted, longer than the page shows to be edited. */
  readonly pasted: string;
  /** The path of a large file that is dropped. */
  readonly dropped: string;
  /** A text that is learned, and with how many states. */
  readonly text: string;
  readonly states: number;
}

const ANSWERED = "document.querySelector('[data-answered=yes]') && !document.querySelector('.stale')";
const TEXT = "document.querySelector('#train-text')";

const rest = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Chooses one of a list. */
const choose = (select: string, value: string) =>
  `(() => { const list = ${select}; list.value = ${JSON.stringify(value)};
    list.dispatchEvent(new Event("change", { bubbles: true })); })()`;

/** The button of a name, if it is there. */
const button = (name: string) =>
  `[...document.querySelectorAll("button")].find((one) => one.textContent === ${JSON.stringify(name)})`;
const press = (name: string) => `${button(name)}?.click()`;
const ready = (name: string) => `${button(name)}?.disabled === false`;

/** Whether the page says something; asked without laying it out. */
const says = (text: string) => `document.body.textContent.includes(${JSON.stringify(text)})`;

/**
 * The longest tasks of the playground in all that visitors do: it is loaded, with nothing cached and again, asked in words,
 * its other ways to ask and another model are chosen, a long text is pasted, a large file is dropped, a model is trained.
 */
export async function longestTasks(visit: Visit): Promise<Readonly<Record<string, LongestTask>>> {
  await using page = await BarePage.open();
  // The browser's own start is not the page's matter.
  await rest(1000);
  const tasks: Record<string, LongestTask> = {};
  const measure = async (what: string, act: () => Promise<void>) => {
    tasks[what] = await page.longestTask(async () => {
      await act();
      // What follows at once belongs to it.
      await rest(300);
    });
  };
  const load = async () => {
    await page.goto(visit.url);
    await page.until(ANSWERED);
  };
  const ask = async (sentence: string) => {
    const blanks = sentence.split("_").length - 1;
    await page.evaluate("document.querySelector('#sentence').select()");
    await page.type(sentence);
    await page.until(
      `${ANSWERED} && document.querySelector('.model').querySelectorAll('.blank').length === ${blanks}`,
    );
  };
  await measure("loading, nothing cached", load);
  await page.evaluate("navigator.serviceWorker.ready.then(() => 0)");
  await page.goto("about:blank");
  await measure("loading, from the cache", load);
  await measure("asking", async () => {
    for (const sentence of visit.sentences) await ask(sentence);
  });
  await measure("asking in other ways", async () => {
    await page.evaluate(press("Hold to words"));
    await page.until(says("has a probability of"));
    if (await page.evaluate(says("Fill in an image"))) {
      await page.evaluate(press("Fill in an image"));
      await page.until(says("pixels are hidden"));
    }
    await page.evaluate(press("Fill in words"));
    await page.until(ANSWERED);
  });
  await measure("choosing another model", async () => {
    const second = await page.evaluate<string>("document.querySelector('#model').options[1].value");
    await page.evaluate(choose("document.querySelector('#model')", second));
    await page.until(ANSWERED);
  });
  const paste = await page.copy(visit.pasted);
  await measure("pasting a long text", async () => {
    await page.evaluate(`${TEXT}.focus()`);
    await paste();
    await page.until(`${TEXT}.readOnly`);
    await page.until(ready("Train"));
    await page.evaluate(press("Train"));
    await page.until(says("are learned from"));
    await page.evaluate(press("Stop and keep"));
    await page.until(says("Save the model"));
  });
  await page.evaluate(press("Another text"));
  await measure("dropping a large file", async () => {
    await page.drop(visit.dropped, "#train-text");
    await page.until(`${TEXT}.readOnly`);
    await page.evaluate(press("Train"));
    await page.until(
      "document.querySelector('[role=alert]') || document.querySelector('.course [role=status]')",
    );
    await page.until(
      "![...document.querySelectorAll('button')].some((one) => one.textContent === 'Stop and keep')",
    );
  });
  await page.evaluate(press("Another text"));
  await page.evaluate(`${TEXT}.focus()`);
  await page.type(visit.text);
  await page.until(`${TEXT}.value !== ""`);
  const states = "[...document.querySelectorAll('.train select')][1]";
  await page.evaluate(choose(states, String(visit.states)));
  await measure("training", async () => {
    await page.evaluate(press("Train"));
    await page.until("/epoch ([2-9]|\\d\\d+), perplexity/.test(document.body.textContent)", 600);
    // A small text may be learned already.
    await page.evaluate(press("Stop and keep"));
    await page.until(says("Save the model"), 60);
    await page.until(ANSWERED);
  });
  return tasks;
}

/// <reference lib="dom" />
import { render } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { type TabEngineChoice, tabEngines } from "../../../browser/engine_names.ts";
import { Choice } from "../../parts/asking.tsx";
import { ThemeChoice } from "../../parts/theme.tsx";
import { Wordmark } from "../../parts/wordmark.tsx";
import { readAddress, writeAddress } from "./address.ts";
import { Ask } from "./ask.tsx";
import { TabWorker } from "./client.ts";
import { Later } from "./later.tsx";
import { firstAnswer } from "./models.ts";
import { onDemand } from "./on_demand.tsx";
import { ownModel } from "./own_models.ts";
import type { OfferedModel } from "./protocol.ts";
import { chooseTheme, chosenTheme } from "../../parts/chosen_theme.ts";
import { Train } from "./train.tsx";

const WORDS: Record<TabEngineChoice, string> = {
  auto: "the fastest there is",
  webgpu: "WebGPU",
  wasm: "WebAssembly",
  reference: "JavaScript, exact",
};

const GoOn = onDemand(async () => (await import("./go_on.tsx")).GoOn);
const Images = onDemand(async () => (await import("./images.tsx")).Images);

/** Ways to ask, by their names in the address: what they are called, and the kind of model that can be asked so. */
const WAYS = {
  words: { title: "Fill in words", kind: "text" },
  constraint: { title: "Hold to words", kind: "text" },
  image: { title: "Fill in an image", kind: "images" },
} as const;
type Way = keyof typeof WAYS;

function Playground({ models: built }: { models: readonly OfferedModel[] }) {
  const worker = useMemo(() => new TabWorker(), []);
  const [own, setOwn] = useState<readonly OfferedModel[]>([]);
  const models = [...built, ...own];
  const begun = useRef(readAddress()).current;
  const ways = (Object.keys(WAYS) as Way[]).filter((way) =>
    models.some(({ kind }) => kind === WAYS[way].kind)
  );
  const asked = models.find((one) => one.name === begun.model);
  const [way, setWay] = useState<Way>(
    ways.find((one) => one === begun.ask && (asked === undefined || asked.kind === WAYS[one].kind)) ??
      ways.find((one) => WAYS[one].kind === (asked ?? models[0]!).kind)!,
  );
  // The model that was chosen last of each kind.
  const [chosen, setChosen] = useState<Partial<Record<OfferedModel["kind"], string>>>(
    asked === undefined ? {} : { [asked.kind]: asked.name },
  );
  const { kind } = WAYS[way];
  const alike = models.filter((one) => one.kind === kind);
  const offered = alike.find((one) => one.name === chosen[kind]) ?? alike[0]!, { name } = offered;
  const [engine, setEngine] = useState<TabEngineChoice>(
    tabEngines.find((one) => one === begun.engine) ?? "auto",
  );
  const [question, setQuestion] = useState<Partial<Record<Way, Readonly<Record<string, string>>>>>({});
  const address = {
    ...(way !== "words" && { ask: way }),
    model: name,
    ...question[way],
    ...(engine !== "auto" && { engine }),
  };
  useEffect(() => {
    if (question[way] !== undefined) writeAddress(address);
  }, Object.values(address));
  const offer = async (file: Blob, title: string) => {
    const model = await ownModel(file, title, `own-${own.length + 1}`);
    setOwn((before) => [...before, model]);
    setChosen((before) => ({ ...before, [model.kind]: model.name }));
    if (model.kind !== kind) setWay(model.kind === "images" ? "image" : "words");
  };
  const openFile = (file: File | undefined) => {
    if (file !== undefined) offer(file, file.name);
  };
  const onQuestion = (of: Way) => (question: Readonly<Record<string, string>>) =>
    setQuestion((before) => ({ ...before, [of]: question }));
  const beside = models.find((one) => one.name === offered.beside);
  return (
    <div class="page">
      <header class="masthead">
        <Wordmark />
        <ThemeChoice chosen={chosenTheme()} onChoose={chooseTheme} />
      </header>
      <main id="main" tabIndex={-1}>
        <h1>A model that can be asked anything</h1>
        <p class="lead">
          A language model reads from left to right. This one is a <em>probabilistic circuit</em>, a{" "}
          <em>tractable</em>{" "}
          model: it answers any question exactly, by counting every possibility: what stands in a blank given
          the words on both sides, how a text goes on so that it will hold some words, what is behind a hole
          in an image. It runs in this tab; nothing you write leaves it.
        </p>
        {begun.model !== undefined && !models.some((one) => one.name === begun.model) && (
          <p class="fault" role="alert">
            The link is about a model,{" "}
            {begun.model}, that this page has not; the question is asked of another.
          </p>
        )}
        <div class="ways" role="group" aria-label="What to ask">
          {ways.map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={one === way}
              onClick={() => setWay(one)}
            >
              {WAYS[one].title}
            </button>
          ))}
          <button
            type="button"
            onClick={() => {
              const title = document.querySelector<HTMLElement>("#train-title");
              title?.scrollIntoView();
              title?.focus();
            }}
          >
            Train your own
          </button>
        </div>
        <Later>
          {way === "words"
            ? (
              <Ask
                {...{ worker, offered, beside, engine }}
                begun={{ ...begun, ...question.words }}
                key={name}
                onQuestion={onQuestion("words")}
              />
            )
            : way === "constraint"
            ? (
              <GoOn
                {...{ worker, offered, engine }}
                begun={{ ...begun, ...question.constraint }}
                key={`constraint ${name}`}
                onQuestion={onQuestion("constraint")}
              />
            )
            : (
              <Images
                {...{ worker, offered, engine }}
                begun={{ ...begun, ...question.image }}
                key={`image ${name}`}
                onQuestion={onQuestion("image")}
              />
            )}
          <Later>
            <div class="bar">
              {alike.length > 1 && (
                <Choice
                  label="Model"
                  id="model"
                  value={name}
                  options={alike.map((one) => [one.name, one.title])}
                  onChoose={(chosen) => setChosen((before) => ({ ...before, [kind]: chosen }))}
                />
              )}
              <Choice
                label="Computed by"
                id="engine"
                value={engine}
                options={tabEngines.map((one) => [one, WORDS[one]])}
                onChoose={setEngine}
              />
              <label>
                A model of yours{" "}
                <input type="file" onChange={(event) => openFile(event.currentTarget.files?.[0])} />
              </label>
            </div>
            <Later>
              <Train engine={engine} onModel={(file, title) => offer(new Blob([file]), title)} />
            </Later>
          </Later>
        </Later>
      </main>
    </div>
  );
}

const models = JSON.parse(document.querySelector("#models")!.textContent!) as OfferedModel[];
const root = document.querySelector("#root")!;
// In a task of its own: that of this script lays out what stood here before as well.
setTimeout(() => {
  root.replaceChildren();
  render(<Playground models={models} />, root);
});
// Kept for the next visit, without a network too; browsers have workers of this kind over https and on this machine. It fetches
// all files, which the first answer need not wait for.
firstAnswer.then(() =>
  navigator.serviceWorker?.register(new URL("service_worker.js", document.baseURI)).catch(() => {})
);

/// <reference lib="dom" />
import { render } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { type TabEngineChoice, tabEngines } from "../../../browser/engine_names.ts";
import { ThemeChoice } from "../../parts/theme.tsx";
import { Wordmark } from "../../parts/wordmark.tsx";
import { readAddress, writeAddress } from "./address.ts";
import { Ask } from "./ask.tsx";
import { TabWorker } from "./client.ts";
import type { OfferedModel } from "./protocol.ts";
import { chooseTheme, chosenTheme } from "../../parts/chosen_theme.ts";
import { Train } from "./train.tsx";

const WORDS: Record<TabEngineChoice, string> = {
  auto: "the fastest there is",
  webgpu: "WebGPU",
  wasm: "WebAssembly",
  reference: "JavaScript, exact",
};

function Playground({ models: built }: { models: readonly OfferedModel[] }) {
  const worker = useMemo(() => new TabWorker(), []);
  const [own, setOwn] = useState<readonly OfferedModel[]>([]);
  const models = [...built, ...own];
  const begun = useRef(readAddress()).current;
  const [name, setName] = useState(
    models.some((one) => one.name === begun.model) ? begun.model : models[0]!.name,
  );
  const [engine, setEngine] = useState<TabEngineChoice>(
    tabEngines.find((one) => one === begun.engine) ?? "auto",
  );
  const [question, setQuestion] = useState<Readonly<Record<string, string>>>({});
  const address = { model: name!, ...question, ...(engine !== "auto" && { engine }) };
  useEffect(() => {
    if (question.sentence !== undefined) writeAddress(address);
  }, Object.values(address));
  const offer = (file: Blob, title: string) => {
    const name = `own-${own.length + 1}`;
    setOwn((before) => [...before, { name, title, file: URL.createObjectURL(file), beside: null }]);
    setName(name);
  };
  const openFile = (file: File | undefined) => {
    if (file !== undefined) offer(file, file.name);
  };
  const offered = models.find((one) => one.name === name)!;
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
          A language model reads from left to right. This one is a{" "}
          <em>probabilistic circuit</em>: it answers any question about its words exactly, whatever is known,
          before a blank or after it. It runs in this tab; nothing you write leaves it.
        </p>
        {begun.model !== undefined && !models.some((one) => one.name === begun.model) && (
          <p class="fault" role="alert">
            The link is about a model,{" "}
            {begun.model}, that this page has not; the question is asked of another.
          </p>
        )}
        <Ask
          {...{ worker, offered, beside, engine }}
          begun={{ ...begun, ...question }}
          key={name}
          onQuestion={setQuestion}
        />
        <div class="bar">
          {models.length > 1 && (
            <label>
              Model{" "}
              <select id="model" value={name} onChange={(event) => setName(event.currentTarget.value)}>
                {models.map((one) => <option key={one.name} value={one.name}>{one.title}</option>)}
              </select>
            </label>
          )}
          <label>
            Computed by{" "}
            <select
              id="engine"
              value={engine}
              onChange={(event) => setEngine(event.currentTarget.value as TabEngineChoice)}
            >
              {tabEngines.map((one) => <option key={one} value={one}>{WORDS[one]}</option>)}
            </select>
          </label>
          <label>
            A model of yours{" "}
            <input type="file" onChange={(event) => openFile(event.currentTarget.files?.[0])} />
          </label>
        </div>
        <Train engine={engine} onModel={(file, title) => offer(new Blob([file]), title)} />
      </main>
    </div>
  );
}

const models = JSON.parse(document.querySelector("#models")!.textContent!) as OfferedModel[];
const root = document.querySelector("#root")!;
root.replaceChildren();
render(<Playground models={models} />, root);
// Kept for the next visit, without a network too; browsers have workers of this kind over https and on this machine.
navigator.serviceWorker?.register(new URL("service_worker.js", document.baseURI)).catch(() => {});

/// <reference lib="dom" />
import { useEffect, useState } from "preact/hooks";
import { valueText } from "../../../foundation/format.ts";
import type { Explorable } from "../../explorer/explorable.ts";
import type { ImageAnswer } from "../../explorer/protocol.ts";
import type { ModelBeside } from "../explore.ts";
import { type Following, useAnswer } from "./answer.ts";
import { Problem } from "./frame.tsx";
import { decodeMask, encodeMask, type Mask, MASKS, noMask } from "./masks.ts";
import { Painting } from "./painting.tsx";

const DRAWS = 4;

/** An image whose pixels are hidden by painting, next to possible completions. */
export function ExploreImages(
  { models, about, begun, onQuestion }: {
    models: readonly ModelBeside[];
    about: Explorable & { kind: "images" };
    /** The question in the address. */
    begun: Readonly<Record<string, string>>;
    onQuestion: (question: Readonly<Record<string, string>>) => void;
  },
) {
  const { height, width, sets } = about;
  const [set, setSet] = useState((sets.find((one) => one.digest === begun.set) ?? sets[0]!).digest);
  const [image, setImage] = useState(() => {
    const asked = Number(begun.image ?? "0");
    const { count } = sets.find((one) => one.digest === set)!;
    return Number.isInteger(asked) && asked >= 0 && asked < count ? asked : 0;
  });
  const [mask, setMask] = useState<Mask>(() =>
    decodeMask(begun.hidden ?? "", { height, width }) ?? MASKS.centre({ height, width })
  );
  const [brush, setBrush] = useState(Math.max(1, Math.round(width / 12)));
  const [seed, setSeed] = useState(0);
  const question = { set, image: String(image), hidden: encodeMask(mask) };
  useEffect(() => onQuestion(question), Object.values(question));
  const asked = { ...question, draws: String(DRAWS), seed: String(seed) };
  const answer = useAnswer<ImageAnswer>(models[0]!.digest, asked);
  const { count } = sets.find((one) => one.digest === set)!;
  const value = answer.value;
  return (
    <>
      <div class="bar">
        <label>
          Images{" "}
          <select
            value={set}
            onChange={(event) => {
              setSet(event.currentTarget.value);
              setImage(0);
            }}
          >
            {sets.map((one) => <option key={one.digest} value={one.digest}>{one.name}, {one.count}</option>)}
          </select>
        </label>
        <label>
          Image{" "}
          <input
            type="number"
            min={0}
            max={count - 1}
            value={image}
            onInput={(event) => {
              const next = Number(event.currentTarget.value);
              if (Number.isInteger(next) && next >= 0 && next < count) setImage(next);
            }}
          />{" "}
          of {count}
        </label>
      </div>
      <div class="painting">
        <div>
          <Painting
            mask={mask}
            shape={{ height, width }}
            picture={value?.original}
            brush={brush}
            onMask={setMask}
          />
          <div class="bar">
            {Object.entries(MASKS).map(([name, make]) => (
              <button
                key={name}
                type="button"
                onClick={() => setMask(make({ height, width }))}
              >
                {name}
              </button>
            ))}
            <button type="button" onClick={() => setMask((before) => before.map((bit) => 1 - bit))}>
              swap
            </button>
            <button type="button" onClick={() => setMask(noMask({ height, width }))}>nothing</button>
          </div>
          <label>
            Brush{" "}
            <input
              type="range"
              min={1}
              max={Math.max(2, width >> 1)}
              value={brush}
              onInput={(event) => setBrush(Number(event.currentTarget.value))}
            />{" "}
            {brush} {brush === 1 ? "pixel" : "pixels"}
          </label>
          <p role="status" class="faint">
            {answer.pending ? "asking …" : value === undefined ? "" : said(value, height * width)}
          </p>
        </div>
        <div>
          <Answers answer={answer} name={models.length > 1 ? models[0]!.name : ""} />
          {models.slice(1).map(({ digest, name }) => (
            <Beside key={digest} digest={digest} name={name} question={asked} pixels={height * width} />
          ))}
          {value !== undefined && value.hidden > 0 && (
            <button
              type="button"
              onClick={() => setSeed((before) => before + 1)}
            >
              Draw others
            </button>
          )}
        </div>
      </div>
    </>
  );
}

/** Another model's answer to the same question. */
function Beside(
  { digest, name, question, pixels }: {
    digest: string;
    name: string;
    question: Readonly<Record<string, string>>;
    pixels: number;
  },
) {
  const answer = useAnswer<ImageAnswer>(digest, question);
  return (
    <>
      <Answers answer={answer} name={name} />
      <p class="faint">{answer.value === undefined ? "" : said(answer.value, pixels)}</p>
    </>
  );
}

/** A model's completions. `name` is empty if it is the only model. */
function Answers({ answer, name }: { answer: Following<ImageAnswer>; name: string }) {
  const { value, error, pending } = answer;
  const of = name === "" ? "" : ` by ${name}`;
  return (
    <div class={pending ? "stale" : undefined}>
      {name !== "" && <h2>{name}</h2>}
      {error !== undefined && <Problem error={error} />}
      {value !== undefined && error === undefined && value.hidden > 0 && (
        <div class="answers">
          <Answered url={value.mean} caption={`expected values${of}`} />
          {value.drawn.map((url, i) => <Answered key={i} url={url} caption={`draw ${i + 1}${of}`} />)}
          <Answered url={value.original} caption="the image" />
        </div>
      )}
    </div>
  );
}

function Answered({ url, caption }: { url: string; caption: string }) {
  return (
    <figure>
      <img src={url} alt={caption} />
      <figcaption>{caption}</figcaption>
    </figure>
  );
}

function said({ hidden, bits }: ImageAnswer, pixels: number): string {
  if (hidden === 0) return "nothing is hidden: paint on the image, or choose what to hide";
  const surprise = bits === null
    ? "what is really there is impossible for the model"
    : `what is really there has ${valueText(bits / hidden)} bits of surprise a pixel`;
  return `${hidden} of ${pixels} pixels are hidden; ${surprise}`;
}

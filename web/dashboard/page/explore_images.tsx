/// <reference lib="dom" />
import { useEffect, useState } from "preact/hooks";
import type { Explorable } from "../../explorer/explorable.ts";
import type { ImageAnswer } from "../../explorer/protocol.ts";
import type { ModelBeside } from "../explore.ts";
import { type Following, useAnswer } from "./answer.ts";
import { Problem } from "./frame.tsx";
import { DrawOthers } from "../../parts/answered.tsx";
import { Choice } from "../../parts/asking.tsx";
import { CompletedImages, saidOfImage } from "../../parts/completions.tsx";
import { Hiding } from "../../parts/hiding.tsx";
import { decodeMask, encodeMask, type Mask, MASKS } from "../../parts/masks.ts";
import { Painting } from "../../parts/painting.tsx";

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
        <Choice
          label="Images"
          value={set}
          options={sets.map((one) => [one.digest, `${one.name}, ${one.count}`])}
          onChoose={(digest) => {
            setSet(digest);
            setImage(0);
          }}
        />
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
          <Hiding shape={{ height, width }} brush={brush} onMask={setMask} onBrush={setBrush} />
          <p role="status" class="faint">
            {answer.pending ? "asking …" : value === undefined ? "" : saidOfImage(value, height * width)}
          </p>
        </div>
        <div>
          <Answers answer={answer} name={models.length > 1 ? models[0]!.name : ""} />
          {models.slice(1).map(({ digest, name }) => (
            <Beside key={digest} digest={digest} name={name} question={asked} pixels={height * width} />
          ))}
          {value !== undefined && value.hidden > 0 && (
            <DrawOthers again={() => setSeed((before) => before + 1)} />
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
      <p class="faint">{answer.value === undefined ? "" : saidOfImage(answer.value, pixels)}</p>
    </>
  );
}

/** A model's completions. `name` is empty if it is the only model. */
function Answers({ answer, name }: { answer: Following<ImageAnswer>; name: string }) {
  const { value, error, pending } = answer;
  return (
    <div class={pending ? "stale" : undefined}>
      {name !== "" && <h2>{name}</h2>}
      {error !== undefined && <Problem error={error} />}
      {value !== undefined && error === undefined && value.hidden > 0 && (
        <CompletedImages answer={value} name={name} />
      )}
    </div>
  );
}

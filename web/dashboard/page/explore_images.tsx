/// <reference lib="dom" />
import { useState } from "preact/hooks";
import { valueText } from "../../../foundation/format.ts";
import type { Explorable } from "../../explorer/explorable.ts";
import type { ImageAnswer } from "../../explorer/protocol.ts";
import { useAnswer } from "./answer.ts";
import { Problem } from "./frame.tsx";
import { encodeMask, type Mask, MASKS, noMask } from "./masks.ts";
import { Painting } from "./painting.tsx";

const DRAWS = 4;

/** An image whose pixels are hidden by painting; beside it what may be there. */
export function ExploreImages(
  { digest, about }: { digest: string; about: Explorable & { kind: "images" } },
) {
  const { height, width, sets } = about;
  const [set, setSet] = useState(sets[0]!.digest);
  const [image, setImage] = useState(0);
  const [mask, setMask] = useState<Mask>(() => MASKS.centre({ height, width }));
  const [brush, setBrush] = useState(Math.max(1, Math.round(width / 12)));
  const [seed, setSeed] = useState(0);
  const answer = useAnswer<ImageAnswer>(digest, {
    set,
    image: String(image),
    hidden: encodeMask(mask),
    draws: String(DRAWS),
    seed: String(seed),
  });
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
        <div class={answer.pending ? "stale" : undefined}>
          {answer.error !== undefined && <Problem error={answer.error} />}
          {value !== undefined && answer.error === undefined && value.hidden > 0 && (
            <>
              <div class="answers">
                <Answered url={value.mean} caption="expected values" />
                {value.drawn.map((url, i) => <Answered key={i} url={url} caption={`draw ${i + 1}`} />)}
                <Answered url={value.original} caption="the image" />
              </div>
              <button type="button" onClick={() => setSeed((before) => before + 1)}>Draw others</button>
            </>
          )}
        </div>
      </div>
    </>
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

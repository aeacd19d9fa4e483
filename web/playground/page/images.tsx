/// <reference lib="dom" />
import { useEffect, useMemo, useState } from "preact/hooks";
import type { TabEngineChoice } from "../../../browser/engine_names.ts";
import { DrawOthers } from "../../parts/answered.tsx";
import { CompletedImages, saidOfImage } from "../../parts/completions.tsx";
import { Hiding } from "../../parts/hiding.tsx";
import { decodeMask, encodeMask, type Mask, MASKS } from "../../parts/masks.ts";
import { Painting } from "../../parts/painting.tsx";
import type { TabWorker } from "./client.ts";
import { TabFailure } from "./failure.tsx";
import { computedBy, loadingText, useImages, useTabAnswer } from "./models.ts";
import { pictureUrl } from "./picture_url.ts";
import type { OfferedModel, OpenImages } from "./protocol.ts";

/** What the ways to ask have in common. */
export interface AskedHow {
  readonly worker: TabWorker;
  readonly offered: OfferedModel;
  readonly engine: TabEngineChoice;
  /** The question in the address. */
  readonly begun: Readonly<Record<string, string>>;
  readonly onQuestion: (question: Readonly<Record<string, string>>) => void;
}

/** An image with a hole, and what may stand there. */
export function Images({ worker, offered, engine, begun, onQuestion }: AskedHow) {
  const opening = useImages(worker, offered, engine);
  const { model, error } = opening;
  if (model !== undefined) return <Hole {...{ worker, offered, model, begun, onQuestion }} />;
  return error === undefined
    ? <p role="status" class="faint">{loadingText(opening)}</p>
    : <TabFailure error={error} />;
}

function Hole(
  { worker, offered: { name, title }, model, begun, onQuestion }:
    & Pick<AskedHow, "worker" | "offered" | "begun" | "onQuestion">
    & { model: OpenImages },
) {
  const { height, width, count } = model, shape = { height, width };
  const [image, setImage] = useState(() => {
    const asked = Number(begun.image ?? "0");
    return Number.isInteger(asked) && asked >= 0 && asked < count ? asked : 0;
  });
  const [mask, setMask] = useState<Mask>(() => decodeMask(begun.hidden ?? "", shape) ?? MASKS.bottom(shape));
  const [brush, setBrush] = useState(Math.max(1, Math.round(width / 8)));
  const [seed, setSeed] = useState(0);
  const hidden = encodeMask(mask);
  useEffect(() => onQuestion({ image: String(image), hidden }), [image, hidden]);
  const { value, error, pending } = useTabAnswer(
    JSON.stringify([name, model.engine, image, hidden, seed]),
    () => worker.call("fill", { name, question: { image, hidden: mask, draws: 4, seed } }),
  );
  const answer = value?.answer;
  const shown = useMemo(() =>
    answer && {
      original: pictureUrl(answer.original),
      drawn: answer.drawn.map(pictureUrl),
      mean: pictureUrl(answer.mean),
    }, [answer]);
  return (
    <section class="card" aria-label={title}>
      <div class="painting">
        <div>
          <Painting mask={mask} shape={shape} picture={shown?.original} brush={brush} onMask={setMask} />
          <Hiding shape={shape} brush={brush} onMask={setMask} onBrush={setBrush} />
          <div class="bar">
            <button type="button" onClick={() => setImage((image + 1) % count)}>Another image</button>
            <span class="faint">{image + 1} of {count}</span>
          </div>
        </div>
        <div class={pending ? "stale" : undefined}>
          <h2>{title}</h2>
          <p role="status" class="faint">
            {value === undefined
              ? "asking …"
              : `${saidOfImage(value.answer, height * width)} · ${
                pending ? "asking …" : computedBy(value.milliseconds, model.engine)
              }`}
          </p>
          {error !== undefined && !pending && <TabFailure error={error} />}
          {shown !== undefined && answer!.hidden > 0 && (
            <>
              <CompletedImages answer={shown} name="" />
              <DrawOthers again={() => setSeed((before) => before + 1)} />
            </>
          )}
        </div>
      </div>
    </section>
  );
}

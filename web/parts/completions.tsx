/** A completed image, as an address of its picture. */
export interface ShownCompletions {
  /** The image. */
  readonly original: string;
  /** Fillings that were drawn. */
  readonly drawn: readonly string[];
  /** Expected values. */
  readonly mean: string;
}

/** What a model makes of an image with hidden pixels. `name` is empty if it is the only model. */
export function CompletedImages({ answer, name }: { answer: ShownCompletions; name: string }) {
  const of = name === "" ? "" : ` by ${name}`;
  return (
    <div class="answers">
      <CompletedImage url={answer.mean} caption={`expected values${of}`} />
      {answer.drawn.map((url, i) => <CompletedImage key={i} url={url} caption={`draw ${i + 1}${of}`} />)}
      <CompletedImage url={answer.original} caption="the image" />
    </div>
  );
}

function CompletedImage({ url, caption }: { url: string; caption: string }) {
  return (
    <figure>
      <img src={url} alt={caption} />
      <figcaption>{caption}</figcaption>
    </figure>
  );
}

/** What an answer about an image is about, in a line. */
export function saidOfImage(
  { hidden, bits }: { readonly hidden: number; readonly bits: number | null },
  pixels: number,
): string {
  if (hidden === 0) return "nothing is hidden: paint on the image, or choose what to hide";
  const surprise = bits === null
    ? "what is really there is impossible for the model"
    : `what is really there has ${(bits / hidden).toPrecision(3)} bits of surprise a pixel`;
  return `${hidden} of ${pixels} pixels are hidden; ${surprise}`;
}

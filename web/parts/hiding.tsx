/// <reference lib="dom" />
import { type Mask, MASKS, noMask, type PixelSize } from "./masks.ts";

/** What may be hidden of an image at once, and how wide the brush is. */
export function Hiding(
  { shape, brush, onMask, onBrush }: {
    shape: PixelSize;
    brush: number;
    onMask: (change: (before: Mask) => Mask) => void;
    onBrush: (brush: number) => void;
  },
) {
  return (
    <>
      <div class="bar">
        {Object.entries(MASKS).map(([name, make]) => (
          <button
            key={name}
            type="button"
            onClick={() => onMask(() => make(shape))}
          >
            {name}
          </button>
        ))}
        <button type="button" onClick={() => onMask((before) => before.map((bit) => 1 - bit))}>swap</button>
        <button type="button" onClick={() => onMask(() => noMask(shape))}>nothing</button>
      </div>
      <label>
        Brush{" "}
        <input
          type="range"
          min={1}
          max={Math.max(2, shape.width >> 1)}
          value={brush}
          onInput={(event) => onBrush(Number(event.currentTarget.value))}
        />{" "}
        {brush} {brush === 1 ? "pixel" : "pixels"}
      </label>
    </>
  );
}

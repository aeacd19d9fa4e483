/// <reference lib="dom" />
import { useEffect, useRef, useState } from "preact/hooks";
import { type Mask, painted, type PixelSize } from "./masks.ts";

/** Minimum side of the picture on the page, in CSS pixels. */
const SIDE = 320;

/**
 * An image with an editable mask. Painting with a pointer hides pixels, or shows them if it starts on a hidden one. With
 * the keyboard, arrows move, Space toggles a pixel, and Shift with an arrow continues with that.
 */
export function Painting(
  { mask, shape, picture, brush, onMask }: {
    mask: Mask;
    shape: PixelSize;
    /** The image, as a URL. */
    picture: string | undefined;
    brush: number;
    onMask: (change: (before: Mask) => Mask) => void;
  },
) {
  const { height, width } = shape;
  const scale = Math.max(1, Math.round(SIDE / Math.max(height, width)));
  const canvas = useRef<HTMLCanvasElement>(null);
  const [image, setImage] = useState<HTMLImageElement>();
  const [at, setAt] = useState({ row: height >> 1, column: width >> 1 });
  const [focused, setFocused] = useState(false);
  const stroke = useRef<boolean | undefined>(undefined);
  useEffect(() => {
    if (picture === undefined) return;
    const next = new Image();
    next.onload = () => setImage(next);
    next.src = picture;
  }, [picture]);
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    context.imageSmoothingEnabled = false;
    context.fillStyle = "#808080";
    context.fillRect(0, 0, width * scale, height * scale);
    if (image !== undefined) context.drawImage(image, 0, 0, width * scale, height * scale);
    hatch(context, mask, shape, scale);
    if (focused) outline(context, at, brush, scale);
  }, [image, mask, at, focused, brush]);
  const isHidden = ({ row, column }: { row: number; column: number }) => mask[row * width + column] === 1;
  const paint = (pixel: { row: number; column: number }, hidden: boolean) =>
    onMask((before) => painted(before, shape, pixel, brush, hidden));
  const pixelAt = (event: PointerEvent) => {
    const box = canvas.current!.getBoundingClientRect();
    const clamp = (x: number, size: number) => Math.max(0, Math.min(size - 1, Math.floor(x)));
    return {
      row: clamp((event.clientY - box.top) / box.height * height, height),
      column: clamp((event.clientX - box.left) / box.width * width, width),
    };
  };
  const moves: Record<string, [number, number]> = {
    ArrowUp: [-1, 0],
    ArrowDown: [1, 0],
    ArrowLeft: [0, -1],
    ArrowRight: [0, 1],
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const move = moves[event.key];
    if (event.key === " ") paint(at, stroke.current = !isHidden(at));
    else if (move !== undefined) {
      const next = {
        row: Math.max(0, Math.min(height - 1, at.row + move[0])),
        column: Math.max(0, Math.min(width - 1, at.column + move[1])),
      };
      setAt(next);
      if (event.shiftKey) paint(next, stroke.current ?? true);
    } else return;
    event.preventDefault();
  };
  return (
    <>
      <canvas
        ref={canvas}
        class="paint"
        width={width * scale}
        height={height * scale}
        tabIndex={0}
        role="application"
        aria-label="the image; hatched pixels are hidden"
        aria-describedby="painting-keys painting-at"
        onKeyDown={onKeyDown}
        onFocus={() => setFocused(true)}
        onBlur={() => setFocused(false)}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          const pixel = pixelAt(event);
          setAt(pixel);
          paint(pixel, stroke.current = !isHidden(pixel));
        }}
        onPointerMove={(event) => {
          if (event.buttons === 0 || stroke.current === undefined) return;
          const pixel = pixelAt(event);
          setAt(pixel);
          paint(pixel, stroke.current);
        }}
      />
      <p id="painting-keys" class="faint">
        Paint to hide; begin on a hidden pixel to show. Keys: arrows move, space hides or shows, Shift with an
        arrow goes on.
      </p>
      <p id="painting-at" class="hidden" aria-live="polite">
        {focused ? `row ${at.row + 1}, column ${at.column + 1}, ${isHidden(at) ? "hidden" : "seen"}` : ""}
      </p>
    </>
  );
}

/** Covers hidden pixels with grey stripes, distinguishable from grey in the image. */
function hatch(context: CanvasRenderingContext2D, mask: Mask, { width }: PixelSize, scale: number): void {
  const line = Math.max(1, scale / 8);
  mask.forEach((hidden, i) => {
    if (hidden === 0) return;
    const x = i % width * scale, y = Math.floor(i / width) * scale;
    context.fillStyle = "#7a7a7a";
    context.fillRect(x, y, scale, scale);
    context.strokeStyle = "#b9b9b9";
    context.lineWidth = line;
    context.beginPath();
    context.moveTo(x, y + scale);
    context.lineTo(x + scale, y);
    context.stroke();
  });
}

/** Outlines the brush in dark and light, so that it is visible on any image. */
function outline(
  context: CanvasRenderingContext2D,
  { row, column }: { row: number; column: number },
  brush: number,
  scale: number,
): void {
  const x = (column - (brush >> 1)) * scale, y = (row - (brush >> 1)) * scale;
  for (const [width, colour] of [[4, "#000000"], [2, "#ffd400"]] as const) {
    context.lineWidth = width;
    context.strokeStyle = colour;
    context.strokeRect(x, y, brush * scale, brush * scale);
  }
}

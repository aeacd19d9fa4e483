/** Which part of a drawing is seen: its corner and how many of the drawing's units are as wide as the window. */
export interface Viewport {
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

/** Width and height. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The smallest share of their size at which letters are still read, and the largest that anybody needs. */
const LEGIBLE = 0.75, LARGEST = 8, NATURAL = 4 / 3;

/** All of a drawing in a window, in its middle, not larger than it is drawn. */
export function fitted(drawing: Size, window: Size): Viewport {
  const scale = Math.min(NATURAL, window.width / drawing.width, window.height / drawing.height);
  const width = window.width / scale, height = window.height / scale;
  return { x: (drawing.width - width) / 2, y: (drawing.height - height) / 2, width };
}

/** All of a drawing where its letters can be read then, else as much as can be read around a point of it. */
export function opened(drawing: Size, window: Size, at: { x: number; y: number }): Viewport {
  const whole = fitted(drawing, window);
  if (window.width / whole.width >= LEGIBLE) return whole;
  return centredOn({ ...whole, width: window.width / LEGIBLE }, drawing, window, at);
}

/** The same scale with a point in the middle; where the drawing ends the window ends too. */
export function centredOn(
  view: Viewport,
  drawing: Size,
  window: Size,
  at: { readonly x: number; readonly y: number },
): Viewport {
  const height = view.width * window.height / window.width;
  const along = (middle: number, seen: number, whole: number) =>
    seen >= whole ? (whole - seen) / 2 : Math.max(0, Math.min(whole - seen, middle - seen / 2));
  return {
    ...view,
    x: along(at.x, view.width, drawing.width),
    y: along(at.y, height, drawing.height),
  };
}

/** Nearer by `factor`; what is at a place of the window, from 0 to 1 each way, stays there. */
export function zoomed(
  view: Viewport,
  factor: number,
  drawing: Size,
  window: Size,
  at: { readonly x: number; readonly y: number } = { x: 0.5, y: 0.5 },
): Viewport {
  const most = Math.max(fitted(drawing, window).width, window.width) * 1.5;
  const width = Math.max(window.width / LARGEST, Math.min(most, view.width / factor));
  const ratio = window.height / window.width;
  return {
    x: view.x + at.x * (view.width - width),
    y: view.y + at.y * ratio * (view.width - width),
    width,
  };
}

/** Moved by shares of the window; some of the drawing stays in it. */
export function moved(view: Viewport, dx: number, dy: number, drawing: Size, window: Size): Viewport {
  const height = view.width * window.height / window.width;
  const within = (value: number, seen: number, whole: number) =>
    Math.max(-0.8 * seen, Math.min(whole - 0.2 * seen, value));
  return {
    ...view,
    x: within(view.x + dx * view.width, view.width, drawing.width),
    y: within(view.y + dy * height, height, drawing.height),
  };
}

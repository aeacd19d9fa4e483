/** The visible part of a drawing: its corner, and the width of the window in units of the drawing. */
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

/** Scales: the smallest at which text is readable, the largest useful one, and the natural one (CSS pixels per point). */
const LEGIBLE = 0.75, LARGEST = 8, NATURAL = 4 / 3;

/** The whole drawing centred in a window, not larger than drawn. */
export function fitted(drawing: Size, window: Size): Viewport {
  const scale = Math.min(NATURAL, window.width / drawing.width, window.height / drawing.height);
  const width = window.width / scale, height = window.height / scale;
  return { x: (drawing.width - width) / 2, y: (drawing.height - height) / 2, width };
}

/** The whole drawing if its text is readable then, otherwise as much as is readable around a point. */
export function opened(drawing: Size, window: Size, at: { x: number; y: number }): Viewport {
  const whole = fitted(drawing, window);
  if (window.width / whole.width >= LEGIBLE) return whole;
  return centredOn({ ...whole, width: window.width / LEGIBLE }, drawing, window, at);
}

/** The same scale, centred on a point but not beyond the edges of the drawing. */
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

/** Zoomed in by `factor` around a fixed point of the window, given from 0 to 1 in each direction. */
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

/** Moved by fractions of the window; part of the drawing stays visible. */
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

/// <reference lib="dom" />
import type { RefObject } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { centredOn, fitted, moved, opened, type Size, type Viewport, zoomed } from "./viewport.ts";

/** Controls of a pannable drawing. */
export interface Panning {
  fit(): void;
  zoom(factor: number): void;
  readonly handlers: {
    onKeyDown(event: KeyboardEvent): void;
    onPointerDown(event: PointerEvent): void;
    onPointerMove(event: PointerEvent): void;
    onPointerUp(event: PointerEvent): void;
    onPointerCancel(event: PointerEvent): void;
    onClickCapture(event: Event): void;
    onFocusIn(event: FocusEvent): void;
  };
}

/** Pixels of movement after which a press is a drag instead of a click; fraction of the window that an arrow key moves. */
const CLICK = 4, STEP = 0.15;

/**
 * Shows an SVG drawing in a window that can be panned and zoomed by pointer, touch, wheel and keyboard.
 *
 * @param svg the current drawing of the holder
 * @param first the box to show if the whole drawing does not fit
 */
export function usePanning(
  holder: RefObject<HTMLDivElement | null>,
  svg: string,
  first: number,
): { panning: Panning; show(box: number): void } {
  const mover = useMemo(() => new Mover(holder), []);
  const touched = useRef(false);
  mover.onTouch = () => touched.current = true;
  useEffect(() => {
    mover.take(first, touched.current);
    const observer = new ResizeObserver(() => mover.take(first, touched.current));
    observer.observe(holder.current!);
    // Registered directly, because Preact's listeners cannot keep the wheel from scrolling the page.
    const wheel = (event: WheelEvent) => mover.wheel(event);
    const element = holder.current!;
    element.addEventListener("wheel", wheel, { passive: false });
    return () => {
      observer.disconnect();
      element.removeEventListener("wheel", wheel);
    };
  }, [svg]);
  return { panning: mover, show: (box) => mover.show(box) };
}

class Mover implements Panning {
  onTouch: () => void = () => {};
  #view: Viewport | undefined;
  #drawing: Size = { width: 1, height: 1 };
  #pointers = new Map<number, { x: number; y: number }>();
  #dragged = 0;

  constructor(readonly holder: RefObject<HTMLDivElement | null>) {}

  /** Shows a new drawing, or the same in a window of another size. A view that the user has moved is kept. */
  take(first: number, touched: boolean): void {
    const svg = this.#svg();
    const given = svg?.getAttribute("data-size") ?? svg?.getAttribute("viewBox");
    if (!svg || !given) return;
    svg.setAttribute("data-size", given);
    const [, , width, height] = given.split(/\s+/).map(Number);
    this.#drawing = { width: width!, height: height! };
    svg.removeAttribute("width");
    svg.removeAttribute("height");
    if (touched && this.#view !== undefined) return this.#draw(this.#view);
    this.#draw(opened(this.#drawing, this.#window(), this.#placeOf(first) ?? { x: 0, y: height! / 2 }));
  }

  fit = () => this.#move(fitted(this.#drawing, this.#window()));
  zoom = (factor: number) => this.#move(zoomed(this.#view!, factor, this.#drawing, this.#window()));

  /** Centres a box at a readable scale. */
  show(box: number): void {
    const at = this.#placeOf(box);
    if (at === undefined || this.#view === undefined) return;
    const window = this.#window();
    const width = Math.min(this.#view.width, window.width / 0.75);
    this.#move(centredOn({ ...this.#view, width }, this.#drawing, window, at));
  }

  wheel(event: WheelEvent): void {
    // The wheel alone scrolls the page; with Ctrl, or as a pinch on a touchpad, it zooms.
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const at = this.#share(event.clientX, event.clientY);
    this.#move(zoomed(this.#view!, Math.exp(-event.deltaY / 200), this.#drawing, this.#window(), at));
  }

  readonly handlers = {
    onKeyDown: (event: KeyboardEvent) => {
      const steps: Record<string, [number, number]> = {
        ArrowLeft: [-STEP, 0],
        ArrowRight: [STEP, 0],
        ArrowUp: [0, -STEP],
        ArrowDown: [0, STEP],
      };
      const step = steps[event.key];
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (step !== undefined) this.#move(moved(this.#view!, ...step, this.#drawing, this.#window()));
      else if (event.key === "+" || event.key === "=") this.zoom(1.4);
      else if (event.key === "-") this.zoom(1 / 1.4);
      else if (event.key === "0") this.fit();
      else return;
      event.preventDefault();
    },
    onPointerDown: (event: PointerEvent) => {
      if (event.pointerType === "mouse" && event.button !== 0) return;
      if (this.#pointers.size === 0) this.#dragged = 0;
      this.#pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    },
    onPointerMove: (event: PointerEvent) => {
      const before = this.#pointers.get(event.pointerId);
      if (before === undefined) return;
      const now = { x: event.clientX, y: event.clientY };
      const others = [...this.#pointers].filter(([id]) => id !== event.pointerId);
      this.#pointers.set(event.pointerId, now);
      this.#dragged += Math.hypot(now.x - before.x, now.y - before.y);
      if (this.#dragged < CLICK) return;
      if (!(event.currentTarget as Element).hasPointerCapture(event.pointerId)) {
        (event.currentTarget as Element).setPointerCapture(event.pointerId);
      }
      const window = this.#window();
      const [other] = others;
      if (other !== undefined) {
        const [, at] = other;
        const factor = Math.hypot(now.x - at.x, now.y - at.y) /
          Math.max(1, Math.hypot(before.x - at.x, before.y - at.y));
        const middle = this.#share((now.x + at.x) / 2, (now.y + at.y) / 2);
        return this.#move(zoomed(this.#view!, factor, this.#drawing, window, middle));
      }
      const dx = (before.x - now.x) / window.width, dy = (before.y - now.y) / window.height;
      this.#move(moved(this.#view!, dx, dy, this.#drawing, window));
    },
    onPointerUp: (event: PointerEvent) => void this.#pointers.delete(event.pointerId),
    onPointerCancel: (event: PointerEvent) => void this.#pointers.delete(event.pointerId),
    // A drag must not follow a link.
    onClickCapture: (event: Event) => {
      if (this.#dragged >= CLICK) event.preventDefault();
    },
    onFocusIn: (event: FocusEvent) => {
      const box = (event.target as Element).closest("g.node")?.id.replace("graph-node-", "");
      if (box !== undefined && !this.#isSeen(event.target as Element)) this.show(Number(box));
    },
  };

  #svg(): SVGSVGElement | null {
    return this.holder.current?.querySelector("svg") ?? null;
  }

  /** Size of the window in pixels. */
  #window(): Size {
    const { clientWidth, clientHeight } = this.holder.current!;
    return { width: Math.max(1, clientWidth), height: Math.max(1, clientHeight) };
  }

  #share(x: number, y: number) {
    const box = this.holder.current!.getBoundingClientRect();
    return { x: (x - box.left) / box.width, y: (y - box.top) / box.height };
  }

  /** The centre of a box in units of the drawing. */
  #placeOf(box: number): { x: number; y: number } | undefined {
    const svg = this.#svg();
    const element = svg?.querySelector<SVGGElement>(`#graph-node-${box}`);
    if (!svg || !element) return undefined;
    const { x, y, width, height } = element.getBBox();
    const group = svg.querySelector<SVGGElement>("g.graph")!;
    const matrix = group.transform.baseVal.consolidate()!.matrix;
    const point = new DOMPoint(x + width / 2, y + height / 2).matrixTransform(matrix);
    return { x: point.x, y: point.y };
  }

  #isSeen(element: Element): boolean {
    const inner = element.getBoundingClientRect(), outer = this.holder.current!.getBoundingClientRect();
    return inner.left >= outer.left && inner.right <= outer.right && inner.top >= outer.top &&
      inner.bottom <= outer.bottom;
  }

  #move(view: Viewport): void {
    this.onTouch();
    this.#draw(view);
  }

  #draw(view: Viewport): void {
    this.#view = view;
    const { width, height } = this.#window();
    this.#svg()?.setAttribute("viewBox", `${view.x} ${view.y} ${view.width} ${view.width * height / width}`);
  }
}

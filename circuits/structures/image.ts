import type { Circuit, Variable } from "../circuit.ts";
import { CircuitError } from "../errors.ts";
import { requireList, requireObject, requireWhole } from "../guards.ts";
import { circuitOfRegions, type Region, type RegionOptions } from "./region_graph.ts";

/** Options of the image structures. Variables are ordered row-major by pixel (row, column), then channel. */
export interface ImageOptions extends RegionOptions {
  /** Rows of pixels. */
  readonly height: number;
  /** Pixels per row. */
  readonly width: number;
  /** Variables per pixel, adjacent to each other; 1 if omitted. */
  readonly channels?: number;
}

/** Options of {@link poonDomingos}. */
export interface PoonDomingosOptions extends ImageOptions {
  /** Cuts fall on multiples of this many pixels; rectangles that are no larger in either direction are not cut. */
  readonly delta: number;
}

interface Rectangle {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
  /** In a quad graph: a half that resulted from a cut between rows (columns) and is cut the other way next. */
  readonly half?: "rows" | "columns" | undefined;
}

/**
 * The structure of Poon and Domingos, "Sum-Product Networks: A New Deep Architecture" (UAI 2011): every rectangle on a
 * grid of `delta` pixels is a region, split by every straight cut along the grid. The number of regions grows with
 * (height width / delta^2)^2.
 */
export function poonDomingos(variables: readonly Variable[], options: PoonDomingosOptions): Circuit {
  requireList("the variables", variables);
  requireObject("the options of `poonDomingos`", options);
  const { delta } = options;
  requireWhole("delta", delta, 1);
  const cuts = (from: number, to: number) => {
    const found: number[] = [];
    for (let at = Math.ceil((from + 1) / delta) * delta; at < to; at += delta) found.push(at);
    return found;
  };
  return ofRectangles(variables, options, (r) => [
    ...cuts(r.top, r.bottom).map((row) => [{ ...r, bottom: row }, { ...r, top: row }]),
    ...cuts(r.left, r.right).map((column) => [{ ...r, right: column }, { ...r, left: column }]),
  ]);
}

/**
 * A quad tree: every rectangle is cut into quarters (halves, if it is one pixel high or wide) until single pixels are
 * left. The channels of a pixel are independent given its unit.
 */
export function quadTree(variables: readonly Variable[], options: ImageOptions): Circuit {
  requireList("the variables", variables);
  requireObject("the options of `quadTree`", options);
  return ofRectangles(variables, options, (r) => {
    const rows = halves(r.top, r.bottom), columns = halves(r.left, r.right);
    const parts = rows.flatMap(([top, bottom]) =>
      columns.map(([left, right]) => ({ top, bottom, left, right }))
    );
    return parts.length === 1 ? [] : [parts];
  });
}

/**
 * A quad graph (Mari, Vessio and Vergari 2023): like {@link quadTree}, but the quarters are joined in two steps, and both
 * orders (rows first, columns first) are mixed.
 */
export function quadGraph(variables: readonly Variable[], options: ImageOptions): Circuit {
  requireList("the variables", variables);
  requireObject("the options of `quadGraph`", options);
  return ofRectangles(variables, options, (r) => {
    const rows = halves(r.top, r.bottom).map(([top, bottom]) => ({ ...r, top, bottom }));
    const columns = halves(r.left, r.right).map(([left, right]) => ({ ...r, left, right }));
    if (r.half === "rows") return [columns.map((part) => ({ ...part, half: undefined }))];
    if (r.half === "columns") return [rows.map((part) => ({ ...part, half: undefined }))];
    if (rows.length === 1 || columns.length === 1) {
      return [rows, columns].filter((parts) => parts.length > 1);
    }
    return [
      rows.map((part) => ({ ...part, half: "rows" as const })),
      columns.map((part) => ({ ...part, half: "columns" as const })),
    ];
  });
}

function halves(from: number, to: number): [number, number][] {
  if (to - from === 1) return [[from, to]];
  const middle = from + Math.ceil((to - from) / 2);
  return [[from, middle], [middle, to]];
}

function ofRectangles(
  variables: readonly Variable[],
  options: ImageOptions,
  splits: (rectangle: Rectangle) => Rectangle[][],
): Circuit {
  const { height, width, channels = 1 } = options;
  for (const [what, size] of Object.entries({ height, width, channels })) requireWhole(what, size, 1);
  if (variables.length !== height * width * channels) {
    throw new CircuitError(
      "structure/size",
      `an image of ${height} x ${width} pixels with ${channels} channels has ${
        height * width * channels
      } variables; got ${variables.length}`,
    );
  }
  const regions = new Map<string, Region>();
  const regionOf = (r: Rectangle): Region => {
    const key = `${r.top},${r.left},${r.bottom},${r.right},${r.half}`;
    const before = regions.get(key);
    if (before !== undefined) return before;
    const inside: number[] = [];
    for (let row = r.top; row < r.bottom; row++) {
      for (let v = (row * width + r.left) * channels; v < (row * width + r.right) * channels; v++) {
        inside.push(v);
      }
    }
    const region = { variables: inside, partitions: splits(r).map((parts) => parts.map(regionOf)) };
    regions.set(key, region);
    return region;
  };
  return circuitOfRegions(
    variables,
    regionOf({ top: 0, left: 0, bottom: height, right: width }),
    options,
  );
}

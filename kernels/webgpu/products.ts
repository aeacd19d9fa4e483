import type { Plan, SumGroup } from "../plan.ts";
import type { OpenDevice } from "./device.ts";
import type { Step } from "./dispatch.ts";
import { perNumber, productEffort } from "./effort.ts";
import { elementGridFor, elementGroups } from "./grids.ts";
import type { KernelContext } from "./kernel_context.ts";
import { padded } from "./layout.ts";
import { type Form, matmulKernel, partsOf, tileGrid } from "./tiles.ts";

/** Where a product's operands and results begin, in the units of matmul.wgsl: numbers of logs, else vec4. */
interface ProductFold {
  readonly out: number;
  /** Forward: the first mark; backward: the factors of the results. */
  readonly other: number;
  readonly left: number;
  readonly right: number;
}

/** The products of a sum group with one page of its weights. */
export interface SumProducts {
  readonly form: Exclude<Form, "flows">;
  /** Whether results are added to the output; such sums are not cut. */
  readonly add: boolean;
  readonly columns: number;
  /** Length of the sums, in vec4. */
  readonly depth: number;
  /** Parts into which the sums are cut: {@link partsOf} the group, or 1. */
  readonly parts: number;
  /** Distance between rows, in vec4; of the result in numbers where it is logs. */
  readonly strides: { readonly left: number; readonly right: number; readonly out: number };
  readonly folds: readonly ProductFold[];
  readonly left: GPUBuffer;
  readonly right: GPUBuffer;
  readonly out: GPUBuffer;
  /** Marks or factors. */
  readonly other: GPUBuffer;
}

/** Parts of the upward and of the downward products of a group. */
export function groupParts(
  open: Pick<OpenDevice, "adapter">,
  { units, inputs, folds }: SumGroup,
): { readonly forward: number; readonly backward: number } {
  return {
    forward: partsOf(open, { columns: units, depth: padded(inputs) / 4, folds }),
    backward: partsOf(open, { columns: padded(inputs), depth: padded(units) / 4, folds }),
  };
}

/** Numbers of partial sums that any products of a plan need for `capacity` samples. */
export function partialNumbers(open: Pick<OpenDevice, "adapter">, plan: Plan, capacity: number): number {
  const each = plan.groups.flatMap((group) => {
    if (group.kind !== "sum") return [];
    const { forward, backward } = groupParts(open, group);
    const numbers = (parts: number, columns: number) =>
      parts === 1 ? 0 : parts * group.folds * columns * capacity;
    return [numbers(forward, padded(group.units)), numbers(backward, padded(group.inputs))];
  });
  return Math.max(4, ...each);
}

/**
 * The step of products, or two where too few workgroups would compute them: their sums are cut into parts, which are products of
 * their own, and join.wgsl adds those up in order.
 */
export function productSteps(context: KernelContext, products: SumProducts): Step[] {
  const { settings, layout, arrays, tiles } = context;
  const { form, add, columns, depth, parts, strides, folds } = products;
  const whole = parts === 1, wide = padded(columns) / 4, part = layout.capacity * wide;
  const tile = tiles({ form, rows: layout.capacity, columns, folds: folds.length * parts });
  const length = depth / parts;
  const cut = folds.flatMap(({ left, right, ...fold }, f) =>
    Array.from({ length: parts }, (_, p) => ({
      out: whole ? fold.out : (f * parts + p) * part,
      other: whole ? fold.other : 0,
      left: left + p * length,
      right: right + p * length * (form === "forward" ? 1 : 4 * strides.right),
    }))
  );
  const result = !whole ? "parts" : form === "forward" ? "logs" : add ? "added" : "factors";
  const product: Step = {
    kernel: matmulKernel(form, tile, result),
    bindings: [
      arrays.batch,
      settings.shape(0, columns, length, strides.left, strides.right, whole ? strides.out : wide),
      settings.table(cut.flatMap(({ out, other }, i) => [out, other, i, 1])),
      settings.table(cut.flatMap(({ left, right }) => [left, right])),
      products.left,
      products.right,
      ...(whole ? [products.out, products.other] : [arrays.partials]),
    ],
    grid: ({ rows }) => [...tileGrid(tile, rows, columns), cut.length],
    effort: ({ rows }) => productEffort(tile, rows, columns, 4 * length, cut.length),
  };
  if (whole) return [product];
  const grid = elementGridFor(context, wide);
  return [product, {
    kernel: { template: "join", constants: { FORM: form, PARTS: parts, ...grid } },
    bindings: [
      arrays.batch,
      settings.shape(columns, wide, part, strides.out),
      settings.table(folds.flatMap(({ out, other }, f) => [out, other, f * parts * part, 0])),
      arrays.partials,
      products.out,
      products.other,
    ],
    grid: elementGroups(grid, wide, folds.length),
    effort: perNumber(folds.length * columns, parts + 1, 4 * (parts + 2)),
  }];
}

import { RetortError } from "../foundation/errors.ts";
import type { OnnxPort } from "../kernels/onnx/session.ts";
import type { TeacherConfig } from "./config.ts";

/** Names of a graph's ports, if they are not the usual ones. */
export interface GraphNames {
  /** Ids of pieces; usually `input_ids`. */
  readonly ids?: string | undefined;
  /** 1 where there is a piece; usually `attention_mask`. */
  readonly mask?: string | undefined;
  /** Token type ids; usually `token_type_ids`. */
  readonly types?: string | undefined;
  /** Positions; usually `position_ids`. */
  readonly positions?: string | undefined;
  /** The output with logits of the next piece; usually `logits` or `lm_logits`. */
  readonly logits?: string | undefined;
  /** Prefix of cache input names; usually `past`. */
  readonly past?: string | undefined;
  /** Prefix of cache output names; usually `present`. */
  readonly present?: string | undefined;
}

const USUAL = {
  ids: "input_ids",
  mask: "attention_mask",
  types: "token_type_ids",
  positions: "position_ids",
} as const;
/** Input of graphs that merge a branch with caches and one without. */
const USE_CACHE = "use_cache_branch";
/** Inputs of graphs that can return logits for the last pieces only. */
const KEEP = ["num_logits_to_keep", "logits_to_keep"];

/** Whether a port holds floats in single or half precision. */
export function isFloats(port: OnnxPort): boolean {
  return port.type === "float32" || port.type === "float16";
}

/**
 * Describes the inputs of a graph, by the names that exporters use. A cache is paired with the output whose name has the
 * same ending: `past_key_values.0.key` with `present.0.key`, `past_0` with `present_0`.
 *
 * @throws RetortError naming the input that is not known, or the one that is missing
 */
export function describeInputs(
  inputs: readonly OnnxPort[],
  outputs: readonly OnnxPort[],
  name: string,
  names: GraphNames,
): TeacherConfig["inputs"] {
  const find = (part: keyof typeof USUAL): OnnxPort | undefined => {
    const wanted = names[part] ?? USUAL[part];
    const found = inputs.find((input) => input.name === wanted);
    if (found === undefined && names[part] !== undefined) {
      throw new RetortError("teacher/graph", `${name} takes no \`${wanted}\`; it takes ${listOf(inputs)}`);
    }
    return found;
  };
  const parts = { ids: find("ids"), mask: find("mask"), types: find("types"), positions: find("positions") };
  const useCache = inputs.find((input) => input.name === USE_CACHE && input.type === "bool");
  const keep = inputs.find((input) => KEEP.includes(input.name) && input.type === "int64");
  const past = cachesOf(inputs, outputs, names);
  const known = new Set([
    ...Object.values(parts).map((port) => port?.name),
    useCache?.name,
    keep?.name,
    ...past.map((cache) => cache.name),
  ]);
  const integers = new Set(Object.values(parts).flatMap((port) => port === undefined ? [] : [port.type]));
  const strange = inputs.find((input) => !known.has(input.name)) ??
    Object.values(parts).find((port) => port !== undefined && !/^int(64|32)$/.test(port.type));
  if (strange !== undefined || parts.ids === undefined || integers.size > 1) {
    throw new RetortError(
      "teacher/graph",
      strange !== undefined
        ? `${name} takes \`${strange.name}\` (${strange.type} [${
          strange.shape.join(", ")
        }]), which is not known here`
        : parts.ids === undefined
        ? `${name} takes no \`${USUAL.ids}\` (int64 or int32); it takes ${listOf(inputs)}`
        : `${name} takes whole numbers of two types: ${listOf(inputs)}`,
      {
        hint:
          `Known inputs: ${Object.values(USUAL).join(", ")}, ${USE_CACHE}, ${
            KEEP[0]
          } and caches [batch, heads, pieces, size] whose names begin with past. Others are named by the parameter ` +
          "`names` (`ids`, `mask`, `types`, `positions`, `past`, `present`).",
      },
    );
  }
  return {
    ids: parts.ids.name,
    ...(parts.mask !== undefined && { mask: parts.mask.name }),
    ...(parts.types !== undefined && { types: parts.types.name }),
    ...(parts.positions !== undefined && { positions: parts.positions.name }),
    ...(integers.has("int32") && { integers: "int32" as const }),
    ...(useCache !== undefined && { useCache: useCache.name }),
    ...(keep !== undefined && { keep: keep.name }),
    past,
  };
}

function listOf(ports: readonly OnnxPort[]): string {
  return ports.map(({ name, type }) => `${name} (${type})`).join(", ");
}

function cachesOf(
  inputs: readonly OnnxPort[],
  outputs: readonly OnnxPort[],
  { past = "past", present = "present" }: GraphNames,
): TeacherConfig["inputs"]["past"] {
  /** A name without its prefix: the numbers and words shared by a cache's input and output. */
  const rest = (name: string, prefix: string) =>
    name.slice(prefix.length).replace(/^_?key_values/, "").split(/[._/]/).filter((word) => word !== "").join(
      ".",
    );
  const given = new Map(
    outputs.filter(({ name }) => name.startsWith(present)).map((port) => [rest(port.name, present), port]),
  );
  return inputs.filter((input) =>
    input.name.startsWith(past) && isFloats(input) && Number.isInteger(Number(input.shape[1])) &&
    Number.isInteger(Number(input.shape[3]))
  ).map((input) => {
    const back = given.get(rest(input.name, past));
    return {
      name: input.name,
      heads: Number(input.shape[1]),
      size: Number(input.shape[3]),
      ...(input.type === "float16" && { type: "float16" as const }),
      ...(back?.type === input.type && { present: back.name }),
    };
  });
}

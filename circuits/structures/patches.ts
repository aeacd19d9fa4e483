import { CircuitBuilder } from "../builder.ts";
import {
  type Circuit,
  describeVariable,
  type NodeId,
  parameterOf,
  rootUnits,
  type Variable,
} from "../circuit.ts";
import { copyInto } from "../copy.ts";
import { withParameters } from "../parameters.ts";
import { CircuitError } from "../errors.ts";
import { requireCircuit, requireList, requireNumber, requireObject, requireWhole } from "../guards.ts";
import { isExternal } from "../leaves/mod.ts";
import type { Samples } from "../samples.ts";
import type { VariableTree } from "./chow_liu.ts";

/** Options of {@link clusterTree}. */
export interface ClusterTreeOptions {
  /** Clusters per patch: units of its external leaf. */
  readonly clusters: number;
  /**
   * States of a hidden variable above the cluster of every patch, with learned probabilities of the clusters given it. If
   * omitted, the tree is over the clusters themselves.
   */
  readonly latents?: number;
  /** Determines the initial parameters; 0 if omitted. */
  readonly seed?: number;
}

/**
 * The circuit over patches used in latent variable distillation for images (Liu, Zhang and Van den Broeck, ICLR 2023): a
 * tree over the cluster variables of the patches. Its leaves are log-likelihoods of each patch under each of its
 * clusters, which come with the data ({@link Samples.externals}) until {@link assemblePatches} replaces them by circuits.
 * Sum node `z<v>` sums out the variable of patch `v`; its parameter `z/<v>` is `[1, states of the parent's, states of its
 * own]`. With `latents`, parameter `cluster/<v>` is `[1, latents, clusters]`.
 *
 * @param names of the patches, one for each node of the tree
 */
export function clusterTree(
  names: readonly string[],
  tree: VariableTree,
  options: ClusterTreeOptions,
): Circuit {
  requireObject("the options of `clusterTree`", options);
  const { clusters, latents, seed = 0 } = options;
  requireWhole("clusters", clusters, 1);
  if (latents !== undefined) requireWhole("latents", latents, 1);
  const states = latents ?? clusters;
  if (tree.parents.length !== names.length) {
    throw new CircuitError(
      "structure/size",
      `the tree is over ${tree.parents.length} patches, but there are ${names.length}`,
    );
  }
  const b = new CircuitBuilder({ seed });
  for (const name of names) b.external(name);
  const messages: NodeId[][] = names.map(() => []);
  let top: NodeId = -1;
  for (const v of [...tree.order].reverse()) {
    const leaf = b.input({ variable: v, family: "external", units: clusters });
    const seen = latents === undefined ? leaf : b.sum([leaf], { units: latents, id: `cluster/${v}` });
    const here = b.product([seen, ...(messages[v] as NodeId[])]);
    const parent = tree.parents[v] as number;
    top = b.sum([here], { units: parent < 0 ? 1 : states, id: `z/${v}`, name: `z${v}` });
    if (parent >= 0) (messages[parent] as NodeId[]).push(top);
  }
  return b.build(top);
}

/**
 * Parameters of a {@link clusterTree} counted from the clusters of image patches: the initialisation by distillation.
 * With latents, state `l` of a hidden variable represents cluster `l % clusters`, to which it assigns probability `1 -
 * spread`.
 *
 * @param assignments `[images, patches]`: the cluster of every patch
 * @param options `pseudocount` virtual samples per row, spread evenly (0.1 if omitted); `spread` over other clusters
 *   (0.05 if omitted), for latents
 * @throws {CircuitError} when a cluster is out of range or the numbers do not fit
 */
export function countClusters(
  tree: VariableTree,
  assignments: ArrayLike<number>,
  options: ClusterTreeOptions & { readonly pseudocount?: number; readonly spread?: number },
): Map<string, Float32Array> {
  requireObject("the options of `countClusters`", options);
  const { clusters, pseudocount = 0.1, spread = 0.05 } = options;
  requireWhole("clusters", clusters, 1);
  requireNumber("pseudocount", pseudocount, 0);
  requireNumber("spread", spread, 0, 1);
  const states = options.latents ?? clusters;
  const patches = tree.parents.length;
  if (assignments.length % patches !== 0) {
    throw new CircuitError(
      "structure/patches",
      `${assignments.length} clusters cannot be split into images of ${patches} patches`,
    );
  }
  const images = assignments.length / patches;
  for (let i = 0; i < assignments.length; i++) {
    const k = assignments[i] as number;
    if (!(Number.isInteger(k) && k >= 0 && k < clusters)) {
      throw new CircuitError(
        "structure/patches",
        `image ${Math.floor(i / patches)}, patch ${i % patches}: the cluster is ${k}, expected 0 to ${
          clusters - 1
        }`,
      );
    }
  }
  const values = new Map<string, Float32Array>();
  // Number of states that represent each cluster and share its count.
  const copies = Float64Array.from(
    { length: clusters },
    (_, k) => Math.max(1, Math.ceil((states - k) / clusters)),
  );
  for (let v = 0; v < patches; v++) {
    const parent = tree.parents[v] as number;
    const rows = parent < 0 ? 1 : clusters;
    const counts = new Float64Array(rows * clusters);
    for (let i = 0; i < images; i++) {
      const k = assignments[i * patches + v] as number;
      const row = parent < 0 ? 0 : assignments[i * patches + parent] as number;
      counts[row * clusters + k] = (counts[row * clusters + k] as number) + 1;
    }
    const rowStates = parent < 0 ? 1 : states;
    const out = new Float32Array(rowStates * states);
    for (let r = 0; r < rowStates; r++) {
      const from = parent < 0 ? 0 : (r % clusters) * clusters;
      let total = pseudocount;
      for (let k = 0; k < clusters; k++) total += counts[from + k] as number;
      for (let s = 0; s < states; s++) {
        const k = s % clusters;
        const share = (counts[from + k] as number) / (copies[k] as number);
        out[r * states + s] = total > 0 ? (share + pseudocount / states) / total : 1 / states;
      }
    }
    values.set(`z/${v}`, out);
    if (options.latents === undefined) continue;
    const other = clusters > 1 ? spread / (clusters - 1) : 0;
    values.set(
      `cluster/${v}`,
      Float32Array.from(
        { length: states * clusters },
        (_, i) =>
          i % clusters !== Math.floor(i / clusters) % clusters ? other : clusters > 1 ? 1 - spread : 1,
      ),
    );
  }
  return values;
}

/** A circuit over one patch and its position in the image. */
export interface PatchPart {
  /**
   * `p(patch | cluster)`: one root unit per cluster. Parts with the same circuit object share its parameters: circuits
   * that are shared over positions.
   */
  readonly circuit: Circuit;
  /** For each variable of the circuit, its index among the variables of the image. */
  readonly columns: ArrayLike<number>;
}

/**
 * One circuit over all pixels: every external leaf of `top` is replaced by the circuit of its patch. Its likelihood is
 * that of `top` on the log-likelihoods of the patch circuits. Parameters of `top` keep their ids under `top/`; those of
 * the circuit of patch `v` are under `patch<v>/`, where `v` is the first patch that uses it.
 *
 * @param variables of the image, in sample order
 * @param parts one for each variable of `top`
 * @throws {CircuitError} when units or variables do not fit, or a pixel belongs to no patch or to two
 */
export function assemblePatches(
  variables: readonly Variable[],
  top: Circuit,
  parts: readonly PatchPart[],
): Circuit {
  requireList("the variables", variables);
  requireList("the parts", parts);
  if (parts.length !== top.variables.length) {
    throw new CircuitError(
      "structure/patches",
      `got ${parts.length} patch circuits for ${top.variables.length} patches`,
    );
  }
  const covered = new Int32Array(variables.length).fill(-1);
  parts.forEach(({ circuit, columns }, p) => {
    if (columns.length !== circuit.variables.length) {
      throw new CircuitError(
        "structure/patches",
        `the circuit of patch ${p} has ${circuit.variables.length} variables; got ${columns.length} columns`,
      );
    }
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i] as number;
      if (covered[column] !== -1) {
        const reason = covered[column] === undefined
          ? `which the image does not have: it has ${variables.length}`
          : `which patch ${covered[column]} has already`;
        throw new CircuitError(
          "structure/patches",
          `patch ${p} has variable ${column} of the image, ${reason}`,
        );
      }
      covered[column] = p;
    }
  });
  const left = covered.indexOf(-1);
  if (left >= 0) {
    throw new CircuitError("structure/patches", `variable ${left} of the image belongs to no patch`);
  }

  const b = new CircuitBuilder();
  for (const variable of variables) b.variable(variable);
  const prefixes = new Map<Circuit, { prefix: string; copied: Set<string> }>();
  const roots = parts.map(({ circuit, columns }, p) => {
    let shared = prefixes.get(circuit);
    if (shared === undefined) prefixes.set(circuit, shared = { prefix: `patch${p}`, copied: new Set() });
    return copyInto(b, circuit, { variables: Array.from(columns), ...shared });
  });
  const root = copyInto(b, top, {
    variables: top.variables.map(() => -1),
    prefix: "top",
    replace(node) {
      if (node.kind !== "input") return undefined;
      const units = rootUnits((parts[node.variable] as PatchPart).circuit);
      if (!isExternal(node) || node.units !== units) {
        throw new CircuitError(
          "circuit/units",
          `${describeVariable(top, node.variable)} has a ${node.family} leaf of ${node.units} units; ` +
            `the circuit of its patch, of ${units} root units, needs an external leaf of as many`,
        );
      }
      return roots[node.variable];
    },
  });
  return b.build(root);
}

/**
 * The inverse of {@link assemblePatches}: its component circuits, with the parameters of `whole`. Circuits that were the
 * same object are again one object.
 */
export function disassemblePatches(
  whole: Circuit,
  top: Circuit,
  parts: readonly PatchPart[],
): { top: Circuit; parts: PatchPart[] } {
  requireCircuit(whole);
  const taken = (circuit: Circuit, prefix: string) =>
    withParameters(
      circuit,
      new Map([...circuit.parameters.keys()].map((id) => [id, parameterOf(whole, prefix + id).values])),
    );
  const circuits = new Map<Circuit, Circuit>();
  return {
    top: taken(top, "top/"),
    parts: parts.map(({ circuit, columns }, p) => {
      let own = circuits.get(circuit);
      if (own === undefined) circuits.set(circuit, own = taken(circuit, `patch${p}/`));
      return { circuit: own, columns };
    }),
  };
}

/**
 * Samples of a {@link clusterTree} from the log-likelihoods of the patch circuits.
 * @param logLikelihoods of each patch, `[images, clusters]` in nats
 */
export function patchSamples(logLikelihoods: readonly Float32Array[], clusters: number): Samples {
  requireWhole("clusters", clusters, 1);
  const patches = logLikelihoods.length;
  const count = (logLikelihoods[0]?.length ?? 0) / clusters;
  return {
    count,
    variables: patches,
    values: new Uint8Array(count * patches),
    externals: new Map(logLikelihoods.map((logs, patch) => [patch, logs])),
  };
}

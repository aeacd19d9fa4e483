/** Codecs of clusters of patches and of circuits over patches. */
import { RetortError } from "../../foundation/errors.ts";
import { z } from "zod";
import { type Circuit, rootUnits, sizeOf, type Variable } from "../../circuits/circuit.ts";
import { decodeCircuit, encodeCircuit } from "../../circuits/encoded.ts";
import type { PatchPart } from "../../circuits/structures/patches.ts";
import { DataSetError } from "../../datasets/errors.ts";
import { patchCount, patchGrid, patchIndices, patchSize } from "../../datasets/images/geometry.ts";
import type { PixelSpace } from "../../datasets/images/image_set.ts";
import { array } from "../../runner/codecs/array.ts";
import { type ArtifactReader, type ArtifactWriter, type Codec, defineCodec } from "../../runner/codec.ts";
import { pixelSpace } from "./codecs.ts";

/** Cluster assignments of the patches of images. */
export interface PatchClusters {
  /** Side length of a patch in pixels. */
  readonly patch: number;
  /** Number of clusters, per position unless positions share them. */
  readonly clusters: number;
  /** Whether cluster `k` means the same at all positions. */
  readonly shared: boolean;
  /** `[images, patches]`. */
  readonly assignments: Int32Array;
  /** Number of patches per image. */
  readonly patches: number;
}

const labels = array("assignments", "i4", 2);

/** Clusters of patches: `array.npy` `[images, patches]` and `clusters.json`. */
export const patchClusters: Codec<PatchClusters, PatchClusters, "patch-clusters"> = defineCodec<
  PatchClusters,
  PatchClusters,
  "patch-clusters"
>({
  name: "patch-clusters",
  version: 1,
  async write({ patch, clusters, shared, assignments, patches }, out) {
    const wrong = assignments.findIndex((k) => !(k >= 0 && k < clusters));
    if (wrong >= 0) {
      throw new RetortError(
        "artifact/value",
        `patch ${wrong} has cluster ${assignments[wrong]} of ${clusters}`,
      );
    }
    const images = assignments.length / patches;
    await labels.write({ data: assignments, shape: [images, patches] }, out);
    await out.json("clusters.json", { patch, clusters, shared });
    return { images, patches, patch, clusters, shared };
  },
  async read(artifact) {
    const { data, shape } = await labels.read(artifact);
    const facts = z.strictObject({ patch: z.int(), clusters: z.int(), shared: z.boolean() }).parse(
      await artifact.json("clusters.json"),
    );
    return { ...facts, assignments: data, patches: shape[1]! };
  },
});

/** Circuits of patches, without the circuit over the patches. */
export interface PatchCircuits {
  /** The pixel space of the images. */
  readonly space: PixelSpace;
  /** Side length of a patch in pixels. */
  readonly patch: number;
  /** Stacked circuits with a root unit for each cluster: one shared by all positions, or one per position. */
  readonly circuits: readonly Circuit[];
}

/** A model of images: circuits of patches and the circuit over their clusters. */
export interface PatchModel extends PatchCircuits {
  /** The circuit over patches: see `clusterTree`. */
  readonly top: Circuit;
}

/** The variables of images in a pixel space. */
export function imageVariables(space: PixelSpace): Variable[] {
  const { height, width, channels, levels } = space;
  const name = (i: number) => {
    const pixel = Math.floor(i / channels);
    const place = `${Math.floor(pixel / width)},${pixel % width}`;
    return channels === 1 ? `pixel ${place}` : `pixel ${place},${i % channels}`;
  };
  return Array.from(
    { length: height * width * channels },
    (_, i) => ({ kind: "categorical", name: name(i), states: levels[i % channels]! }),
  );
}

/** The variables of one patch of images in a pixel space. */
export function patchVariables(space: PixelSpace, patch: number): Variable[] {
  return imageVariables({ ...space, height: patch, width: patch });
}

/** The circuit and the location of every patch. */
export function patchParts({ space, patch, circuits }: PatchCircuits): PatchPart[] {
  const grid = patchGrid(space, patch);
  const places = patchIndices(grid), size = patchSize(grid), count = patchCount(grid);
  if (circuits.length !== 1 && circuits.length !== count) {
    throw new DataSetError(
      "inputs/mismatch",
      `${circuits.length} circuits for ${count} patches; expected one, or one for each`,
    );
  }
  return Array.from({ length: count }, (_, p) => ({
    circuit: circuits[circuits.length === 1 ? 0 : p]!,
    columns: places.subarray(p * size, (p + 1) * size),
  }));
}

/** Number of parameters of a model, counting shared ones once. */
export function modelParameters({ circuits, top }: PatchCircuits & { readonly top?: Circuit }): number {
  return [...circuits, ...top === undefined ? [] : [top]].reduce(
    (total, circuit) => total + sizeOf(circuit).parameters,
    0,
  );
}

async function writeCircuit(circuit: Circuit, folder: string, out: ArtifactWriter): Promise<void> {
  const { structure, parameters } = encodeCircuit(circuit);
  await out.text(`${folder}/circuit.json`, structure);
  await out.bytes(`${folder}/parameters.safetensors`, parameters);
}

async function readCircuit(folder: string, artifact: ArtifactReader): Promise<Circuit> {
  const parameters = await artifact.bytes(`${folder}/parameters.safetensors`);
  return decodeCircuit(await artifact.text(`${folder}/circuit.json`), parameters, folder);
}

const facts = z.strictObject({ space: pixelSpace, patch: z.int().min(1), circuits: z.int().min(1) });

async function writeCircuits(value: PatchCircuits, out: ArtifactWriter) {
  const { space, patch, circuits } = value;
  const { length } = patchParts(value);
  await out.json("patches.json", { space, patch, circuits: circuits.length } as never);
  for (const [i, circuit] of circuits.entries()) await writeCircuit(circuit, `patch-${i}`, out);
  return { patches: length, patch, clusters: rootUnits(circuits[0]!), circuits: circuits.length };
}

async function readCircuits(artifact: ArtifactReader): Promise<PatchCircuits> {
  const { space, patch, circuits: count } = facts.parse(await artifact.json("patches.json"));
  const circuits: Circuit[] = [];
  for (let i = 0; i < count; i++) circuits.push(await readCircuit(`patch-${i}`, artifact));
  return { space, patch, circuits };
}

/** Circuits of patches: `patches.json` and a folder for each circuit, as `saveCircuit` writes it. */
export const patchCircuits: Codec<PatchCircuits, PatchCircuits, "patch-circuits"> = defineCodec<
  PatchCircuits,
  PatchCircuits,
  "patch-circuits"
>({
  name: "patch-circuits",
  version: 1,
  write: async (value, out) => ({ ...await writeCircuits(value, out), parameters: modelParameters(value) }),
  read: readCircuits,
});

/** A model of images: circuits of patches and, in `top/`, the circuit over their clusters. */
export const patchModel: Codec<PatchModel, PatchModel, "patch-model"> = defineCodec<
  PatchModel,
  PatchModel,
  "patch-model"
>({
  name: "patch-model",
  version: 1,
  async write(value, out) {
    const written = await writeCircuits(value, out);
    await writeCircuit(value.top, "top", out);
    return { ...written, parameters: modelParameters(value) };
  },
  async read(artifact) {
    return { ...await readCircuits(artifact), top: await readCircuit("top", artifact) };
  },
});

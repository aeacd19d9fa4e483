import { plainText } from "../../foundation/csv.ts";
import { type ExportedFile, exportedId, type ExportedRun } from "./exported_run.ts";

/** A file or folder of the crate that a run returned. */
export interface CratePart {
  /** Path inside, a folder's with a slash at its end. */
  readonly path: string;
  readonly name: string;
  readonly description: string;
}

/**
 * What a run was as an RO-Crate (version 1.1): the crate itself, the run as a `CreateAction` of the program with its
 * parameters, and the outputs that it returned.
 */
export function roCrateFile({ run, params, nodes }: ExportedRun, parts: readonly CratePart[]): ExportedFile {
  const moment = (seconds: number) => new Date(seconds * 1000).toISOString();
  const ended = run.ended ?? run.started;
  const settings = [...params, ["seed", run.seed] as const].map(([name, value]) => ({
    "@id": `#parameter-${exportedId(name).slice(0, 12)}`,
    "@type": "PropertyValue",
    name,
    value: plainText(value),
  }));
  const measured = nodes.flatMap(({ node, values }) =>
    Object.entries(values).flatMap(([name, value]) =>
      value === null ? [] : [{
        "@id": `#value-${exportedId(node.name, name).slice(0, 12)}`,
        "@type": "PropertyValue",
        name: `${node.name}: ${name}`,
        value,
      }]
    )
  );
  const ids = (list: readonly { "@id": string }[]) => list.map((one) => ({ "@id": one["@id"] }));
  const data = parts.map((part) => ({
    "@id": part.path.split("/").map(encodeURIComponent).join("/"),
    "@type": part.path.endsWith("/") ? "Dataset" : "File",
    name: part.name,
    description: part.description,
  }));
  const graph = [
    {
      "@id": "ro-crate-metadata.json",
      "@type": "CreativeWork",
      about: { "@id": "./" },
      conformsTo: { "@id": "https://w3id.org/ro/crate/1.1" },
    },
    {
      "@id": "./",
      "@type": "Dataset",
      name: `${run.pipeline}, run ${run.id}`,
      description:
        `What run ${run.id} of the pipeline ${run.pipeline} returned, with its parameters and results.`,
      datePublished: moment(ended),
      license: { "@id": "#license" },
      hasPart: ids(data),
      mentions: [{ "@id": "#run" }],
    },
    {
      "@id": "#license",
      "@type": "CreativeWork",
      name: "No licence stated",
      description: "The exporting program does not know the licence of these results: ask who made them.",
    },
    {
      "@id": "#retort",
      "@type": "SoftwareApplication",
      name: "Retort",
      version: run.environment.retort,
      description: "Latent variable distillation as declarative, cached pipelines.",
    },
    {
      "@id": "#run",
      "@type": "CreateAction",
      name: `run ${run.id}`,
      description: run.command,
      startTime: moment(run.started),
      endTime: moment(ended),
      instrument: { "@id": "#retort" },
      object: ids(settings),
      result: [...ids(data), ...ids(measured)],
    },
    ...data,
    ...settings,
    ...measured,
  ];
  const crate = { "@context": "https://w3id.org/ro/crate/1.1/context", "@graph": graph };
  return { path: "ro-crate-metadata.json", content: `${JSON.stringify(crate, null, 2)}\n` };
}

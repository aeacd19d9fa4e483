import { useMemo } from "preact/hooks";
import type { JsonValue } from "../../foundation/canonical.ts";
import { legible } from "./legible.ts";
import { bytesText, valueText } from "../../foundation/format.ts";
import type { FilePreview, Preview } from "../view/preview.ts";
import type { ArtifactView } from "../view/run.ts";
import { Drawing } from "./place.tsx";
import { drawHistogram } from "./plot.ts";
import type { ShownTable } from "../view/shown_tables.ts";
import { Facts, Table, ValueView } from "./values.tsx";

/**
 * An artifact's content: its summary by its codec and previews of its files. Values and texts come first unless they are
 * too deeply nested for tables; then the summary does.
 */
export function ArtifactContent(
  { summary, artifact, previews, name }: {
    summary: string | undefined;
    artifact: ArtifactView;
    previews: readonly FilePreview[];
    name: string;
  },
) {
  const files = <Previews artifact={artifact} previews={previews} name={name} />;
  const tables = previews.flatMap(({ preview }) => preview.kind === "value" ? preview.tables ?? [] : []);
  if (tables.length > 0) {
    return (
      <>
        {tables.map((table, i) => <WordTable key={i} table={table} />)}
        <details>
          <summary>All of it</summary>
          {files}
        </details>
      </>
    );
  }
  const plain = previews.some(({ preview }) => preview.kind === "value" || preview.kind === "text");
  const deep = previews.some(({ preview }) => preview.kind === "value" && depth(preview.value) > TABLES);
  if (summary === undefined || (plain && !deep)) return files;
  return (
    <>
      <pre class="text" tabIndex={0} role="region" aria-label={`summary of ${name}`}>{summary}</pre>
      {deep
        ? (
          <details>
            <summary>All of it</summary>
            {files}
          </details>
        )
        : files}
    </>
  );
}

/** A table for people, with its title above it. */
export function WordTable({ table: { title, head, numeric, rows, note } }: { table: ShownTable }) {
  return (
    <div class="words">
      <h4>{title}</h4>
      <Table
        caption={title}
        head={head}
        numeric={numeric}
        rows={rows.map((row) =>
          row.map((cell, i) =>
            typeof cell === "string" ? <span key={i} class="lines">{cell}</span> : (
              <span key={i}>
                {cell.before}
                <mark>{cell.marked}</mark>
              </span>
            )
          )
        )}
      />
      {note !== undefined && <p class="faint">{note}</p>}
    </div>
  );
}

/** Maximum depth of values that tables show well: named lists of rows. */
const TABLES = 3;

/** Nesting depth of lists and objects; 0 for a plain value. */
function depth(value: JsonValue): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).slice(0, 50).map(depth));
}

/** Previews of an artifact's files. `name` is its display name. */
export function Previews(
  { artifact, previews, name }: {
    artifact: ArtifactView;
    previews: readonly FilePreview[];
    name: string;
  },
) {
  const pictures = captions(artifact);
  // The pictures themselves replace the list of pictures.
  const shown = pictures.size === 0 ? previews : previews.filter(({ file }) => file !== "pictures.json");
  const several = shown.length > 1;
  return (
    <div class="previews">
      {shown.map(({ file, preview }, i) => (
        <div key={i} class={`preview preview-${preview.kind}`}>
          {several && preview.kind !== "picture" && <h4 class="file">{file}</h4>}
          <One preview={preview} name={`${name}, ${file}`} caption={pictures.get(file)} />
        </div>
      ))}
      {artifact.files.length > previews.length && previews.length > 1 && (
        <p>{artifact.files.length} files in all, {bytesText(artifact.bytes)}</p>
      )}
    </div>
  );
}

/** Captions of pictures from the facts of their artifact. */
function captions(artifact: ArtifactView): Map<string, string> {
  const listed = artifact.facts.pictures;
  if (!Array.isArray(listed)) return new Map();
  return new Map(
    listed.flatMap((entry) =>
      typeof entry === "object" && entry !== null && !Array.isArray(entry) &&
        typeof entry.file === "string" &&
        typeof entry.caption === "string"
        ? [[entry.file, entry.caption] as const]
        : []
    ),
  );
}

function One({ preview, name, caption }: { preview: Preview; name: string; caption: string | undefined }) {
  switch (preview.kind) {
    case "value":
      return <ValueView value={preview.value} name={name} />;
    case "text":
      return (
        <>
          <pre class="text" tabIndex={0} role="region" aria-label={name}>{preview.text}</pre>
          {preview.cut && <p>the beginning; there is more</p>}
        </>
      );
    case "tensor":
      return <Tensor preview={preview} />;
    case "picture":
      return (
        <figure class="picture">
          <img src={preview.url} alt={caption ?? name} />
          {caption !== undefined && <figcaption>{caption}</figcaption>}
        </figure>
      );
    case "circuit":
      return <Circuit preview={preview} />;
    case "opaque":
      return <p>{preview.why}</p>;
    case "fault":
      return <p class="fault" role="alert">cannot be shown: {preview.message}</p>;
  }
}

function Tensor({ preview }: { preview: Preview & { kind: "tensor" } }) {
  const { summary } = preview;
  const draw = useMemo(
    () => (document: Document) => drawHistogram(document, summary.histogram, preview.name),
    [preview],
  );
  return (
    <div class="tensor">
      <p>
        <code>{preview.name}</code> {preview.type} [{preview.shape.join(" × ")}]
        {preview.partial && <>; of its beginning, {summary.count} numbers:</>}
      </p>
      {preview.words !== undefined && <p class="prose">{preview.words}</p>}
      {preview.picture !== undefined && <img src={preview.picture} alt={`${preview.name} as images`} />}
      <Facts
        facts={[
          ["smallest", valueText(summary.min)],
          ["mean", valueText(summary.mean)],
          ["largest", valueText(summary.max)],
          ["deviation", valueText(summary.deviation)],
          ["zeros", String(summary.zeros)],
          ...(summary.notFinite > 0 ? [["not finite", String(summary.notFinite)] as const] : []),
          ["first", <code key="first">{summary.first.map(valueText).join(", ")}</code>],
        ]}
      />
      {summary.histogram.counts.length > 0 && <Drawing draw={draw} className="plot" />}
    </div>
  );
}

function Circuit({ preview }: { preview: Preview & { kind: "circuit" } }) {
  const { nodes } = preview;
  return (
    <div class="circuit">
      <Facts
        facts={[
          ["variables", String(preview.variables)],
          ["nodes", `${nodes.sum} sums, ${nodes.product} products, ${nodes.input} inputs`],
          ["edges", String(preview.edges)],
          ["parameters", String(preview.parameters)],
          ["widest node", `${preview.width} units`],
          ["depth", String(preview.depth)],
        ]}
      />
      <details>
        <summary>{preview.layered ? "Its layers" : "Its nodes"}</summary>
        <figure class="drawn">
          <div
            class="graph scroll"
            tabIndex={0}
            role="region"
            aria-label={preview.layered ? "the circuit's layers" : "the circuit's nodes"}
            dangerouslySetInnerHTML={{ __html: legible(preview.svg) }}
          />
          <figcaption>
            {preview.layered ? "its layers, root at the top" : "its nodes, root at the top"}
          </figcaption>
        </figure>
      </details>
    </div>
  );
}

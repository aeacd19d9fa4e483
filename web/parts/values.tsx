import type { ComponentChildren, JSX } from "preact";
import type { JsonObject, JsonValue } from "../../foundation/canonical.ts";
import { valueText } from "../../foundation/format.ts";
import { readableParts, readableText } from "../../foundation/readable.ts";

/** Maximum number of rows and list items shown of a long value. */
const SHOWN = 200;

/** A table that scrolls sideways on narrow pages, also by keyboard. */
export function Table(
  { caption, head, rows, numeric = [], short = [], sorted = [], ids }: {
    caption: string;
    head: readonly ComponentChildren[];
    rows: readonly (readonly ComponentChildren[])[];
    /** Indices of numeric columns. */
    numeric?: readonly number[];
    /** Indices of columns with short texts, which are not wrapped. */
    short?: readonly number[];
    /** Sort direction of each column, if the rows are sorted by it. */
    sorted?: readonly ("ascending" | "descending" | undefined)[];
    /** Row ids, for links. */
    ids?: readonly string[];
  },
) {
  const align = (i: number) => numeric.includes(i) ? "number" : short.includes(i) ? "short" : undefined;
  return (
    <div class="scroll" role="region" aria-label={`Table: ${caption}`} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {head.map((cell, i) => <th key={i} scope="col" class={align(i)} aria-sort={sorted[i]}>{cell}
            </th>)}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, i) => (
            <tr key={ids?.[i] ?? i} id={ids?.[i]}>
              {row.map((cell, c) => <td key={c} class={align(c)}>{cell}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A list of names and values, in columns or in one line. */
export function Facts(
  { facts, line = false }: { facts: readonly (readonly [string, ComponentChildren])[]; line?: boolean },
) {
  return (
    <dl class={line ? "facts line" : "facts"}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Parameters of a pipeline or a node. */
export function Params({ params }: { params: JsonObject }) {
  if (Object.keys(params).length === 0) return <span>none</span>;
  return (
    <Facts
      facts={readableParts(params).map((
        [path, value],
      ) => [path, <code key={path}>{readableText(value)}</code>])}
    />
  );
}

/** A JSON value for people: lists of objects as tables, lists of texts as lists, objects as names and values. */
export function ValueView({ value, name }: { value: JsonValue; name: string }): JSX.Element {
  if (typeof value === "string") return <span class="prose">{value}</span>;
  if (typeof value !== "object" || value === null) return <span>{valueText(value)}</span>;
  if (Array.isArray(value)) return <List list={value} name={name} />;
  const entries = Object.entries(value);
  if (entries.length === 0) return <span>–</span>;
  return (
    <Facts
      facts={entries.slice(0, SHOWN).map(([key, item]) => [
        key,
        <ValueView key={key} value={item} name={`${name}, ${key}`} />,
      ])}
    />
  );
}

function List({ list, name }: { list: readonly JsonValue[]; name: string }) {
  const shown = list.slice(0, SHOWN);
  const more = list.length > SHOWN ? <p>and {list.length - SHOWN} more</p> : null;
  if (shown.length > 0 && shown.every(isRow)) return <>{rowsTable(shown, name)}{more}</>;
  if (shown.some((item) => typeof item === "string" && item.length > 12)) {
    return (
      <>
        <ol class="texts">{shown.map((item, i) => <li key={i}>{valueText(item)}</li>)}</ol>
        {more}
      </>
    );
  }
  return (
    <>
      <code>{shown.map(valueText).join(", ")}</code>
      {more}
    </>
  );
}

function rowsTable(rows: readonly JsonObject[], name: string) {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const numeric = columns.flatMap((column, i) =>
    rows.every((row) => typeof row[column] === "number" || row[column] == null) ? [i] : []
  );
  return (
    <Table
      caption={name}
      head={columns}
      numeric={numeric}
      rows={rows.map((row) => columns.map((column) => <Cell key={column} value={row[column]} />))}
    />
  );
}

/** A value in a cell: list items on separate lines, objects with their names; deeper levels show values only. */
function Cell({ value }: { value: JsonValue | undefined }) {
  if (Array.isArray(value)) return <>{value.map((item, i) => <div key={i}>{compact(item)}</div>)}</>;
  if (typeof value !== "object" || value === null) return <>{valueText(value)}</>;
  return <>{Object.entries(value).map(([name, item]) => `${name} ${compact(item)}`).join(", ")}</>;
}

function compact(value: JsonValue | undefined): string {
  if (typeof value !== "object" || value === null) return valueText(value);
  return Array.isArray(value)
    ? value.map(compact).join(", ")
    : Object.values(value).map((item) => compact(item)).join(" ");
}

function isRow(value: JsonValue): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

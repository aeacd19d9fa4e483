/// <reference lib="dom" />

const KEPT = "retort-columns";

/** The columns named in the address, otherwise those last chosen in this browser. */
export function chosenColumns(query: URLSearchParams): readonly string[] {
  if (query.has("column")) return query.getAll("column").filter((column) => column !== "");
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT) ?? "[]");
    return Array.isArray(kept) ? kept.filter((one) => typeof one === "string") : [];
  } catch {
    return [];
  }
}

/** What is asked of the server for a list: its query with the columns that are shown. */
export function askedRuns(query: URLSearchParams): URLSearchParams {
  const asked = new URLSearchParams(query);
  asked.delete("column");
  for (const column of chosenColumns(query)) asked.append("column", column);
  return asked;
}

/** The query with these columns, which are also stored for lists whose address names none. */
export function withColumns(query: URLSearchParams, columns: readonly string[]): URLSearchParams {
  localStorage.setItem(KEPT, JSON.stringify(columns));
  const next = new URLSearchParams(query);
  next.delete("column");
  for (const column of columns.length === 0 ? [""] : columns) next.append("column", column);
  return next;
}

/** A page of the dashboard. */
export type Route =
  | { readonly page: "runs"; readonly query: URLSearchParams }
  | { readonly page: "run"; readonly run: string; /** The section shown first. */ readonly at: string | null }
  | { readonly page: "node"; readonly run: string; readonly node: string }
  | { readonly page: "artifact"; readonly digest: string }
  | { readonly page: "explore"; readonly digest: string; readonly query: URLSearchParams }
  | { readonly page: "compare"; readonly runs: readonly string[] };

/** The page that an address hash names; the list of runs if unknown. */
export function routeOf(hash: string): Route {
  const [path = "", search = ""] = hash.replace(/^#\/?/, "").split("?");
  const parts = path.split("/").map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  const [page, first = "", second, third = ""] = parts;
  if (page === "run" && second === "node") return { page: "node", run: first, node: third };
  if (page === "run") return { page: "run", run: first, at: new URLSearchParams(search).get("at") };
  if (page === "artifact") return { page: "artifact", digest: first };
  if (page === "explore") return { page: "explore", digest: first, query: new URLSearchParams(search) };
  if (page === "compare") return { page: "compare", runs: first.split(",") };
  return { page: "runs", query: new URLSearchParams(search) };
}

/** Address hashes of pages. */
export const to = {
  runs: (query: URLSearchParams) => `#/runs?${query}`,
  run: (id: string) => `#/run/${encodeURIComponent(id)}`,
  section: (id: string, at: string) => `#/run/${encodeURIComponent(id)}?${new URLSearchParams({ at })}`,
  node: (run: string, node: string) => `#/run/${encodeURIComponent(run)}/node/${encodeURIComponent(node)}`,
  artifact: (digest: string) => `#/artifact/${encodeURIComponent(digest)}`,
  explore: (digest: string) => `#/explore/${encodeURIComponent(digest)}`,
  compare: (runs: readonly string[]) => `#/compare/${runs.map(encodeURIComponent).join(",")}`,
};

/** Paths of the data that pages show. */
export const dataOf = {
  runs: (asked: URLSearchParams) => `api/runs?${asked}`,
  run: (id: string) => `api/run?id=${encodeURIComponent(id)}`,
  standing: (run: string, node: string) => `api/standing?${new URLSearchParams({ run, node })}`,
  artifact: (digest: string) => `api/artifact?digest=${encodeURIComponent(digest)}`,
  explore: (digest: string) => `api/explore?digest=${encodeURIComponent(digest)}`,
  compare: (runs: readonly string[]) => `api/compare?${new URLSearchParams(runs.map((run) => ["run", run]))}`,
};

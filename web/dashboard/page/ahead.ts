/// <reference lib="dom" />
import { askedRuns } from "./asked_runs.ts";
import { dataOf, type Route } from "./routes.ts";

/** Milliseconds for which what was asked ahead is new enough. */
const AHEAD = 3000;

interface Ahead {
  readonly path: string;
  readonly response: Promise<Response>;
  readonly until: number;
}

declare global {
  /** What the first script of the page asked for; the others are scripts of their own. */
  var retortAhead: Ahead | undefined;
}

/** Requests what a page is about to ask for while its scripts are still being loaded. */
export function askAhead(route: Route): void {
  const path = firstData(route);
  const response = fetch(path);
  // Whoever asks for it is told.
  response.catch(() => {});
  globalThis.retortAhead = { path, response, until: performance.now() + AHEAD };
}

/** The response to what was asked ahead, for the first who asks for the same soon enough. */
export function takeAhead(path: string): Promise<Response> | undefined {
  const ahead = globalThis.retortAhead;
  if (ahead?.path !== path || performance.now() >= ahead.until) return undefined;
  globalThis.retortAhead = undefined;
  return ahead.response;
}

/** The data that a page begins with. */
function firstData(route: Route): string {
  switch (route.page) {
    case "runs":
      return dataOf.runs(askedRuns(route.query));
    case "run":
    case "node":
      return dataOf.run(route.run);
    case "artifact":
      return dataOf.artifact(route.digest);
    case "explore":
      return dataOf.explore(route.digest);
    case "compare":
      return dataOf.compare(route.runs);
  }
}

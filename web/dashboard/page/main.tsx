/// <reference lib="dom" />
import { render } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { timeText } from "../../../foundation/format.ts";
import { type PagePlace, PlaceContext } from "../../parts/place.tsx";
import { ThemeChoice } from "../../parts/theme.tsx";
import { Wordmark } from "../../parts/wordmark.tsx";
import { showMarks } from "../../parts/marks.ts";
import { askAhead } from "./client.ts";
import { dataOf, type Route, routeOf, to, useRoute } from "./routes.ts";
import { askedRuns } from "./run_columns.tsx";
import { RunsPage } from "./runs.tsx";
import { later } from "./later.tsx";

const RunPage = later(async () => (await import("./run.tsx")).RunPage);
const NodePage = later(async () => (await import("./node.tsx")).NodePage);
const ArtifactPage = later(async () => (await import("./artifact.tsx")).ArtifactPage);
const ExplorePage = later(async () => (await import("./explore.tsx")).ExplorePage);
const ComparePage = later(async () => (await import("./compare.tsx")).ComparePage);

/** The whole page. */
function Dashboard() {
  const route = useRoute();
  const main = useRef<HTMLElement>(null);
  const key = JSON.stringify({ ...route, query: undefined });
  const first = useRef(true);
  useEffect(() => {
    // Moves the focus to the start of the new page, also for screen readers.
    if (!first.current) main.current?.focus();
    first.current = false;
    scrollTo(0, 0);
  }, [key]);
  const place: PagePlace = {
    document: undefined,
    node: (name) => "run" in route ? to.node(route.run, name) : undefined,
    artifact: to.artifact,
    run: to.run,
    time: timeText,
  };
  return (
    <PlaceContext.Provider value={place}>
      <div class="page">
        <a
          class="skip"
          href="#main"
          onClick={(event) => {
            event.preventDefault();
            main.current?.focus();
          }}
        >
          To the content
        </a>
        <header class="masthead">
          <Wordmark to="#/runs" />
          <nav aria-label="Dashboard">
            <ul>
              <li>
                <a href="#/runs">Runs</a>
              </li>
            </ul>
          </nav>
          <ThemeChoice chosen={theme} onChoose={chooseTheme} />
        </header>
        <main id="main" tabIndex={-1} ref={main}>
          <At key={key} route={route} />
        </main>
      </div>
    </PlaceContext.Provider>
  );
}

function At({ route }: { route: Route }) {
  switch (route.page) {
    case "runs":
      return <RunsPage query={route.query} />;
    case "run":
      return <RunPage id={route.run} />;
    case "node":
      return <NodePage run={route.run} name={route.node} />;
    case "artifact":
      return <ArtifactPage digest={route.digest} />;
    case "explore":
      return <ExplorePage digest={route.digest} query={route.query} />;
    case "compare":
      return <ComparePage runs={route.runs} />;
  }
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

const THEME = "retort-theme";

function applyTheme(theme: string): void {
  if (theme === "") document.documentElement.removeAttribute("data-theme");
  else document.documentElement.setAttribute("data-theme", theme);
}

function chooseTheme(theme: string): void {
  applyTheme(theme);
  localStorage.setItem(THEME, theme);
}

askAhead(firstData(routeOf(location.hash)));
const theme = localStorage.getItem(THEME) ?? "";
applyTheme(theme);
showMarks();
const root = document.getElementById("root")!;
root.replaceChildren();
render(<Dashboard />, root);

/// <reference lib="dom" />
import { render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { timeText } from "../../../foundation/format.ts";
import { chooseTheme, chosenTheme } from "../../parts/chosen_theme.ts";
import { type PagePlace, PlaceContext } from "../../parts/place.tsx";
import { ThemeChoice } from "../../parts/theme.tsx";
import { Wordmark } from "../../parts/wordmark.tsx";
import { showMarks } from "../../parts/marks.ts";
import { type Route, routeOf, to } from "./routes.ts";
import { RunsPage } from "./runs.tsx";
import { later } from "./later.tsx";

const others = () => import("./other_pages.ts");
const RunPage = later(async () => (await others()).RunPage);
const NodePage = later(async () => (await others()).NodePage);
const ArtifactPage = later(async () => (await others()).ArtifactPage);
const ExplorePage = later(async () => (await others()).ExplorePage);
const ComparePage = later(async () => (await others()).ComparePage);

/** The page named in the address bar. */
function useRoute(): Route {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const change = () => setHash(location.hash);
    addEventListener("hashchange", change);
    return () => removeEventListener("hashchange", change);
  }, []);
  return routeOf(hash);
}

/** The whole page. */
function Dashboard() {
  const route = useRoute();
  const main = useRef<HTMLElement>(null);
  const key = JSON.stringify({ ...route, query: undefined, at: undefined });
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
          <ThemeChoice chosen={chosenTheme()} onChoose={chooseTheme} />
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
      return <RunPage id={route.run} at={route.at} />;
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

showMarks();
const root = document.getElementById("root")!;
root.replaceChildren();
render(<Dashboard />, root);

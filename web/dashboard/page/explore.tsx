/// <reference lib="dom" />
import { useEffect, useState } from "preact/hooks";
import { Facts } from "../../parts/values.tsx";
import type { ExplorePageData, ModelBeside } from "../explore.ts";
import { useAsk } from "./client.ts";
import { Copy } from "./copy.tsx";
import { ExploreControl } from "./explore_control.tsx";
import { ExploreImages } from "./explore_images.tsx";
import { ExploreText } from "./explore_text.tsx";
import { Shown, Title } from "./frame.tsx";
import { dataOf, to } from "./routes.ts";

/** Page of a model that answers while the user types or paints, next to other models of its run. */
export function ExplorePage({ digest, query }: { digest: string; query: URLSearchParams }) {
  const loaded = useAsk<ExplorePageData>(dataOf.explore(digest));
  return (
    <Shown loaded={loaded} title={`Explore ${digest.slice(0, 12)}`}>
      {(data) => <Explored digest={digest} query={query} data={data} />}
    </Shown>
  );
}

/** Number of measurements that stand above the question. */
const FIRST = 2;

/** Maximum number of models asked at once. */
const ASKED = 4;

function Explored(
  { digest, query, data }: { digest: string; query: URLSearchParams; data: ExplorePageData },
) {
  const { name, pipeline, run, node, explorable, facts, measured, colour, others } = data;
  const [chosen, setChosen] = useState<readonly string[]>(() =>
    query.getAll("with").filter((one) => others.some((other) => other.digest === one)).slice(0, ASKED - 1)
  );
  const [question, setQuestion] = useState<Readonly<Record<string, string>>>(() =>
    Object.fromEntries([...query].filter(([key]) => key !== "with"))
  );
  const [asked, setAsked] = useState(question.ask === "control" ? "control" : "blanks");
  useEffect(() => {
    // The address holds the question, and the back button leaves the page.
    const search = new URLSearchParams({ ...question });
    for (const one of chosen) search.append("with", one);
    history.replaceState(null, "", `${to.explore(digest)}?${search}`);
  }, [question, chosen]);
  const models: ModelBeside[] = [
    { digest, name, colour },
    ...others.filter((one) => chosen.includes(one.digest)),
  ];
  return (
    <>
      <Title text={`Explore ${name}`}>{name}</Title>
      <p class="bar">
        <span>
          {explorable?.kind === "images" ? "a model of images" : "a model of text"} of {pipeline},{" "}
          <a href={to.node(run, node)}>run {run}</a>, <a href={to.artifact(digest)}>its page</a>
        </span>
        <Copy text={() => location.href} what="link with the question" />
      </p>
      {measured.length > 0 && (
        <section aria-label="How good it is">
          <Facts facts={measured.slice(0, FIRST)} line />
        </section>
      )}
      {(facts.length > 0 || measured.length > FIRST) && (
        <details>
          <summary>What it is, and all that was measured</summary>
          <Facts facts={[...facts, ...measured.slice(FIRST)]} />
        </details>
      )}
      {others.length > 0 && explorable !== null && (
        <fieldset class="bar">
          <legend>Beside it</legend>
          {others.map((other) => (
            <label key={other.digest}>
              <input
                type="checkbox"
                checked={chosen.includes(other.digest)}
                disabled={!chosen.includes(other.digest) && chosen.length >= ASKED - 1}
                onChange={() =>
                  setChosen((before) =>
                    before.includes(other.digest)
                      ? before.filter((one) => one !== other.digest)
                      : [...before, other.digest]
                  )}
              />{" "}
              {other.name}
            </label>
          ))}
        </fieldset>
      )}
      {explorable === null
        ? <p>This artifact is no model of text or images, or the run that made it is forgotten.</p>
        : explorable.kind === "text"
        ? (
          <>
            <fieldset class="bar">
              <legend>Ask about</legend>
              {(["blanks", "control"] as const).map((way) => (
                <label key={way}>
                  <input
                    type="radio"
                    name="ask"
                    checked={asked === way}
                    onChange={() => setAsked(way)}
                  />{" "}
                  {way === "blanks" ? "a sentence with blanks" : "texts under a constraint"}
                </label>
              ))}
            </fieldset>
            {asked === "blanks"
              ? (
                <ExploreText
                  models={models}
                  about={explorable}
                  sentences={data.sentences}
                  begun={question}
                  onQuestion={setQuestion}
                />
              )
              : <ExploreControl models={models} begun={question} onQuestion={setQuestion} />}
          </>
        )
        : <ExploreImages models={models} about={explorable} begun={question} onQuestion={setQuestion} />}
      <p class="faint">All probabilities, draws and means here are exact.</p>
    </>
  );
}

/// <reference lib="dom" />
import type { ExplorePageData } from "../api.ts";
import { useAsk } from "./client.ts";
import { ExploreImages } from "./explore_images.tsx";
import { ExploreText } from "./explore_text.tsx";
import { Shown, Title } from "./frame.tsx";
import { to } from "./routes.ts";

/** A model that answers as one types or paints. */
export function ExplorePage({ digest }: { digest: string }) {
  const loaded = useAsk<ExplorePageData>(`api/explore?digest=${encodeURIComponent(digest)}`);
  return (
    <Shown loaded={loaded}>
      {({ name, explorable }) => (
        <>
          <Title text={`Explore ${name}`} />
          <p>
            <a href={to.artifact(digest)}>{name}</a>{" "}
            <span class="faint">All probabilities, draws and means here are exact.</span>
          </p>
          {explorable === null
            ? <p>This artifact is no model of text or images, or the run that made it is forgotten.</p>
            : explorable.kind === "text"
            ? <ExploreText digest={digest} about={explorable} />
            : <ExploreImages digest={digest} about={explorable} />}
        </>
      )}
    </Shown>
  );
}

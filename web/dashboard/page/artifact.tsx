/// <reference lib="dom" />
import { bytesText, factsText } from "../../../foundation/format.ts";
import { LineageTree } from "../../parts/lineage.tsx";
import { Time } from "../../parts/place.tsx";
import { ArtifactContent } from "../../parts/preview.tsx";
import { Facts, Params, Table } from "../../parts/values.tsx";
import type { ArtifactPageData } from "../api.ts";
import { useAsk } from "./client.ts";
import { Section, Shown, Title } from "./frame.tsx";
import { dataOf, to } from "./routes.ts";
import { standingFacts } from "./standing.tsx";

/** Page of an artifact: its preview, files and lineage. */
export function ArtifactPage({ digest }: { digest: string }) {
  const loaded = useAsk<ArtifactPageData>(dataOf.artifact(digest));
  return (
    <Shown loaded={loaded} title={`Artifact ${digest.slice(0, 12)}`}>
      {(data) => {
        const { artifact } = data;
        const name = `${data.node}:${artifact.output}`;
        return (
          <>
            <Title text={name} />
            <Facts
              facts={[
                ["type", `${artifact.codec} (version ${artifact.version})`],
                ["size", bytesText(artifact.bytes)],
                ["facts", factsText(artifact.facts) || "–"],
                ...standingFacts(data.standing),
                ["stage", `${data.stage} of ${data.pipeline}`],
                ["made", <Time key="t" at={data.created} />],
                [
                  "in run",
                  data.run === ""
                    ? "data outside the store"
                    : <a key="r" href={to.node(data.run, data.node)}>{data.run}</a>,
                ],
                ["digest", <code key="d" class="whole">{artifact.digest}</code>],
              ]}
            />
            {data.explorable !== null && (
              <p>
                <a class="action" href={to.explore(artifact.digest)}>Explore this model</a>{" "}
                <span class="faint">
                  {data.explorable.kind === "text"
                    ? "type a sentence with blanks and see what may stand there"
                    : "hide pixels of an image and see what may be there"}
                </span>
              </p>
            )}
            {(data.standing.dropped.length === 0 || data.summary !== null) && (
              <Section title="Preview">
                <ArtifactContent
                  summary={data.summary ?? undefined}
                  artifact={artifact}
                  previews={data.previews}
                  name={name}
                />
              </Section>
            )}
            <Section title="Files">
              <Table
                caption="Files"
                head={["file", "size", "sha256"]}
                rows={artifact.files.map((file) => [
                  file.location === undefined && data.standing.dropped.length === 0
                    ? (
                      <a
                        key="f"
                        download
                        href={`api/file?${new URLSearchParams({ digest: artifact.digest, name: file.name })}`}
                      >
                        {file.name}
                      </a>
                    )
                    : file.name,
                  bytesText(file.size),
                  <code key="d">{file.digest}</code>,
                ])}
              />
            </Section>
            <Section title="Parameters of its stage">
              <Params params={data.lineage.record.components.params} />
            </Section>
            <Section title="Made from">
              <div class="lineage">
                <LineageTree lineage={data.lineage} />
              </div>
            </Section>
          </>
        );
      }}
    </Shown>
  );
}

import { readableText } from "../../foundation/readable.ts";
import type { Lineage } from "../../runner/references.ts";
import { Link, type PagePlace, usePlace } from "./place.tsx";

/** The lineage of an artifact, back to the data. */
export function LineageTree({ lineage }: { lineage: Lineage }) {
  const place = usePlace();
  if (lineage.inputs.length === 0) {
    return <p>{lineage.record.run === "" ? "Data outside the store." : "Nothing: it has no inputs."}</p>;
  }
  return branches(lineage, place, new Set());
}

/** What an artifact was made from. The settings of a result are told where it comes first. */
function branches(lineage: Lineage, place: PagePlace, told: Set<string>) {
  return (
    <ul>
      {lineage.inputs.map(({ name, digest, made }, i) => {
        const params = made?.record.components.params ?? {};
        const settings = told.has(digest) || Object.keys(params).length === 0 ? "" : readableText(params);
        told.add(digest);
        return (
          <li key={i}>
            {name} ← {made === undefined ? "unknown" : (
              <>
                <Link to={place.artifact(digest)}>{made.record.node}:{made.record.output}</Link>{" "}
                <span class="faint">{made.record.stage}</span>
              </>
            )} <code class="faint">{digest.slice(0, 12)}</code>
            {settings !== "" && <div class="settings">{settings}</div>}
            {made !== undefined && made.inputs.length > 0 && branches(made, place, told)}
          </li>
        );
      })}
    </ul>
  );
}

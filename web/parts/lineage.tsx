import type { Lineage } from "../../runner/references.ts";
import { Link, usePlace } from "./place.tsx";

/** The lineage of an artifact, back to the data. */
export function LineageTree({ lineage }: { lineage: Lineage }) {
  const place = usePlace();
  if (lineage.inputs.length === 0) {
    return <p>{lineage.record.run === "" ? "Data outside the store." : "Nothing: it has no inputs."}</p>;
  }
  return (
    <ul>
      {lineage.inputs.map(({ name, digest, made }, i) => (
        <li key={i}>
          {name} ← {made === undefined ? "unknown" : (
            <>
              <Link to={place.artifact(digest)}>{made.record.node}:{made.record.output}</Link>{" "}
              <span class="faint">
                {made.record.stage} <code>{JSON.stringify(made.record.components.params)}</code>
              </span>
            </>
          )} <code class="faint">{digest.slice(0, 12)}</code>
          {made !== undefined && made.inputs.length > 0 && <LineageTree lineage={made} />}
        </li>
      ))}
    </ul>
  );
}

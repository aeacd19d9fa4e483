/// <reference lib="dom" />
import { useState } from "preact/hooks";
import type { ColumnChoice } from "../columns.ts";
import { useAsk } from "./client.ts";
import { Shown } from "./frame.tsx";

/** Display name of a column. */
export function columnTitle(column: string): string {
  const [kind, rest] = [column.slice(0, column.indexOf(":")), column.slice(column.indexOf(":") + 1)];
  const slash = rest.indexOf("/");
  if (kind === "metric") return `${rest.slice(slash + 1)} of ${rest.slice(0, slash)}`;
  if (kind === "output") {
    return [rest.slice(0, slash), rest.slice(slash + 1)].filter((part) => part !== "").join(" ");
  }
  return rest;
}

/** Column selection; the available columns are loaded when it is opened. */
export function ColumnPicker(
  { pipeline, chosen, onChoose }: {
    pipeline: string;
    chosen: readonly string[];
    onChoose: (columns: readonly string[]) => void;
  },
) {
  const [opened, setOpened] = useState(false);
  return (
    <details class="tool columns" onToggle={(event) => setOpened(event.currentTarget.open)}>
      <summary>Columns</summary>
      {opened && <Choices pipeline={pipeline} chosen={chosen} onChoose={onChoose} />}
    </details>
  );
}

function Choices({ pipeline, chosen, onChoose }: Parameters<typeof ColumnPicker>[0]) {
  const loaded = useAsk<ColumnChoice>(`api/columns?${new URLSearchParams({ pipeline })}`);
  const toggle = (column: string) =>
    onChoose(chosen.includes(column) ? chosen.filter((one) => one !== column) : [...chosen, column]);
  return (
    <Shown loaded={loaded}>
      {({ metrics, outputs, params }) => (
        <>
          {([["Metrics", metrics], ["Outputs", outputs], ["Parameters", params]] as const).map((
            [title, names],
          ) =>
            names.length > 0 && (
              <fieldset key={title}>
                <legend>{title}</legend>
                {names.map((name) => (
                  <label key={name}>
                    <input type="checkbox" checked={chosen.includes(name)} onChange={() => toggle(name)} />
                    {" "}
                    {columnTitle(name)}
                  </label>
                ))}
              </fieldset>
            )
          )}
        </>
      )}
    </Shown>
  );
}

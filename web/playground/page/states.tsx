/// <reference lib="dom" />
import { useEffect, useState } from "preact/hooks";
import type { StateMeaning } from "../../../browser/states.ts";
import { percent } from "../../parts/blanks.tsx";
import { Table } from "../../parts/values.tsx";
import type { TabWorker } from "./client.ts";
import { TabFailure } from "./failure.tsx";

/** What the hidden states of an open model stand for. */
export function States({ worker, name }: { worker: TabWorker; name: string }) {
  const [states, setStates] = useState<readonly StateMeaning[]>();
  const [error, setError] = useState<Error>();
  useEffect(() => {
    worker.call("states", { name }).then(setStates, setError);
  }, [name]);
  if (error !== undefined) return <TabFailure error={error} />;
  if (states === undefined) return <p role="status" class="faint">asking …</p>;
  return (
    <Table
      caption="Hidden states, the most used first, with the words that tell each from the others"
      head={["state", "share of a text", "words"]}
      numeric={[0, 1]}
      rows={states.map(({ state, share, words }) => [
        String(state),
        percent(share),
        words.map(({ word }) => word).join(" · "),
      ])}
    />
  );
}

/// <reference lib="dom" />
import { useState } from "preact/hooks";
import { Status } from "../../parts/status.tsx";
import type { RunPageData } from "../api.ts";
import { type Connection, post } from "./client.ts";
import { Copy } from "./copy.tsx";
import { Elapsed } from "./elapsed.tsx";
import { Live, Problem } from "./frame.tsx";
import { to } from "./routes.ts";

/** Current status of a run, with its actions. */
export function RunBar(
  { data: { view, left, now, annotation }, connection, fault }: {
    data: RunPageData;
    connection: Connection;
    fault: string | undefined;
  },
) {
  const running = view.status === "running" || view.status === "running or killed";
  return (
    <div class="bar">
      <Status status={view.status} />
      <span>
        run <code>{view.run.id}</code>
      </span>
      <Copy text={() => view.run.id} what="the run's id" beside />
      {running && <Elapsed started={view.run.started} now={now} left={left} />}
      {running && <Cancel run={view.run.id} />}
      {annotation.tags.map((tag) => (
        <a key={tag} class="badge" href={to.runs(new URLSearchParams({ tag }))}>{tag}</a>
      ))}
      {annotation.note !== "" && <span class="faint">{annotation.note}</span>}
      <Live connection={connection} fault={fault} status={view.status} />
    </div>
  );
}

/** Button that stops the run as Ctrl-C does, after confirmation. */
function Cancel({ run }: { run: string }) {
  const [asked, setAsked] = useState<"no" | "sure" | "sent">("no");
  const [error, setError] = useState<Error>();
  const send = async () => {
    try {
      await post("api/cancel", { run });
      setAsked("sent");
    } catch (problem) {
      setError(problem as Error);
    }
  };
  if (error !== undefined) return <Problem error={error} />;
  if (asked === "sent") return <span role="status">stopping: its stages save what they have …</span>;
  if (asked === "no") return <button type="button" onClick={() => setAsked("sure")}>Cancel</button>;
  return (
    <>
      <button type="button" onClick={send}>Stop it: what is done is kept</button>
      <button type="button" onClick={() => setAsked("no")}>Let it run</button>
    </>
  );
}

/// <reference lib="dom" />
import type { ComponentChildren } from "preact";
import { withVisibleMarks } from "../../../foundation/bidi.ts";
import { useEffect } from "preact/hooks";
import type { LiveStatus } from "../../../runner/liveness.ts";
import { type Connection, type Fetched, ServerError } from "./client.ts";

/** A page's title, in the window and on the page. */
export function Title({ text, children }: { text: string; children?: ComponentChildren }) {
  useEffect(() => {
    document.title = `${withVisibleMarks(text)} · Retort`;
  }, [text]);
  return <h1>{children ?? text}</h1>;
}

/** Loaded data, or a loading message, or the error; below `title` where the data are a whole page with a title of its own. */
export function Shown<T>(
  { loaded, title, children }: {
    loaded: Fetched<T>;
    title?: string;
    children: (value: T) => ComponentChildren;
  },
) {
  const { value, error } = loaded;
  return (
    <>
      {title !== undefined && value === undefined && <Title text={title} />}
      {error !== undefined && <Problem error={error} />}
      {value !== undefined ? children(value) : error === undefined && <p class="faint">loading …</p>}
    </>
  );
}

/** An error with its hint. */
export function Problem({ error }: { error: Error }) {
  return (
    <p class="fault" role="alert" title={error instanceof ServerError ? error.code : undefined}>
      {error.message}
      {error instanceof ServerError && error.hint !== null && <>. {error.hint}</>}
    </p>
  );
}

const WORDS: Record<Connection, string> = {
  live: "live",
  lost: "connection lost; trying again",
  resting: "resting",
};

/** Whether the page is up to date; shows nothing for finished runs unless something is wrong. */
export function Live(
  { connection, fault, status = "running" }: {
    connection: Connection;
    fault?: string | undefined;
    status?: LiveStatus;
  },
) {
  const ended = status !== "running" && status !== "running or killed";
  if (ended && fault === undefined && connection !== "lost") return null;
  return (
    <span
      class={`badge ${connection === "live" && fault === undefined ? "state-ran" : "state-running"}`}
      role="status"
    >
      {fault ?? WORDS[connection]}
    </span>
  );
}

/** A section of a page with its heading, optionally folded. */
export function Section(
  { title, folded = false, children }: { title: string; folded?: boolean; children: ComponentChildren },
) {
  const id = title.toLowerCase().replaceAll(/\W+/g, "-");
  if (folded) {
    return (
      <details class="part">
        <summary>
          <h2>{title}</h2>
        </summary>
        {children}
      </details>
    );
  }
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  );
}

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

/** The id of a section on its page. */
function sectionId(title: string): string {
  return title.toLowerCase().replaceAll(/\W+/g, "-");
}

/** A section of a page with its heading, optionally folded. */
export function Section(
  { title, folded = false, children }: { title: string; folded?: boolean; children: ComponentChildren },
) {
  const id = sectionId(title);
  if (folded) {
    return (
      <details class="part" id={id}>
        <summary>
          <h2>{title}</h2>
        </summary>
        {children}
      </details>
    );
  }
  return (
    <section id={id} aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{title}</h2>
      {children}
    </section>
  );
}

/**
 * Links to the sections of a page, those that it has.
 *
 * @param href the address of a section.
 * @param at the section that the address in use names: it is laid open and shown.
 */
export function Contents(
  { titles, href, at }: {
    titles: readonly (string | false)[];
    href: (section: string) => string;
    at: string | null;
  },
) {
  useEffect(() => show(at), [at]);
  return (
    <nav class="bar" aria-label="On this page">
      <ul>
        {titles.filter((title) => title !== false).map((title) => (
          <li key={title}>
            {/* Followed a second time it leads there once more, although the address stays. */}
            <a href={href(sectionId(title))} onClick={() => show(sectionId(title))}>{title}</a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function show(section: string | null): void {
  const found = section === null ? null : document.getElementById(section);
  if (found instanceof HTMLDetailsElement) found.open = true;
  found?.scrollIntoView();
}

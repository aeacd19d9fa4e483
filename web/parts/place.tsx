import { type ComponentChildren, createContext } from "preact";
import { useContext, useEffect, useRef } from "preact/hooks";

/** Where parts are shown, which determines how they draw and where their links lead. */
export interface PagePlace {
  /** The document that creates drawings when pages are rendered to text; undefined in a browser. */
  readonly document: Document | undefined;
  /** Link targets; undefined if a page has no such target. */
  node(name: string): string | undefined;
  artifact(digest: string): string | undefined;
  run(id: string): string | undefined;
  /** Formats a time. */
  time(seconds: number): string;
}

/** Provides the place to the parts below. */
export const PlaceContext = createContext<PagePlace>({
  document: undefined,
  node: () => undefined,
  artifact: () => undefined,
  run: () => undefined,
  time: (seconds) => new Date(seconds * 1000).toISOString(),
});

/** Where a part is shown: in a report or on a page of the dashboard. */
export function usePlace(): PagePlace {
  return useContext(PlaceContext);
}

/** A drawing: text on the server, DOM nodes in a browser. */
export function Drawing(
  { draw, className, hidden }: {
    draw: (document: Document) => Element;
    className: string;
    /** For a second drawing that a script swaps with the first. */
    hidden?: boolean;
  },
) {
  const { document: server } = usePlace();
  const holder = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (server === undefined) holder.current?.replaceChildren(draw(document));
  }, [draw]);
  if (server === undefined) return <div class={className} ref={holder} />;
  return (
    <div class={className} hidden={hidden} dangerouslySetInnerHTML={{ __html: draw(server).outerHTML }} />
  );
}

/** A link, or plain content if there is no target. */
export function Link({ to, children }: { to: string | undefined; children: ComponentChildren }) {
  return to === undefined ? <>{children}</> : <a href={to}>{children}</a>;
}

/** A time. */
export function Time({ at }: { at: number | null }) {
  const place = usePlace();
  if (at === null) return <>–</>;
  return <time dateTime={new Date(at * 1000).toISOString()}>{place.time(at)}</time>;
}

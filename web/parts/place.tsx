/// <reference lib="dom" />
import { type ComponentChildren, createContext } from "preact";
import { useContext, useEffect, useRef } from "preact/hooks";

/** Where parts are shown: how they draw, and where their links lead. */
export interface PagePlace {
  /** The document that makes drawings when pages are written as text; undefined in a browser. */
  readonly document: Document | undefined;
  /** Links; undefined where a page has nothing to lead to. */
  node(name: string): string | undefined;
  artifact(digest: string): string | undefined;
  run(id: string): string | undefined;
  /** A moment as text. */
  time(seconds: number): string;
}

/** The place of the parts below it. */
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

/** A drawing: written as text on the server, put into the page in a browser. */
export function Drawing(
  { draw, className, hidden }: {
    draw: (document: Document) => Element;
    className: string;
    /** For a second drawing that a script shows in place of the first. */
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

/** A link where there is somewhere to go, else plain. */
export function Link({ to, children }: { to: string | undefined; children: ComponentChildren }) {
  return to === undefined ? <>{children}</> : <a href={to}>{children}</a>;
}

/** A moment. */
export function Time({ at }: { at: number | null }) {
  const place = usePlace();
  if (at === null) return <>–</>;
  return <time dateTime={new Date(at * 1000).toISOString()}>{place.time(at)}</time>;
}

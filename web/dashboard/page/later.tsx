/// <reference lib="dom" />
import type { ComponentType } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";
import { reached } from "./client.ts";
import { Problem } from "./frame.tsx";

/**
 * A part of the page whose script is loaded when it is first shown: the list of runs does not wait for what draws charts.
 */
export function later<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let loaded: ComponentType<P> | undefined;
  return function Later(props: P) {
    const [Part, setPart] = useState<ComponentType<P> | undefined>(() => loaded);
    const [error, setError] = useState<Error>();
    useLayoutEffect(() => {
      if (Part !== undefined) return;
      reached(load).then((part) => {
        loaded = part;
        setPart(() => part);
      }, setError);
    }, []);
    if (error !== undefined) return <Problem error={error} />;
    return Part === undefined ? <p class="faint">loading …</p> : <Part {...props} />;
  };
}

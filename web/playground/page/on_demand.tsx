/// <reference lib="dom" />
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { TabFailure } from "./failure.tsx";

/** A part of the page whose script is loaded when it is first shown: nothing is to delay the first answer. */
export function onDemand<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  return function OnDemand(props: P) {
    const [Part, setPart] = useState<ComponentType<P>>();
    const [error, setError] = useState<Error>();
    useEffect(() => {
      load().then((part) => setPart(() => part), setError);
    }, []);
    if (error !== undefined) return <TabFailure error={error} />;
    return Part === undefined ? <p role="status" class="faint">loading …</p> : <Part {...props} />;
  };
}

/// <reference lib="dom" />
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

/** What stands below: drawn in a task of its own, after what is above it. One that is in another waits for that. */
export function Later({ children }: { children: ComponentChildren }) {
  const [due, setDue] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setDue(true));
    return () => clearTimeout(timer);
  }, []);
  return due ? <>{children}</> : null;
}

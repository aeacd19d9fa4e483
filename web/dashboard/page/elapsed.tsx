/// <reference lib="dom" />
import { useEffect, useRef, useState } from "preact/hooks";
import { durationText } from "../../../foundation/format.ts";
import type { TimeLeft } from "../../view/left.ts";

/**
 * Elapsed time of a running run, updated every second, and its remaining time. `now` is the dashboard's clock at the
 * time of the data.
 */
export function Elapsed({ started, now, left }: { started: number; now: number; left: TimeLeft | null }) {
  const [, tick] = useState(0);
  const told = useRef({ now, at: performance.now() });
  if (told.current.now !== now) told.current = { now, at: performance.now() };
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  const since = (performance.now() - told.current.at) / 1000;
  return <span class="elapsed">{wholeText(now + since - started)}{leftText(left, since)}</span>;
}

/** A running duration, without tenths of a second, which would flicker. */
function wholeText(seconds: number): string {
  return seconds < 10 ? `${Math.floor(seconds)} s` : durationText(seconds);
}

function leftText(left: TimeLeft | null, since: number): string {
  if (left === null) return "";
  const rest = Math.max(0, left.seconds - since);
  return `, ${left.atLeast ? "at least" : "about"} ${wholeText(rest)} left`;
}

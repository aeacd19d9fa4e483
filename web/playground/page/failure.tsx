/// <reference lib="dom" />
import { TabError } from "./client.ts";

/** An error with what to do next. */
export function TabFailure({ error }: { error: Error }) {
  return (
    <p class="fault" role="alert">
      {error.message}
      {error instanceof TabError && error.hint !== null && <>. {error.hint}</>}
    </p>
  );
}

import { CallError, messageOf, RetortError } from "../../foundation/errors.ts";

/** The Hugging Face ModelHub, and who asks it. */
export interface ModelHub {
  /** Its address, without a slash at the end. */
  readonly url: string;
  /** The access token; it is sent to `url` alone and stands in no message. */
  readonly token: string | undefined;
}

const PUBLIC = "https://huggingface.co";

/**
 * The hub that the environment names: `HF_ENDPOINT` is another address than the public one's, `HF_TOKEN` an access token.
 *
 * @throws CallError when one of them is no address or no token.
 */
export function hubOf(env: (name: string) => string | undefined): ModelHub {
  const url = (env("HF_ENDPOINT") || PUBLIC).replace(/\/+$/, "");
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? "")) {
    throw new CallError("hub/token", "HF_ENDPOINT is no http address", {
      hint: `The public one is ${PUBLIC}.`,
    });
  }
  const token = env("HF_TOKEN") || undefined;
  if (token !== undefined && !/^hf_[A-Za-z0-9]+$/.test(token)) {
    throw new CallError("hub/token", "HF_TOKEN is no access token of the Hub: those begin with hf_", {
      hint: MAKE_ONE,
    });
  }
  return { url, token };
}

/** How one gets a token. */
export const MAKE_ONE =
  "Make a token that may write at huggingface.co/settings/tokens and set HF_TOKEN to it.";

/**
 * Checks the name of a repository.
 * @throws CallError when it is no `OWNER/NAME`
 */
export function repositoryName(text: string): string {
  // What the Hub itself takes: https://huggingface.co/docs/huggingface_hub/package_reference/utilities
  const part = "[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9])?";
  if (new RegExp(`^${part}/${part}$`).test(text) && !/--|\.\./.test(text)) return text;
  throw new CallError("hub/name", `${JSON.stringify(text)} is no repository of the Hub`, {
    hint: "It is named OWNER/NAME, as in huggingface.co/OWNER/NAME.",
  });
}

/** The name of the file that says what a published folder is. */
export const ABOUT = "artifact.json";

/**
 * Does something with the hub and turns what goes wrong into errors for people, without tokens and signed addresses.
 *
 * @param doing what is done, for messages: `publishing to me/model`.
 * @param signal whether it was interrupted.
 */
export async function withHub<T>(
  { url, token }: ModelHub,
  doing: string,
  signal: AbortSignal | undefined,
  action: () => Promise<T>,
): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof RetortError) throw error;
    const status = statusOf(error);
    const said = plain(messageOf(error), token);
    if (signal?.aborted) {
      throw new RetortError("run/interrupted", `${doing} was interrupted`, {
        hint: "The same command goes on from here.",
      });
    }
    if (status === undefined) {
      throw new RetortError("hub/unreachable", `${doing}: ${url} does not answer: ${said}`, {
        hint: "Try again: the same command goes on where it stopped.",
      });
    }
    if (status === 401 || status === 403) {
      const hint = token === undefined ? MAKE_ONE : `Does the token of HF_TOKEN allow this? ${MAKE_ONE}`;
      throw new RetortError("hub/token", `${doing}: the Hub refuses: ${said}`, { hint });
    }
    throw new RetortError("hub/refused", `${doing}: the Hub answers ${status}: ${said}`, {
      hint: status === 404
        ? "Is the name right? Private repositories are there only for those whose HF_TOKEN may read them."
        : "Try again later: the same command goes on where it stopped.",
    });
  }
}

/** The HTTP status of an error of the ModelHub, if it is one. */
export function statusOf(error: unknown): number | undefined {
  const status = (error as { statusCode?: unknown } | null)?.statusCode;
  return typeof status === "number" ? status : undefined;
}

/** A message without addresses, whose queries may be signed, and without the token. */
function plain(message: string, token: string | undefined): string {
  const text = message.replaceAll(/\.? ?(?:URL: )?https?:\/\/\S+/g, "").replace(/\.? ?Request ID: \S+/, "");
  return (token === undefined ? text : text.replaceAll(token, "…")).trim() || "it says nothing more";
}

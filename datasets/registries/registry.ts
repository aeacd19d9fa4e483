import { DataSetError } from "../errors.ts";

/** A package registry: its URL and credentials. */
export interface Registry {
  /** Its URL, without a trailing slash. */
  readonly url: string;
  /** The headers for a URL: credentials, if the URL belongs to the registry. */
  headers(url: string): Record<string, string>;
}

/**
 * The URL in a setting, with any user name and password separated.
 *
 * @throws DataSetError when it is no address.
 */
export function registryAddress(text: string, setting: string): { url: string; authorization?: string } {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new DataSetError(
      "package/settings",
      `${setting} is ${JSON.stringify(text)}, which is not the address of a registry`,
      { hint: "Expected http:// or https:// and what follows." },
    );
  }
  const { username, password } = url;
  [url.username, url.password, url.hash] = ["", "", ""];
  return {
    url: url.href.replace(/\/+$/, ""),
    ...(username === "" && password === "" ? {} : {
      authorization: basic(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`),
    }),
  };
}

/** The authorisation header for `NAME:PASSWORD`. */
export function basic(credentials: string): string {
  return `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(credentials)))}`;
}

/** Whether two URLs are on the same server, so that credentials may be sent. */
export function sameServer(url: string, other: string): boolean {
  return new URL(url).origin === new URL(other).origin;
}

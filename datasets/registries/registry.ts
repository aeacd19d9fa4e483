import { DataSetError } from "../errors.ts";

/** A registry of packages: where it is, and what proves to it who asks. */
export interface Registry {
  /** Its address, without a slash at the end. */
  readonly url: string;
  /** The headers for an address: those of who asks, if the address is the registry's. */
  headers(url: string): Record<string, string>;
}

/**
 * The address that a setting holds, with the name and password that may stand in it apart.
 *
 * @throws DataSetError when it is no address.
 */
export function registryAddress(text: string, setting: string): { url: string; authorization?: string } {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new DataSetError(
      "package/settings",
      `${setting} is ${JSON.stringify(text)}, which is no address of a registry`,
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

/** The header of who shows a name and a password, `NAME:PASSWORD`. */
export function basic(credentials: string): string {
  return `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(credentials)))}`;
}

/** True when an address lies on the same server as another, so that it may see what proves who asks. */
export function sameServer(url: string, other: string): boolean {
  return new URL(url).origin === new URL(other).origin;
}

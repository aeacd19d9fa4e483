import { dirname, join } from "node:path";
import { DataSetError } from "../errors.ts";
import { homeOf, type Machine, settingsIn } from "./machine.ts";
import { basic, type Registry, registryAddress } from "./registry.ts";

/**
 * The registry that npm would use for a package, by its scope or for all packages: from the environment, then the
 * project's, the user's and the machine's `.npmrc`. If none names one, the registry from which Deno fetched this
 * program's packages.
 *
 * @throws DataSetError for a setting that cannot be used.
 */
export function npmRegistry(name: string, machine: Machine): Registry {
  const settings = npmSettings(machine);
  const scope = /^(@[^/]+)\//.exec(name)?.[1];
  const own = scope === undefined ? undefined : settings.get(`${scope}:registry`);
  const set = own ?? settings.get("registry");
  const { url, authorization } = registryAddress(
    set ?? fetchedFrom(machine),
    `the setting \`registry\` of npm${own === undefined ? "" : ` for ${scope}`}`,
  );
  return {
    url,
    headers(asked) {
      const shown = proofFor(asked, settings) ??
        (asked === url || asked.startsWith(`${url}/`) ? authorization : undefined);
      return shown === undefined ? {} : { authorization: shown };
    },
  };
}

/** npm's settings by precedence. `${NAME}` in a value stands for a variable and is expanded when the value is requested. */
function npmSettings(machine: Machine): { get(key: string): string | undefined } {
  const option = (key: string) =>
    machine.env(`npm_config_${key}`) ?? machine.env(`NPM_CONFIG_${key.toUpperCase()}`);
  const home = homeOf(machine);
  const prefix = option("prefix");
  const files = [
    projectFile(machine),
    option("userconfig") ?? (home === undefined ? undefined : join(home, ".npmrc")),
    option("globalconfig") ?? (prefix === undefined ? undefined : join(prefix, "etc", "npmrc")),
    ...(machine.os === "windows" ? [] : ["/usr/local/etc/npmrc", "/usr/etc/npmrc", "/etc/npmrc"]),
  ];
  const found = new Map<string, { value: string; file: string }>();
  for (const file of files) {
    if (file === undefined) continue;
    // Within a file the last line takes precedence.
    const own = new Map(settingsIn(machine.read(file) ?? "").map(({ key, value }) => [key, { value, file }]));
    for (const [key, one] of own) if (!found.has(key)) found.set(key, one);
  }
  return {
    get(key) {
      const fromEnvironment = /^[\w-]+$/.test(key) ? option(key) : undefined;
      if (fromEnvironment !== undefined && fromEnvironment !== "") return fromEnvironment;
      const one = found.get(key);
      return one === undefined ? undefined : expanded(one.value, one.file, machine);
    },
  };
}

/** The nearest `.npmrc` in or above the working directory. */
function projectFile(machine: Machine): string | undefined {
  for (let folder = machine.folder;; folder = dirname(folder)) {
    const file = join(folder, ".npmrc");
    if (machine.read(file) !== undefined) return file;
    if (dirname(folder) === folder) return undefined;
  }
}

function expanded(value: string, file: string, machine: Machine): string {
  return value.replaceAll(/\$\{([^}]+)\}/g, (_, name: string) => {
    let found: string | undefined;
    try {
      found = machine.env(name);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotCapable)) throw error;
      throw new DataSetError(
        "package/settings",
        `${file} names the variable ${name}, which this command may not read`,
        {
          hint:
            "It may read NPM_TOKEN, NODE_AUTH_TOKEN, and names that begin with NPM_CONFIG_, npm_config_ or PIP_.",
        },
      );
    }
    if (found !== undefined) return found;
    throw new DataSetError("package/settings", `${file} names the variable ${name}, which is not set`);
  });
}

/** Credentials for a URL: the settings for the longest matching prefix of its path. */
function proofFor(asked: string, settings: { get(key: string): string | undefined }): string | undefined {
  const { host, pathname } = new URL(asked);
  const parts = pathname.split("/");
  for (let length = parts.length; length > 0; length--) {
    const path = parts.slice(0, length).join("/");
    for (
      const place of path === "" ? [`//${host}/`, `//${host}`] : [`//${host}${path}/`, `//${host}${path}`]
    ) {
      const token = settings.get(`${place}:_authToken`);
      if (token !== undefined) return `Bearer ${token}`;
      const both = settings.get(`${place}:_auth`);
      if (both !== undefined) return `Basic ${both}`;
      const [user, password] = [settings.get(`${place}:username`), settings.get(`${place}:_password`)];
      if (user !== undefined && password !== undefined) return basic(`${user}:${atob(password)}`);
    }
  }
  return undefined;
}

/**
 * The registry from which Deno fetched this program's packages: its cache names folders by server,
 * `…/npm/SERVER/PACKAGE/VERSION/…`.
 */
function fetchedFrom(machine: Machine): string {
  const server = /\/npm\/([a-z0-9.-]+(?:_PORT\d+)?(?:\/[^/]+)*?)\/zod\//i.exec(machine.fetched)?.[1];
  if (server === undefined) {
    throw new DataSetError("package/settings", "npm's settings name no registry", {
      hint: "Set one: `npm config set registry ADDRESS`, or the variable NPM_CONFIG_REGISTRY.",
    });
  }
  return `https://${server.replace("_PORT", ":")}`;
}

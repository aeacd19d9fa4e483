import { join } from "node:path";
import { DataSetError } from "../errors.ts";
import { homeOf, type Machine, settingsIn } from "./machine.ts";
import { type Registry, registryAddress, sameServer } from "./registry.ts";

/**
 * The index that pip would use: from the environment, then the configuration files of the virtual environment, the user
 * and the machine. If none names one, pip itself is asked for its index.
 *
 * @throws DataSetError when there is no setting and no pip, or for a setting that cannot be used.
 */
export async function pipIndex(machine: Machine): Promise<Registry> {
  const set = nonEmpty(machine.env("PIP_INDEX_URL")) ?? configured(machine) ?? await told(machine);
  if (set === undefined) {
    throw new DataSetError("package/settings", "no index of Python packages is configured", {
      hint: "Set the variable PIP_INDEX_URL to its address, or `index-url` in the configuration of pip, as " +
        "for pip itself. Where pip is installed, its own default is used.",
    });
  }
  const { url, authorization } = registryAddress(set, "pip's setting `index-url`");
  return {
    url,
    headers: (asked) => authorization !== undefined && sameServer(asked, url) ? { authorization } : {},
  };
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === "" ? undefined : text.trim();
}

/** `index-url` of the first configuration file that has it; settings for `pip download` take precedence. */
function configured(machine: Machine): string | undefined {
  for (const file of pipFiles(machine)) {
    const settings = settingsIn(machine.read(file) ?? "");
    for (const wanted of ["download", "install", "global"]) {
      const found = settings.findLast(({ section, key }) =>
        section === wanted && key.toLowerCase().replaceAll("_", "-") === "index-url"
      );
      if (found !== undefined && nonEmpty(found.value) !== undefined) return found.value;
    }
  }
  return undefined;
}

/** pip's configuration files (its documentation, "Configuration"), highest precedence first. */
function pipFiles(machine: Machine): string[] {
  const name = machine.os === "windows" ? "pip.ini" : "pip.conf";
  const named = machine.env("PIP_CONFIG_FILE");
  if (named === "/dev/null" || named === "nul") return []; // The documented way to tell pip to use no file.
  const home = homeOf(machine);
  const within = (folder: string | undefined, ...path: string[]) =>
    nonEmpty(folder) === undefined ? [] : [join(folder!, ...path)];
  const files = [...within(named), ...within(machine.env("VIRTUAL_ENV"), name)];
  if (machine.os === "windows") {
    return [
      ...files,
      ...within(machine.env("APPDATA"), "pip", name),
      ...within(home, "pip", name),
      ...within(machine.env("ProgramData"), "pip", name),
    ];
  }
  const mac = machine.os === "darwin";
  return [
    ...files,
    ...(mac ? within(home, "Library", "Application Support", "pip", name) : []),
    ...within(nonEmpty(machine.env("XDG_CONFIG_HOME")) ?? within(home, ".config")[0], "pip", name),
    ...within(home, ".pip", name),
    ...(mac ? [join("/Library", "Application Support", "pip", name)] : []),
    ...(machine.env("XDG_CONFIG_DIRS") ?? "/etc/xdg").split(":").flatMap((folder) =>
      within(folder, "pip", name)
    ),
    join("/etc", name),
  ];
}

/** The default index that pip reports. */
async function told(machine: Machine): Promise<string | undefined> {
  const help = await machine.ask("pip", ["download", "--help"]);
  return /--index-url <url>[^(]*\(default\s+(\S+?)\)/.exec(help ?? "")?.[1];
}

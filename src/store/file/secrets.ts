/**
 * Where secrets come from. They are never part of an artifact folder, so a value is looked for in
 * this order, and the first that exists is taken:
 *
 * 1. environment `HEADGATE_NAMED_VALUE_<NAME>`, or the file named by `HEADGATE_NAMED_VALUE_<NAME>_FILE`.
 *    `<NAME>` is the display name in upper case with `_` for all but letters and digits. It wins over
 *    everything written down: whoever sets so particular a name means it.
 * 2. `valueFrom: { env }` or `{ file }`, with an optional `default` (ours). A relative file starts at
 *    the artifact folder. Said but not found, and no default: an error.
 * 3. `value`, unless it is missing, empty for a secret, or the marker `*** REDACTED ***`.
 * 4. a file named like the display name, or like the secret in `keyVault.secretIdentifier`, in the folder
 *    `HEADGATE_SECRETS_DIR`: what Docker, Kubernetes and the CSI secret drivers mount.
 *
 * A file's value is its text without one trailing line break.
 */
import { resolve, sep } from "node:path";
import type { Problem, SourceLocation } from "../../base/problem.ts";
import type { NamedValueProperties, ValueSource } from "../../contract/policies.ts";
import { problem } from "../messages.ts";
import type { Locate } from "../resource-set.ts";
import { readText } from "./read.ts";

export const REDACTED = "*** REDACTED ***";
const MAX_SECRET_BYTES = 64 * 1024;
const PREFIX = "HEADGATE_NAMED_VALUE_";

export type Environment = { readonly [name: string]: string | undefined };

export class Secrets {
  readonly #root: string;
  readonly #environment: Environment;
  /** Read anew for each load: a rotated secret must show. Maps a path to its value. */
  readonly files = new Map<string, string | undefined>();

  constructor(root: string, environment: Environment) {
    this.#root = root;
    this.#environment = environment;
  }

  /** The value of a named value, or undefined with (perhaps) a problem that says why. */
  async namedValue(
    name: string,
    given: NamedValueProperties,
    locate: Locate,
    problems: Problem[],
  ): Promise<string | undefined> {
    const displayName = given.displayName ?? name;
    const variable = variableOf(displayName);
    const fromEnvironment = await this.#fromVariable(variable, problems);
    if (fromEnvironment !== undefined) return fromEnvironment;
    if (given.valueFrom) {
      return this.valueFrom(given.valueFrom, `named value \`${name}\``, locate(["valueFrom"]), problems);
    }
    const written = given.value;
    const isMissing =
      written === undefined || written.trim() === REDACTED || (written === "" && given.secret === true);
    if (!isMissing) return written;
    const vaultName = /\/secrets\/([^/]+)/i.exec(given.keyVault?.secretIdentifier ?? "")?.[1];
    for (const candidate of [displayName, name, vaultName]) {
      const found = candidate === undefined ? undefined : await this.#fromFolder(candidate);
      if (found !== undefined) return found;
    }
    problems.push(problem("HG5404", { name }, locate([]), `set \`${variable}\``));
    return undefined;
  }

  /** @param what for the message, e.g. "named value `x`" */
  async valueFrom(
    source: ValueSource,
    what: string,
    location: SourceLocation | undefined,
    problems: Problem[],
  ): Promise<string | undefined> {
    if ((source.env === undefined) === (source.file === undefined)) {
      const parameters = { what, source: "`valueFrom`", reason: "must have either `env` or `file`" };
      problems.push(problem("HG5405", parameters, location));
      return undefined;
    }
    const found =
      source.env !== undefined
        ? this.#environment[source.env]
        : await this.#readFile(resolve(this.#root, source.file!));
    if (found !== undefined && found !== "") return found;
    if (source.default !== undefined) return source.default;
    const place = source.env !== undefined ? `the variable \`${source.env}\`` : `the file \`${source.file}\``;
    const reason = found === "" ? "is empty" : source.env !== undefined ? "is not set" : "cannot be read";
    problems.push(problem("HG5405", { what, source: place, reason }, location, "or give it a `default`"));
    return undefined;
  }

  async #fromVariable(variable: string, problems: Problem[]): Promise<string | undefined> {
    const direct = this.#environment[variable];
    if (direct !== undefined && direct !== "") return direct;
    const file = this.#environment[variable + "_FILE"];
    if (file === undefined || file === "") return undefined;
    const found = await this.#readFile(resolve(file));
    if (found === undefined) {
      const parameters = {
        what: `\`${variable}_FILE\``,
        source: `the file \`${file}\``,
        reason: "cannot be read",
      };
      problems.push(problem("HG5405", parameters, undefined));
    }
    return found;
  }

  async #fromFolder(name: string): Promise<string | undefined> {
    const folder = this.#environment["HEADGATE_SECRETS_DIR"];
    if (folder === undefined || folder === "") return undefined;
    const path = resolve(folder, name);
    // A name is a name: nothing in it may lead out of the folder.
    if (!path.startsWith(resolve(folder) + sep)) return undefined;
    return this.#readFile(path);
  }

  async #readFile(path: string): Promise<string | undefined> {
    if (this.files.has(path)) return this.files.get(path);
    const { text } = await readText(path, path, MAX_SECRET_BYTES);
    const value = text?.replace(/\r?\n$/, "");
    this.files.set(path, value);
    return value;
  }
}

/** `openai-key` → `HEADGATE_NAMED_VALUE_OPENAI_KEY`. */
export function variableOf(displayName: string): string {
  return PREFIX + displayName.toUpperCase().replace(/[^A-Z0-9]/g, "_");
}

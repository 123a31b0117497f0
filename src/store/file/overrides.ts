/**
 * The overrides file, `configuration.{env}.yaml` (spec "Resource model" 4.2): what differs between
 * environments. Entries are matched by resource name, their `properties` merged into the artifact's:
 * objects merge, everything else replaces.
 *
 * `{#token#}` and `{#[TOKEN]#}` stand for variables of the deployment. They are replaced here, in
 * texts after parsing: a value may then contain any character and cannot change the structure.
 */
import type { Problem, SourceLocation } from "../../base/problem.ts";
import { suggest } from "../../base/suggest.ts";
import type { OpenProperties, ResourceId } from "../../contract/resource.ts";
import { childId, idKey, SERVICE_ID } from "../ids.ts";
import { kinds } from "../kinds/index.ts";
import type { ResourceKind } from "../kinds/kind.ts";
import { describe, isObject, type PropertyPath, setOwn } from "../kinds/shape.ts";
import { didYouMean, problem } from "../messages.ts";
import { fold } from "./layout.ts";
import type { ParsedFile } from "./source.ts";
import { parseYaml } from "./yaml.ts";

export interface Override {
  readonly id: ResourceId;
  readonly kind: ResourceKind;
  readonly properties: OpenProperties;
  /** Where `properties` stands in the overrides file. */
  readonly at: PropertyPath;
  readonly source: ParsedFile;
}

export interface Overrides {
  /** By `idKey`. */
  readonly byKey: ReadonlyMap<string, Override>;
  readonly problems: readonly Problem[];
}

export const NO_OVERRIDES: Overrides = { byKey: new Map(), problems: [] };

/** Answers the value of a token, or undefined. */
export type TokenValues = (name: string) => string | undefined;

/** `{#name#}` or `{#[NAME]#}`. */
const TOKEN = /\{#\[?([\w.-]+)\]?#\}/g;
/** A token as YAML sees it: as long as before, without the brackets that would open maps and lists. */
const MASKED = /\uE000#\uE000?([\w.-]+)\uE000?#\uE000/g;

export function readOverrides(file: string, text: string, tokens: TokenValues): Overrides {
  const masked = text.replace(TOKEN, (token) => token.replace(/[{}[\]]/g, "\uE000"));
  const source = parseYaml(file, masked, { numbersAsWritten: true });
  const problems = [...source.problems];
  if (source.value === undefined) {
    const harmless = problems.every((found) => found.code === "HG5105");
    return { byKey: new Map(), problems: harmless ? [] : problems };
  }
  if (!isObject(source.value)) {
    const wrong = { expected: "an object", actual: describe(source.value) };
    return { byKey: new Map(), problems: [...problems, problem("HG5106", wrong, source.locate([]))] };
  }
  const reader = new OverridesReader(source, tokens, problems);
  reader.section(source.value, [], SERVICE_ID, "");
  return { byKey: reader.byKey, problems };
}

/** Keys of the file that are not sections. */
const TOP_KEYS = new Set(["apimservicename"]);
/** Decided by the folder; overriding them is ignored, as the publishers do. */
const FIXED = ["apiRevision", "isCurrent"];

class OverridesReader {
  readonly byKey = new Map<string, Override>();
  readonly #source: ParsedFile;
  readonly #tokens: TokenValues;
  readonly #problems: Problem[];

  constructor(source: ParsedFile, tokens: TokenValues, problems: Problem[]) {
    this.#source = source;
    this.#tokens = tokens;
    this.#problems = problems;
  }

  /** @param type of the resource that `node` describes, without `workspaces/` */
  section(node: Record<string, unknown>, path: PropertyPath, id: ResourceId, type: string): void {
    const sections = sectionKinds(id, type);
    for (const [key, value] of Object.entries(node)) {
      if (path.length > 0 ? key === "name" || key === "properties" : TOP_KEYS.has(key.toLowerCase()))
        continue;
      const kind = sections.get(fold(key));
      if (!kind) {
        const hint = didYouMean(
          suggest(
            key,
            [...sections.values()].map((known) => collectionOf(known)),
          ),
        );
        this.#problems.push(
          problem("HG5402", { name: key }, this.#source.locate([...path, key], { key: true }), hint),
        );
      } else if (value !== null) {
        this.#entries(value, [...path, key], id, kind);
      }
    }
  }

  #entries(value: unknown, path: PropertyPath, parent: ResourceId, kind: ResourceKind): void {
    if (!Array.isArray(value)) {
      const wrong = { expected: `a list of ${kind.noun} entries here`, actual: describe(value) };
      this.#problems.push(problem("HG5106", wrong, this.#source.locate(path)));
      return;
    }
    value.forEach((entry: unknown, i) => {
      const at = [...path, i];
      const name = isObject(entry) ? entry["name"] : undefined;
      if (!isObject(entry) || typeof name !== "string" || name === "") {
        this.#problems.push(
          problem("HG5406", {}, this.#source.locate(at), "write `name: …`, the name of the folder"),
        );
        return;
      }
      const id = childId(parent, collectionOf(kind), this.#unmask(name, [...at, "name"]));
      this.#properties(entry["properties"], [...at, "properties"], id, kind);
      this.section(entry, at, id, kind.type === "workspaces" ? "" : kind.type);
    });
  }

  #properties(value: unknown, at: PropertyPath, id: ResourceId, kind: ResourceKind): void {
    if (value === undefined || value === null) return;
    if (!isObject(value)) {
      const wrong = { expected: "an object here", actual: describe(value) };
      this.#problems.push(problem("HG5106", wrong, this.#source.locate(at)));
      return;
    }
    const properties = this.#unmaskAll(value, at) as OpenProperties;
    if (kind.type === "apis") {
      for (const name of Object.keys(properties)) {
        if (!FIXED.some((fixed) => fixed.toLowerCase() === name.toLowerCase())) continue;
        delete properties[name];
        this.#problems.push(
          problem("HG5407", { property: name }, this.#source.locate([...at, name], { key: true })),
        );
      }
    }
    this.byKey.set(idKey(id), { id, kind, properties, at, source: this.#source });
  }

  #unmaskAll(value: unknown, path: PropertyPath): unknown {
    if (typeof value === "string") return this.#unmask(value, path);
    if (Array.isArray(value)) return value.map((entry, i) => this.#unmaskAll(entry, [...path, i]));
    if (!isObject(value)) return value;
    const copy: Record<string, unknown> = {};
    for (const [name, entry] of Object.entries(value))
      setOwn(copy, name, this.#unmaskAll(entry, [...path, name]));
    return copy;
  }

  #unmask(text: string, path: PropertyPath): string {
    if (!text.includes("\uE000")) return text;
    return text.replace(MASKED, (_, name: string) => {
      const value = this.#tokens(name);
      if (value !== undefined) return value;
      const parameters = { token: `{#${name}#}` };
      const hint = `pass \`--var ${name}=…\` or set the variable \`${name}\``;
      this.#problems.push(problem("HG5403", parameters, this.#source.locate(path), hint));
      return "";
    });
  }
}

function collectionOf(kind: ResourceKind): string {
  return kind.type.slice(kind.type.lastIndexOf("/") + 1);
}

/** The sections an entry may have, by folded name; `versionSets` and `apiVersionSets` are one. */
function sectionKinds(id: ResourceId, type: string): Map<string, ResourceKind> {
  const sections = new Map<string, ResourceKind>();
  const prefix = type === "" ? "" : type + "/";
  for (const kind of kinds) {
    if (kind.type === "service" || kind.type !== prefix + collectionOf(kind)) continue;
    for (const name of [collectionOf(kind), ...(kind.artifact?.folders ?? [])])
      sections.set(fold(name), kind);
  }
  if (type === "" && id !== SERVICE_ID) {
    sections.set(
      "policies",
      kinds.find((kind) => kind.type === "workspaces/policies")!,
    );
  }
  return sections;
}

/** Objects merge, arrays and scalars replace, `null` removes; inputs are left alone. */
export function mergeProperties(base: OpenProperties, override: OpenProperties): OpenProperties {
  const merged: OpenProperties = { ...base };
  for (const [name, value] of Object.entries(override)) {
    const present = Object.hasOwn(merged, name) ? name : sameName(merged, name);
    const old = merged[present];
    setOwn(merged, present, isObject(value) && isObject(old) ? mergeProperties(old, value) : value);
  }
  return merged;
}

/** Property names ignore case: an override of `ServiceUrl` replaces `serviceUrl`. */
function sameName(properties: OpenProperties, name: string): string {
  const folded = name.toLowerCase();
  return Object.keys(properties).find((known) => known.toLowerCase() === folded) ?? name;
}

/** Where a merged property was written: in the overrides file when it has it, else in the artifact. */
export function locateMerged(
  override: Override,
  path: PropertyPath,
  key: boolean,
): SourceLocation | undefined {
  let value: unknown = override.properties;
  for (const step of path) {
    if (typeof value !== "object" || value === null) break;
    if (!Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return path.length === 0 ? undefined : override.source.locate([...override.at, ...path], { key });
}

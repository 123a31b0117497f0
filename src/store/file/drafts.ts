/**
 * From recognised files to resources: parse, merge overrides, check. Specifications, list files and
 * policy documents become resources like any other.
 */
import { suggest } from "../../base/suggest.ts";
import type { Problem } from "../../base/problem.ts";
import type { OpenProperties, ResourceId } from "../../contract/resource.ts";
import { checkProperties } from "../check-resource.ts";
import * as ids from "../ids.ts";
import { kindOf } from "../kinds/index.ts";
import type { ResourceKind } from "../kinds/kind.ts";
import { describe, isObject } from "../kinds/shape.ts";
import { didYouMean, problem } from "../messages.ts";
import type { Locate } from "../resource-set.ts";
import { breather } from "./breathe.ts";
import { combine, type Draft, DraftSet } from "./draft-set.ts";
import type { CachedFile, FileCache } from "./file-cache.ts";
import type { Artifact, Layout, ListFile } from "./layout.ts";
import { inheritOperations, joinOperationFile } from "./operation-files.ts";
import { locateMerged, mergeProperties, type Override, type Overrides } from "./overrides.ts";
import { remade } from "./remade.ts";
import type { FileEntry } from "./scan.ts";
import { REDACTED } from "./secrets.ts";
import type { ParsedFile } from "./source.ts";
import { readSpecification } from "./specifications.ts";

/** What an artifact became when its files were as they are. */
interface Made {
  readonly artifact: Artifact;
  readonly info: CachedFile | undefined;
  readonly policy: CachedFile | undefined;
  readonly draft: Draft;
  readonly problems: readonly Problem[];
}

/** By id. Handed from one load to the next and brought up to date, so that only what changed is read again. */
export type DraftMemory = Map<ResourceId, Made>;

function isSameArtifact(a: Artifact, b: Artifact): boolean {
  return a === b || (a.kind === b.kind && a.file === b.file);
}

const NO_PROBLEMS: readonly Problem[] = [];
const NO_PROPERTIES: OpenProperties = {};

interface Checked {
  readonly kind: ResourceKind;
  readonly name: string;
  readonly properties: OpenProperties;
  readonly problems: readonly Problem[];
}

const checkedProperties = new WeakMap<OpenProperties, Checked | null>();

/** Properties that were checked before, as the same object, are what they were then; null: nothing to normalise. */
function checkedOnce(
  draft: Draft,
  given: OpenProperties,
): { properties: OpenProperties; problems: readonly Problem[] } {
  const { kind, id, locate } = draft;
  const name = ids.nameOf(id);
  const known = checkedProperties.get(given);
  if (known === null) return { properties: given, problems: NO_PROBLEMS };
  if (known !== undefined && known.kind === kind && known.name === name) return known;
  const { properties, problems } = checkProperties(kind, name, given, locate);
  const isFine = problems.length === 0 && sameValue(properties, given);
  checkedProperties.set(given, isFine ? null : { kind, name, properties, problems });
  return { properties: isFine ? given : properties, problems };
}

function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((item, i) => sameValue(item, b[i]));
  if (!isObject(a) || !isObject(b)) return false;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && sameValue(a[name], b[name]))
  );
}

export class DraftReader extends DraftSet {
  readonly #overrides: Overrides;
  readonly #used = new Set<string>();
  readonly #made: DraftMemory;

  constructor(cache: FileCache, overrides: Overrides, memory: DraftMemory) {
    super(cache);
    this.#overrides = overrides;
    this.#made = memory;
  }

  async read(layout: Layout): Promise<void> {
    const pause = breather();
    const specifications: Artifact[] = [];
    for (const artifact of layout.artifacts) {
      this.#artifact(artifact);
      if (artifact.kind.type === "apis") specifications.push(artifact);
      const wait = pause();
      if (wait) await wait;
    }
    this.#forgetOthers(layout.artifacts);
    for (const list of layout.lists) this.#listFile(list);
    // Operations of a specification come in its order, before those that only files define.
    const byFile = [...this.drafts.values()].filter((draft) => draft.kind.type === "apis/operations");
    for (const draft of byFile) this.remove(draft);
    for (const artifact of specifications) {
      readSpecification(this, artifact, (draft) => this.#merged(draft).properties);
      const wait = pause();
      if (wait) await wait;
    }
    for (const draft of byFile) {
      joinOperationFile(this, draft);
      const wait = pause();
      if (wait) await wait;
    }
    inheritOperations(this);
    for (const draft of this.drafts.values()) {
      this.#finish(draft);
      const wait = pause();
      if (wait) await wait;
    }
    this.#unusedOverrides();
  }

  #forgetOthers(artifacts: readonly Artifact[]): void {
    if (this.#made.size === artifacts.length) return;
    const present = new Set(artifacts.map(({ id }) => id));
    for (const id of this.#made.keys()) if (!present.has(id)) this.#made.delete(id);
  }

  #artifact(artifact: Artifact): void {
    const info = artifact.info && this.cache.get(artifact.info);
    const policy = artifact.policy && this.cache.get(artifact.policy);
    let made = this.#made.get(artifact.id);
    if (!made || !isSameArtifact(made.artifact, artifact) || made.info !== info || made.policy !== policy) {
      const before = this.problems.length;
      const draft = this.#make(artifact);
      const problems = this.problems.splice(before);
      made = { artifact, info, policy, draft, problems: problems.length === 0 ? NO_PROBLEMS : problems };
      this.#made.set(artifact.id, made);
    }
    this.problems.push(...made.problems);
    // Drafts are worked on: this load has its own.
    this.add({ ...made.draft });
  }

  #make(artifact: Artifact): Draft {
    const { kind, id, info, policy } = artifact;
    if (kind.type.endsWith("policies") && policy) return this.#policy(kind, id, policy);
    const parsed = info && this.parse(info, true);
    if (info && (!parsed || parsed.value === undefined)) {
      // It exists but is broken: keep its name, so that references to it are no further errors.
      return {
        kind,
        id,
        file: info.file,
        hash: "",
        properties: {},
        locate: () => ({ file: info.file }),
        trusted: true,
      };
    }
    const draft = parsed ? this.#information(artifact, parsed) : this.#bare(artifact);
    if (policy) this.#fragmentDocument(draft, policy);
    return draft;
  }

  /** A resource whose folder is all there is of it. */
  #bare({ kind, id, file }: Artifact): Draft {
    return {
      kind,
      id,
      file,
      hash: "",
      properties: {},
      locate: () => ({ file }),
      trusted: kind.type === "apis",
    };
  }

  #information({ kind, id, info }: Artifact, parsed: ParsedFile): Draft {
    const { file } = info!;
    const hash = this.cache.get(info!).hash;
    const locate: Locate = (path = [], options) => parsed.locate(["properties", ...path], options);
    const draft: Draft = { kind, id, file, hash, properties: {}, locate };
    if (!isObject(parsed.value)) {
      this.problems.push(
        problem("HG5106", { expected: "an object", actual: describe(parsed.value) }, parsed.locate([])),
      );
      return { ...draft, trusted: true };
    }
    const { properties, ...envelope } = parsed.value;
    if (isObject(properties)) {
      draft.properties = properties;
      for (const name of Object.keys(envelope)) this.#besideProperties(kind, name, parsed);
    } else if (properties !== undefined) {
      const wrong = { property: "properties", expected: "an object", actual: describe(properties) };
      this.problems.push(problem("HG5201", wrong, parsed.locate(["properties"])));
      return { ...draft, trusted: true };
    } else if (Object.keys(envelope).some((name) => Object.hasOwn(kind.shape.properties, name))) {
      const hint = 'put everything inside `"properties": { … }`';
      this.problems.push(problem("HG5207", {}, parsed.locate([]), hint));
      return { ...draft, trusted: true };
    }
    return kind.type === "service" ? { ...draft, envelope } : draft;
  }

  #besideProperties(kind: ResourceKind, name: string, parsed: ParsedFile): void {
    if (!Object.hasOwn(kind.shape.properties, name) || kind.type === "service" || name === "type") return;
    this.problems.push(
      problem("HG5206", { property: name }, parsed.locate([name], { key: true }), "move it inside"),
    );
  }

  #policy(kind: ResourceKind, id: ResourceId, entry: FileEntry): Draft {
    const { text, hash } = this.text(entry);
    const { file } = entry;
    const locate: Locate = () => ({ file });
    const properties = { format: "rawxml", ...(text !== undefined && { value: text }) };
    this.#warnOfMarker(text, { file });
    return { kind, id, file, hash, properties, locate, trusted: true };
  }

  #fragmentDocument(draft: Draft, entry: FileEntry): void {
    const { text, hash } = this.text(entry);
    if (draft.properties["value"] !== undefined && draft.file !== entry.file) {
      this.problems.push(problem("HG5605", { file: entry.name }, draft.locate(["value"])));
    }
    const below = draft.locate;
    draft.locate = (path = [], options) =>
      path[0] === "value" ? { file: entry.file } : below(path, options);
    draft.properties = { ...draft.properties, format: "rawxml", value: text };
    draft.hash = combine(draft.hash, hash);
    this.#warnOfMarker(text, { file: entry.file });
  }

  #warnOfMarker(text: string | undefined, location: ReturnType<Locate>): void {
    if (text?.includes(REDACTED))
      this.problems.push(problem("HG5408", {}, location, "use a named value, `{{name}}`"));
  }

  #listFile({ kind, parent, entry }: ListFile): void {
    const parsed = this.parse(entry, true);
    if (parsed?.value === undefined) return;
    if (!Array.isArray(parsed.value)) {
      const wrong = { expected: 'a list such as `[{ "name": "…" }]`', actual: describe(parsed.value) };
      this.problems.push(problem("HG5106", wrong, parsed.locate([])));
      return;
    }
    const collection = kind.type.slice(kind.type.lastIndexOf("/") + 1);
    parsed.value.forEach((item: unknown, i) => {
      const name = isObject(item) ? item["name"] : item;
      const at = isObject(item) && name !== undefined ? [i, "name"] : [i];
      if (typeof name !== "string" || name === "") {
        this.problems.push(
          problem("HG5204", { noun: "this", name: "entry", property: "name" }, parsed.locate([i])),
        );
        return;
      }
      const id = ids.childId(parent, collection, name);
      const { hash } = this.cache.get(entry);
      // Inside a workspace a link may lead to the service around it: `"scope": "service"`.
      const properties =
        isObject(item) && item["scope"] !== undefined
          ? remade(item, "link", () => ({ scope: item["scope"] }))
          : NO_PROPERTIES;
      this.add({
        kind,
        id,
        file: entry.file,
        hash,
        properties,
        locate: () => parsed.locate(at),
        trusted: true,
      });
    });
  }

  #merged(draft: Draft): { properties: OpenProperties; override?: Override } {
    const key = ids.idKey(draft.id);
    const override = this.#overrides.byKey.get(key) ?? this.#overrideByAlias(draft);
    if (!override) return { properties: draft.properties };
    return { properties: mergeProperties(draft.properties, override.properties), override };
  }

  #overrideByAlias(draft: Draft): Override | undefined {
    if (this.#overrides.byKey.size === 0 || draft.kind.type !== "apis/operations") return undefined;
    const alias = ids.operationAlias(ids.nameOf(draft.id));
    const prefix = ids.idKey(ids.parentId(draft.id)!) + "/operations/";
    for (const [key, override] of this.#overrides.byKey) {
      if (key.startsWith(prefix) && ids.operationAlias(key.slice(prefix.length)) === alias) return override;
    }
    return undefined;
  }

  /** Overrides in, checked and normalised properties out. */
  #finish(draft: Draft): void {
    const { properties, override } = this.#merged(draft);
    if (override) {
      this.#used.add(ids.idKey(override.id));
      const below = draft.locate;
      draft.locate = (path = [], options) =>
        locateMerged(override, path, options?.key === true) ?? below(path, options);
      draft.hash = combine(draft.hash, JSON.stringify(override.properties));
    } else if (draft.trusted) {
      return;
    }
    const checked = override
      ? checkProperties(draft.kind, ids.nameOf(draft.id), properties, draft.locate)
      : checkedOnce(draft, properties);
    draft.properties = checked.properties;
    this.problems.push(...checked.problems);
  }

  /** Of an API that is not there its policies are not there either: said once, for the outermost. */
  #unusedOverrides(): void {
    const said = new Set<string>();
    for (const [key, override] of this.#overrides.byKey) {
      if (this.#used.has(key)) continue;
      let { id, at } = override;
      for (
        let up = ids.parentId(id)!;
        up !== ids.SERVICE_ID && !this.drafts.has(ids.idKey(up));
        up = ids.parentId(up)!
      ) {
        id = up;
        at = at.slice(0, -2);
      }
      if (said.has(ids.idKey(id))) continue;
      said.add(ids.idKey(id));
      const siblings = this.childrenOf(ids.parentId(id)!);
      const type = ids.typeOf(id).toLowerCase();
      const others = siblings
        .filter((draft) => ids.typeOf(draft.id).toLowerCase() === type)
        .map((draft) => ids.nameOf(draft.id));
      const parameters = { noun: kindOf(id)?.noun ?? "resource", name: ids.nameOf(id) };
      const location = override.source.locate([...at.slice(0, -1), "name"]);
      this.problems.push(
        problem("HG5401", parameters, location, didYouMean(suggest(parameters.name, others))),
      );
    }
  }
}

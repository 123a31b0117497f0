/**
 * Recognises the two artifact layouts, and any mixture, in a scanned folder (spec "Resource model"
 * 4.1). Works from the table of kinds; reads nothing. What it does not know it reports and skips.
 */
import type { Problem } from "../../base/problem.ts";
import { suggest } from "../../base/suggest.ts";
import type { ResourceId } from "../../contract/resource.ts";
import { childId, nameOf, SERVICE_ID } from "../ids.ts";
import { kindOfType, kinds } from "../kinds/index.ts";
import type { ResourceKind } from "../kinds/kind.ts";
import { didYouMean, problem } from "../messages.ts";
import type { FileEntry, FolderEntry } from "./scan.ts";

/** One resource found in the folder, not yet read. */
export interface Artifact {
  readonly kind: ResourceKind;
  readonly id: ResourceId;
  /** The file whose absence or content this resource is judged by. */
  readonly file: string;
  readonly info?: FileEntry;
  /** The document of a policy or fragment. */
  readonly policy?: FileEntry;
  /** The OpenAPI, Swagger or GraphQL description of an API. */
  readonly specification?: FileEntry;
}

/** A layout B list of links, e.g. `products/p/apis.json`. */
export interface ListFile {
  readonly kind: ResourceKind;
  readonly parent: ResourceId;
  readonly entry: FileEntry;
}

export interface Layout {
  readonly artifacts: Artifact[];
  readonly lists: ListFile[];
  /** `configuration.{env}.yaml` files at the top, by lower-case environment. */
  readonly overrides: Map<string, FileEntry>;
  readonly problems: Problem[];
}

export function recogniseLayout(root: FolderEntry): Layout {
  const layout: Layout = { artifacts: [], lists: [], overrides: new Map(), problems: [] };
  new LayoutReader(layout).scope(root, SERVICE_ID, "");
  return layout;
}

const DATA_FILE = /\.(json|ya?ml)$/i;
const OVERRIDES_FILE = /^configuration\.(.+)\.ya?ml$/i;
const SPECIFICATION = /^specification\.(ya?ml|json|graphql|gql|wsdl|wadl|xml)$/i;
/** In the order of preference when an API has several. */
const SPECIFICATION_ORDER = ["json", "yaml", "yml", "graphql", "gql", "wsdl", "wadl", "xml"];
/** Files people keep beside configuration. */
const IGNORED_FILE =
  /\.(md|txt|ps1|sh|example|sample|bicep|bicepparam|http|rest)$|^(license|notice|codeowners|makefile|dockerfile)$/i;

/** What a resource's folder was recognised as, everything below it included. */
interface Recognised {
  readonly kind: ResourceKind;
  readonly parent: ResourceId;
  readonly layout: Layout;
}

/** By folder as scanned: one that did not change is the same object, and so are its artifacts. */
const recognised = new WeakMap<FolderEntry, Recognised>();

const NOTHING: never[] = [];

function exact<T>(list: T[]): T[] {
  return list.length === 0 ? NOTHING : list.slice();
}

class LayoutReader {
  /** Files called by a wrong name: said where the right one is missed. */
  readonly #explained = new Set<FileEntry>();
  #layout: Layout;
  #inside = false;

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  /**
   * The inside of a resource that can have children: the service, a workspace, an API, …
   *
   * @param type of the resource without `workspaces/`; `""` for the service and workspaces
   * @param own  files of the folder that the caller has taken already
   */
  scope(folder: FolderEntry, id: ResourceId, type: string, own: ReadonlySet<FileEntry> = new Set()): void {
    const children = childKinds(type);
    const mirrored = kinds.filter((kind) => kind.artifact?.mirrored?.under === type);
    for (const child of folder.folders) {
      const folded = fold(child.name);
      const kind = children.find((candidate) =>
        candidate.artifact!.folders.some((name) => fold(name) === folded),
      );
      const link = mirrored.find((candidate) =>
        candidate.artifact!.mirrored!.folders.some((name) => fold(name) === folded),
      );
      if (kind) this.#collection(child, kind, id);
      else if (link) this.#mirroredLinks(child, link, id);
      else this.#unknownFolder(child, [...children, ...mirrored]);
    }
    for (const file of folder.files) {
      if (!own.has(file)) this.#scopeFile(file, folder, id, type, children);
    }
  }

  #collection(folder: FolderEntry, kind: ResourceKind, parent: ResourceId): void {
    for (const file of folder.files) this.#unknownFile(file, []);
    for (const child of folder.folders) this.#remembered(child, kind, parent);
  }

  #remembered(folder: FolderEntry, kind: ResourceKind, parent: ResourceId): void {
    // What is inside a resource is remembered with it; a workspace is as large as a service.
    if (this.#inside || kind.type === "workspaces") return this.#resource(folder, kind, parent);
    const outer = this.#layout;
    let known = recognised.get(folder);
    if (known?.kind !== kind || known.parent !== parent) {
      this.#layout = { artifacts: [], lists: [], overrides: outer.overrides, problems: [] };
      this.#inside = true;
      this.#resource(folder, kind, parent);
      this.#inside = false;
      const { artifacts, lists, problems, overrides } = this.#layout;
      // As long as what they hold: a list grown by `push` has room for more.
      const layout = {
        artifacts: exact(artifacts),
        lists: exact(lists),
        problems: exact(problems),
        overrides,
      };
      known = { kind, parent, layout };
      recognised.set(folder, known);
      this.#layout = outer;
    }
    for (const artifact of known.layout.artifacts) outer.artifacts.push(artifact);
    for (const list of known.layout.lists) outer.lists.push(list);
    for (const found of known.layout.problems) outer.problems.push(found);
  }

  #resource(folder: FolderEntry, kind: ResourceKind, parent: ResourceId): void {
    const collection = kind.type.slice(kind.type.lastIndexOf("/") + 1);
    const id = childId(parent, collection, folder.name);
    const artifact = kind.artifact!;
    const info = this.#pick(folder, artifact.files);
    const policy = artifact.policy ? findFile(folder, "policy.xml") : undefined;
    const specification = kind.type === "apis" ? this.#specification(folder) : undefined;
    if (folder.files.length + folder.folders.length === 0) return;
    this.#checkName(folder, kind);
    const needed = artifact.policy ? (info ?? policy) : info;
    if (!needed && (!artifact.optional || artifact.policy)) this.#missingInfo(folder, artifact.files);
    const file = (info ?? policy ?? folder).file;
    this.#layout.artifacts.push({ kind, id, file, info, policy, specification });
    const own = new Set([info, policy, specification].filter((entry) => entry !== undefined));
    this.scope(folder, id, kind.type === "workspaces" ? "" : kind.type, own);
  }

  /** `tags/{t}/apis/{a}/tagApiInformation.json` is the resource `/apis/{a}/tags/{t}`. */
  #mirroredLinks(folder: FolderEntry, kind: ResourceKind, tag: ResourceId): void {
    const { files, under } = kind.artifact!.mirrored!;
    const [target, collection] = kind.type.split("/") as [string, string];
    const scope = tag.slice(0, tag.length - `/${under}/${nameOf(tag)}`.length) || SERVICE_ID;
    for (const child of folder.folders) {
      const info = this.#pick(child, files);
      if (!info) {
        if (child.files.length > 0) this.#missingInfo(child, files);
        continue;
      }
      const id = childId(childId(scope, target, child.name), collection, nameOf(tag));
      this.#layout.artifacts.push({ kind, id, file: info.file, info });
    }
  }

  #scopeFile(
    file: FileEntry,
    folder: FolderEntry,
    id: ResourceId,
    type: string,
    children: ResourceKind[],
  ): void {
    const name = file.name.toLowerCase();
    const policyKind = policyKindOf(id, type);
    if (name === "policy.xml" && policyKind) {
      const policyId = childId(id, "policies", "policy");
      this.#layout.artifacts.push({ kind: policyKind, id: policyId, file: file.file, policy: file });
      return;
    }
    const list = children.find((kind) => isDataFile(file, kind.artifact?.listFile));
    if (list) {
      this.#layout.lists.push({ kind: list, parent: id, entry: file });
      return;
    }
    if (id === SERVICE_ID && this.#topFile(file)) return;
    // The operator's prices: no resource, read beside them (`llm/prices/overrides.ts`).
    if (id === SERVICE_ID && file.name === "prices.yaml") return;
    if (IGNORED_FILE.test(file.name) || /^configuration\./i.test(file.name)) return;
    const known = [
      ...(policyKind ? ["policy.xml"] : []),
      ...children.flatMap((kind) => (kind.artifact?.listFile ? [`${kind.artifact.listFile}.json`] : [])),
      ...(type === "apis" ? ["specification.yaml", "specification.json"] : []),
      ...(kindOfType(type)?.artifact?.files ?? []).map((base) => `${base}.json`),
    ];
    const taken = new Set(folder.files.map((entry) => entry.name.toLowerCase()));
    this.#unknownFile(
      file,
      known.filter((candidate) => !taken.has(candidate.toLowerCase())),
    );
  }

  #topFile(file: FileEntry): boolean {
    const environment = OVERRIDES_FILE.exec(file.name)?.[1];
    if (environment !== undefined) {
      this.#layout.overrides.set(environment.toLowerCase(), file);
      return true;
    }
    if (!isDataFile(file, "serviceInformation")) return false;
    this.#layout.artifacts.push({
      kind: kindOfType("service")!,
      id: SERVICE_ID,
      file: file.file,
      info: file,
    });
    return true;
  }

  #specification(folder: FolderEntry): FileEntry | undefined {
    const found = folder.files.filter((file) => SPECIFICATION.test(file.name));
    const rank = (file: FileEntry) => SPECIFICATION_ORDER.indexOf(extensionOf(file.name));
    found.sort((a, b) => rank(a) - rank(b));
    for (const other of found.slice(1)) {
      this.#layout.problems.push(problem("HG5309", { file: found[0]!.name }, { file: other.file }));
    }
    return found[0];
  }

  /** The information file; of several the first by the table, the others are reported. */
  #pick(folder: FolderEntry, bases: readonly string[]): FileEntry | undefined {
    const found = bases.flatMap((base) => folder.files.filter((file) => isDataFile(file, base)));
    for (const other of found.slice(1)) {
      this.#layout.problems.push(problem("HG5605", { file: found[0]!.name }, { file: other.file }));
    }
    return found[0];
  }

  #checkName(folder: FolderEntry, kind: ResourceKind): void {
    const { max, forbidden, rule } = kind.names;
    const name = kind.type === "apis" ? folder.name.replace(/;rev=[^;]+$/i, "") : folder.name;
    const broken =
      name.length > max ? `it is longer than ${max} characters` : forbidden.test(name) ? rule : undefined;
    if (broken === undefined) return;
    this.#layout.problems.push(problem("HG5604", { name: folder.name, rule: broken }, { file: folder.file }));
  }

  #missingInfo(folder: FolderEntry, bases: readonly string[]): void {
    const expected = `${bases[0]}.json`;
    const near = folder.files.find(
      (file) =>
        suggest(
          file.name,
          bases.map((base) => `${base}.json`),
        ) !== null,
    );
    if (near) this.#explained.add(near);
    const hint = near ? `rename \`${near.name}\` to \`${expected}\`` : undefined;
    this.#layout.problems.push(problem("HG5603", { file: expected }, { file: folder.file }, hint));
  }

  #unknownFile(file: FileEntry, known: readonly string[]): void {
    if (IGNORED_FILE.test(file.name) || this.#explained.has(file)) return;
    const hint = didYouMean(suggest(file.name, known));
    this.#layout.problems.push(problem("HG5601", {}, { file: file.file }, hint));
  }

  #unknownFolder(folder: FolderEntry, candidates: readonly ResourceKind[]): void {
    const known = candidates.map((kind) => kind.artifact!.folders[0]!);
    const hint = didYouMean(suggest(folder.name, known));
    this.#layout.problems.push(problem("HG5602", {}, { file: folder.file }, hint));
  }
}

const childKindsCache = new Map<string, ResourceKind[]>();

/** Kinds that have a folder or list inside a resource of this type; a workspace is like the service. */
export function childKinds(type: string): ResourceKind[] {
  let found = childKindsCache.get(type);
  if (!found) {
    found = kinds.filter(
      (kind) => kind.artifact && kind.type.slice(0, Math.max(0, kind.type.lastIndexOf("/"))) === type,
    );
    childKindsCache.set(type, found);
  }
  return found;
}

/** The kind of the policies below a resource, if it can have one. */
function policyKindOf(id: ResourceId, type: string): ResourceKind | undefined {
  if (type === "") return kindOfType(id === SERVICE_ID ? "policies" : "workspaces/policies");
  return kindOfType(`${type}/policies`);
}

function isDataFile(file: FileEntry, base: string | undefined): boolean {
  return (
    base !== undefined &&
    DATA_FILE.test(file.name) &&
    file.name.replace(DATA_FILE, "").toLowerCase() === base.toLowerCase()
  );
}

function findFile(folder: FolderEntry, name: string): FileEntry | undefined {
  return folder.files.find((file) => file.name.toLowerCase() === name);
}

function extensionOf(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1).toLowerCase();
}

/** `named values`, `namedValues` and `named-values` are one name. */
export function fold(name: string): string {
  return name.toLowerCase().replace(/[\s_-]+/g, "");
}

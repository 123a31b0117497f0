/** Resources in the making, by id and by parent. */
import { createHash } from "node:crypto";
import type { Problem } from "../../base/problem.ts";
import type { OpenProperties, Resource, ResourceId } from "../../contract/resource.ts";
import * as ids from "../ids.ts";
import { canonicalType } from "../kinds/index.ts";
import type { ResourceKind } from "../kinds/kind.ts";
import { problem } from "../messages.ts";
import type { Locate } from "../resource-set.ts";
import type { FileCache } from "./file-cache.ts";
import type { FileEntry } from "./scan.ts";
import type { ParsedFile } from "./source.ts";

export interface Draft {
  readonly kind: ResourceKind;
  readonly id: ResourceId;
  /** The file the resource is told by. */
  readonly file: string;
  /** Of everything it was made from; empty when its file is broken. */
  hash: string;
  properties: OpenProperties;
  locate: Locate;
  /** Made by us from checked parts: its shape is right. */
  trusted?: boolean;
  readonly envelope?: OpenProperties;
}

export class DraftSet {
  readonly drafts = new Map<string, Draft>();
  readonly problems: Problem[] = [];
  readonly cache: FileCache;
  /** By the key of their parent. */
  readonly #children = new Map<string, Draft[]>();

  constructor(cache: FileCache) {
    this.cache = cache;
  }

  get(id: ResourceId): Draft | undefined {
    return this.drafts.get(ids.idKey(id));
  }

  add(draft: Draft): void {
    const key = ids.idKey(draft.id);
    const known = this.drafts.get(key);
    if (!known) {
      this.drafts.set(key, draft);
      const parent = parentKey(draft);
      const siblings = this.#children.get(parent);
      if (siblings) siblings.push(draft);
      else this.#children.set(parent, [draft]);
      return;
    }
    // The same link in two layouts says nothing twice.
    if (draft.kind.references.some((field) => field.at === "")) return;
    const found = problem(
      "HG4608",
      { noun: draft.kind.noun, name: ids.nameOf(draft.id) },
      { file: draft.file },
    );
    this.problems.push({ ...found, related: { file: known.file, message: "it is also defined here" } });
  }

  remove(draft: Draft): void {
    this.drafts.delete(ids.idKey(draft.id));
    const siblings = this.#children.get(parentKey(draft));
    const at = siblings?.indexOf(draft) ?? -1;
    if (at !== -1) siblings!.splice(at, 1);
  }

  /** A list of its own: drafts may come and go while it is used. */
  childrenOf(parent: ResourceId): Draft[] {
    return Array.from(this.#children.get(ids.idKey(parent)) ?? []);
  }

  operationsOf(api: ResourceId): Draft[] {
    return this.childrenOf(api).filter((draft) => draft.kind.type === "apis/operations");
  }

  /** The file as a value, its problems told; undefined when it has none. */
  parse(entry: FileEntry, numbersAsWritten: boolean): ParsedFile | undefined {
    const file = this.cache.get(entry);
    this.problems.push(...file.problems);
    if (file.text === undefined) return undefined;
    const parsed = file.parsed({ numbersAsWritten });
    this.problems.push(...parsed.problems);
    return parsed;
  }

  /** The file as text, its problems told. */
  text(entry: FileEntry): { text: string | undefined; hash: string } {
    const { text, problems, hash } = this.cache.get(entry);
    this.problems.push(...problems);
    return { text, hash };
  }

  /**
   * The drafts as resources, in order.
   *
   * @param earlier by key: what did not change stays the same object
   */
  resources(earlier: (id: ResourceId) => Resource | undefined): Resource[] {
    return Array.from(this.drafts.values(), (draft) => {
      const known = earlier(draft.id);
      const isSame =
        known !== undefined &&
        known.etag === draft.hash &&
        known.properties === draft.properties &&
        known.id === draft.id &&
        draft.kind.type !== "service";
      return isSame ? known : resourceOf(draft);
    });
  }
}

function resourceOf(draft: Draft): Resource {
  return {
    ...draft.envelope,
    id: draft.id,
    name: ids.nameOf(draft.id) || "service",
    type: canonicalType(draft.id),
    properties: draft.properties,
    etag: draft.hash,
  };
}

function parentKey(draft: Draft): string {
  return ids.idKey(ids.parentId(draft.id) ?? "");
}

/** The hash of two things together. */
export function combine(a: string, b: string): string {
  return createHash("sha256").update(a).update("\n").update(b).digest("hex").slice(0, 32);
}

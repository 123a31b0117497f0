/** Operations told by files of their own, and those that revisions take over. */
import { suggest } from "../../base/suggest.ts";
import type { ResourceId } from "../../contract/resource.ts";
import * as ids from "../ids.ts";
import { didYouMean, problem } from "../messages.ts";
import { combine, type Draft, type DraftSet } from "./draft-set.ts";
import { remade } from "./remade.ts";

/**
 * A folder below `operations`: the whole operation, corrections to an imported one, or just the
 * place where its policy lies. Then the operation must exist.
 */
export function joinOperationFile(set: DraftSet, draft: Draft): void {
  const api = ids.parentId(draft.id)!;
  const name = ids.nameOf(draft.id);
  const known = set.get(draft.id) ?? operationByAlias(set, api, name);
  if (known) {
    const { locate } = draft;
    const fallback = known.locate;
    const given = draft.properties;
    if (Object.keys(given).length > 0) {
      known.locate = (path = [], options) =>
        path.length > 0 && Object.hasOwn(given, path[0]!) ? locate(path, options) : fallback(path, options);
      const imported = known.properties;
      known.properties = remade(given, imported, () => ({ ...imported, ...given }));
      known.trusted = false;
    }
    if (draft.hash !== "") known.hash = combine(known.hash, draft.hash);
    adoptChildren(set, draft.id, known.id);
  } else if (draft.properties["method"] === undefined && draft.properties["urlTemplate"] === undefined) {
    reportUnknown(set, draft, api, name);
  } else {
    requireTemplate(set, draft, name);
    set.add(draft);
  }
}

function requireTemplate(set: DraftSet, draft: Draft, name: string): void {
  for (const property of ["method", "urlTemplate"]) {
    if (draft.properties[property] !== undefined) continue;
    set.problems.push(problem("HG5204", { noun: "Operation", name, property }, draft.locate([])));
  }
}

function operationByAlias(set: DraftSet, api: ResourceId, name: string): Draft | undefined {
  const alias = ids.operationAlias(name);
  return set.operationsOf(api).find((other) => ids.operationAlias(ids.nameOf(other.id)) === alias);
}

function reportUnknown(set: DraftSet, draft: Draft, api: ResourceId, name: string): void {
  // An API whose own file is broken has no operations we could judge by.
  const folder = /^.*\/(?=operations\/)/i.exec(draft.file)?.[0];
  if (folder && set.problems.some((found) => found.severity === "error" && found.file?.startsWith(folder)))
    return;
  const hint = didYouMean(
    suggest(
      name,
      set.operationsOf(api).map((other) => ids.nameOf(other.id)),
    ),
  );
  const parameters = { name: ids.nameOf(api), reference: name };
  set.problems.push(problem("HG4506", parameters, { file: draft.file }, hint));
}

/** The policy of `operations/getorder` belongs to the operation imported as `GetOrder`. */
function adoptChildren(set: DraftSet, from: ResourceId, to: ResourceId): void {
  if (from === to) return;
  for (const draft of set.childrenOf(from)) {
    set.remove(draft);
    set.add({ ...draft, id: to + draft.id.slice(from.length) });
  }
}

/** A revision that brings no operations of its own has those of the API it was made from. */
export function inheritOperations(set: DraftSet): void {
  for (const api of Array.from(set.drafts.values())) {
    if (api.kind.type !== "apis" || ids.revisionOf(api.id) === undefined) continue;
    if (set.operationsOf(api.id).length > 0) continue;
    const reference = api.properties["sourceApiId"];
    const source = typeof reference === "string" ? ids.resolveReference(reference, "apis") : undefined;
    const named = source === undefined ? [] : set.operationsOf(source);
    for (const operation of named.length > 0 ? named : set.operationsOf(ids.withoutRevision(api.id))) {
      set.add({ ...operation, id: ids.childId(api.id, "operations", ids.nameOf(operation.id)) });
    }
  }
}

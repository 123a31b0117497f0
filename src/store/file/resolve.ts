/** What a resource needs beyond its own file: secrets, keys, and what revisions share. */
import type { Problem } from "../../base/problem.ts";
import type { ApiProperties } from "../../contract/apis.ts";
import type { NamedValueProperties, ValueSource } from "../../contract/policies.ts";
import type { SubscriptionProperties } from "../../contract/products.ts";
import * as ids from "../ids.ts";
import { isObject } from "../kinds/shape.ts";
import { problem } from "../messages.ts";
import { currentOf } from "../resource-set.ts";
import { combine, type Draft, type DraftSet } from "./draft-set.ts";
import type { KeyStore } from "./keys.ts";
import { remade } from "./remade.ts";
import { type Secrets, variableOf } from "./secrets.ts";

/**
 * Gives every named value its value. One that has none is left without: the policies that use it
 * then say so, and those that do not are not disturbed.
 */
export async function fillSecrets(reader: DraftSet, secrets: Secrets): Promise<void> {
  const variables = new Map<string, string>();
  for (const draft of reader.drafts.values()) {
    if (draft.kind.type !== "namedValues" || draft.hash === "") continue;
    const name = ids.nameOf(draft.id);
    const given = draft.properties as NamedValueProperties;
    const value = await secrets.namedValue(name, given, draft.locate, reader.problems);
    const displayName = given.displayName ?? name;
    draft.properties = remade(given, value ?? null, () => {
      const { valueFrom: _, value: __, ...rest } = given;
      return { ...rest, displayName, ...(value !== undefined && { value }) };
    });
    // A rotated secret is a change like any other.
    if (value !== given.value) draft.hash = combine(draft.hash, value ?? "");
    warnOfSharedVariable(variables, displayName, draft, reader.problems);
  }
}

function warnOfSharedVariable(
  variables: Map<string, string>,
  displayName: string,
  draft: Draft,
  problems: Problem[],
): void {
  const variable = variableOf(displayName);
  const other = variables.get(variable);
  if (other === undefined) variables.set(variable, displayName);
  else if (other.toLowerCase() !== displayName.toLowerCase()) {
    problems.push(problem("HG5410", { name: displayName, other, variable }, draft.locate(["displayName"])));
  }
}

/** What belongs to the API as a whole and not to a revision. Spec "Resource model" 1.19. */
const SHARED = [
  "displayName",
  "type",
  "description",
  "subscriptionRequired",
  "apiVersion",
  "apiVersionDescription",
  "apiVersionSetId",
  "path",
  "protocols",
] as const;

/** Copies what revisions share from the current one, as the publishers do. */
export function fillRevisions(reader: DraftSet): void {
  const byApi = new Map<string, Draft[]>();
  for (const draft of reader.drafts.values()) {
    if (draft.kind.type !== "apis") continue;
    const key = ids.idKey(ids.withoutRevision(draft.id));
    byApi.set(key, [...(byApi.get(key) ?? []), draft]);
  }
  for (const revisions of byApi.values()) {
    for (const draft of revisions) fillRevisionNumber(draft);
    const current = currentOf(revisions.map(asApi));
    const source = revisions.find((draft) => draft.id === current?.id);
    for (const draft of revisions) if (source && draft !== source) copyShared(draft, source, reader.problems);
  }
}

function asApi(draft: Draft) {
  return { id: draft.id, name: "", type: "apis", properties: draft.properties as ApiProperties };
}

function fillRevisionNumber(draft: Draft): void {
  const revision = ids.revisionOf(draft.id) ?? (draft.properties as ApiProperties).apiRevision ?? "1";
  if (draft.properties["apiRevision"] === revision) return;
  const given = draft.properties;
  draft.properties = remade(given, revision, () => ({ ...given, apiRevision: revision }));
}

function copyShared(draft: Draft, current: Draft, problems: Problem[]): void {
  const own = draft.properties;
  const shared = current.properties;
  const merged = { ...own };
  for (const name of SHARED) {
    const differs = own[name] !== undefined && JSON.stringify(own[name]) !== JSON.stringify(shared[name]);
    if (differs) {
      const parameters = { revision: String(own["apiRevision"]), property: name };
      problems.push(problem("HG5208", parameters, draft.locate([name])));
    }
    if (shared[name] === undefined) delete merged[name];
    else merged[name] = shared[name];
  }
  draft.properties = remade(own, shared, () => merged);
  draft.hash = draft.hash && combine(draft.hash, current.hash);
}

/** Nothing to add. */
function isWhole({ state, displayName, primaryKey, secondaryKey }: SubscriptionProperties): boolean {
  return (
    state !== undefined &&
    displayName !== undefined &&
    typeof primaryKey === "string" &&
    typeof secondaryKey === "string"
  );
}

/** Keys as text: written, taken from elsewhere, or made once and kept. */
export async function fillSubscriptionKeys(
  reader: DraftSet,
  secrets: Secrets,
  keys: KeyStore,
): Promise<void> {
  for (const draft of reader.drafts.values()) {
    if (draft.kind.type !== "subscriptions" || draft.hash === "") continue;
    const given = draft.properties as SubscriptionProperties;
    if (isWhole(given)) continue;
    const what = `the key of subscription \`${ids.nameOf(draft.id)}\``;
    const take = (property: "primaryKey" | "secondaryKey") => {
      const key = given[property];
      if (!isObject(key)) return key as string | undefined;
      const location = draft.locate([property, "valueFrom"]);
      return secrets.valueFrom(key["valueFrom"] as ValueSource, what, location, reader.problems);
    };
    const primaryKey = await take("primaryKey");
    const secondaryKey = await take("secondaryKey");
    // A pair is made only when something is missing that nobody said where to find.
    const needsPair = given.primaryKey === undefined || given.secondaryKey === undefined;
    const generated = needsPair ? keys.get(draft.id) : undefined;
    const pair = {
      primaryKey: primaryKey ?? (given.primaryKey === undefined ? generated?.primaryKey : undefined),
      secondaryKey: secondaryKey ?? (given.secondaryKey === undefined ? generated?.secondaryKey : undefined),
    };
    draft.properties = remade(given, `${pair.primaryKey}\n${pair.secondaryKey}`, () => ({
      state: "active",
      displayName: ids.nameOf(draft.id),
      ...given,
      ...pair,
    }));
    if (isObject(given.primaryKey) || isObject(given.secondaryKey)) {
      draft.hash = combine(draft.hash, `${primaryKey}\n${secondaryKey}`);
    }
  }
}

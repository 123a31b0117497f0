/** What to say about a member that does not exist. */
import { allDefinitions } from "../runtime/define.ts";
import { type Type, bindings, displayName, substitute } from "../runtime/type.ts";
import { suggest } from "../../base/suggest.ts";
import { namesOfTuple } from "./binder-converts.ts";
import { findMembers, memberTypes } from "./binder-members.ts";
import { elementTypeOf, isEnum, isTupleType, known } from "./binder-types.ts";
import { unsupportedMember } from "./binder-unsupported.ts";
import type { Binder } from "./binder.ts";
import type { BoundExpression } from "./bound.ts";
import type { Span } from "./tree.ts";

/** What people bring along from elsewhere → what it is called here. */
const FAMILIAR: ReadonlyMap<string, string> = new Map([
  ["length", "Length"],
  ["size", "Count"],
  ["includes", "Contains"],
  ["indexOf", "IndexOf"],
  ["toString", "ToString"],
  ["push", "Add"],
  ["append", "Add"],
  ["map", "Select"],
  ["filter", "Where"],
  ["some", "Any"],
  ["every", "All"],
  ["find", "FirstOrDefault"],
  ["reduce", "Aggregate"],
  ["sort", "OrderBy"],
  ["get", "GetValueOrDefault"],
  ["Get", "GetValueOrDefault"],
  ["AsString", "As<string>"],
  ["AsJObject", "As<JObject>"],
  ["has", "ContainsKey"],
  ["toUpperCase", "ToUpper"],
  ["toLowerCase", "ToLower"],
]);

export function unknownMember(
  b: Binder,
  owner: Type,
  name: string,
  span: Span,
  isStatic: boolean,
  invoked = false,
): BoundExpression {
  const type = displayName(owner);
  const names = memberTypes(owner).map((t) => t.definition.fullName);
  const forbidden = unsupportedMember(names, name);
  if (forbidden !== null) return b.fail("HG3103", span, { member: name, type: forbidden });
  const available = [...new Set(memberNames(owner, isStatic))];
  const familiar = FAMILIAR.get(name);
  const bare = familiar?.replace(/<.*/, "");
  const best = bare !== undefined && available.includes(bare) ? familiar! : suggest(name, available);
  if (best !== null) return b.fail("HG3104", span, { type, member: name }, `did you mean \`${best}\`?`);
  return b.fail("HG3104", span, { type, member: name }, unknownHint(owner, name, isStatic, invoked));
}

function unknownHint(owner: Type, name: string, isStatic: boolean, invoked: boolean): string | null {
  if (owner.kind === "named" && owner.definition.fullName === "System.Object") {
    return "cast the value to its real type first, for example `((JObject)value)`";
  }
  const element = isStatic ? null : elementTypeOf(owner);
  if (element !== null && findMembers(element, name).length > 0) {
    const one = owner.kind === "array" ? "`[0]`" : "`.First()`";
    return `its elements have it: take one with ${one}, or write \`.Select(x => x.${name}${invoked ? "()" : ""})\``;
  }
  if (!isStatic && !invoked && takesText(owner))
    return `a value by name stands in square brackets: \`["${name}"]\``;
  const own = [...new Set(ownNames(owner, isStatic))]
    .filter((candidate) => !OBJECT_MEMBERS.has(candidate))
    .slice(0, 12);
  return own.length === 0 ? null : `it has: ${own.join(", ")}`;
}

/** JSON objects and dictionaries: people write `body.model` for `body["model"]`. */
function takesText(owner: Type): boolean {
  return findMembers(owner, "this[]").some(({ member, declaring }) => {
    const only =
      member.parameters.length === 1 ? substitute(member.parameters[0]!.type, bindings(declaring)) : null;
    return (
      only === known.string() || (only === known.object() && declaring.definition.shortName === "JToken")
    );
  });
}

const OBJECT_MEMBERS = new Set(["ToString", "Equals", "GetHashCode"]);

function* memberNames(owner: Type, isStatic: boolean): Generator<string> {
  yield* ownNames(owner, isStatic);
  if (!isStatic) yield* extensionNames(owner);
}

/** Without extension methods. */
function* ownNames(owner: Type, isStatic: boolean): Generator<string> {
  if (isEnum(owner) && isStatic) yield* owner.definition.enumValues?.keys() ?? [];
  if (owner.kind === "array") yield "Length";
  if (isTupleType(owner)) yield* owner.args.map((_, i) => namesOfTuple(owner)[i] ?? `Item${i + 1}`);
  for (const type of memberTypes(owner)) {
    for (const [name, group] of type.definition.members) {
      if (/^[A-Za-z]\w*$/.test(name) && !name.startsWith("op_") && group.some((m) => m.isStatic === isStatic))
        yield name;
    }
  }
}

/** Names of extension methods whose first parameter could take a value of this type, roughly. */
function* extensionNames(owner: Type): Generator<string> {
  const own = new Set(memberTypes(owner).map((t) => t.definition));
  const enumerable = owner.kind === "array" || [...own].some((d) => d.shortName === "IEnumerable");
  for (const definition of allDefinitions()) {
    if (definition.kind !== "static") continue;
    for (const [name, group] of definition.members) {
      const target = group.find((m) => m.isExtension)?.parameters[0]?.type;
      if (target === undefined) continue;
      const isOwn =
        target.kind === "named" &&
        (own.has(target.definition) || (enumerable && target.definition.shortName === "IEnumerable"));
      if (isOwn || (target.kind === "array" && owner.kind === "array")) yield name;
    }
  }
}

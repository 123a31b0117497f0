/** `new`: objects with their initializers, arrays, anonymous objects. */
import { anonymousDefinition } from "../runtime/tuple.ts";
import { type Type, arrayOf, displayName, instantiate, isValueType } from "../runtime/type.ts";
import { bindArguments, bindArgumentsAs } from "./binder-arguments.ts";
import { assignment, propertyTarget } from "./binder-assign.ts";
import { failedCall } from "./binder-call-failures.ts";
import { arrayNode, finishCall, orderedArguments } from "./binder-calls.ts";
import { asValue, convert } from "./binder-convert.ts";
import { converts } from "./binder-converts.ts";
import { bindExpression, bindTo, bindValue } from "./binder-expressions.ts";
import { findMembers, readProperty } from "./binder-members.ts";
import { defaultNode } from "./binder-nodes.ts";
import { bindTypeNode } from "./binder-type-names.ts";
import { delegateSignature, isEnum, isError, isVoid, known } from "./binder-types.ts";
import { unknownMember } from "./binder-unknown-members.ts";
import type { Bound } from "./binder-untyped.ts";
import { type Binder, assignTemp, errorNode, sequence } from "./binder.ts";
import type { BoundExpression, LocalSymbol } from "./bound.ts";
import { bestCommonType } from "./inference.ts";
import { methodCandidate, resolve } from "./overloads.ts";
import type {
  AnonymousObjectExpression,
  ArrayInitializerExpression,
  CollectionInitializer,
  Expression,
  IndexInitializer,
  Initializer,
  MemberInitializer,
  NewArrayExpression,
  NewExpression,
  NewImplicitArrayExpression,
  ObjectInitializer,
  Span,
} from "./tree.ts";

export function bindNew(b: Binder, node: NewExpression): Bound {
  if (node.type === null) return { kind: "pendingNew", type: null, node, start: node.start, end: node.end };
  const type = bindTypeNode(b, node.type);
  if (isError(type)) {
    bindArguments(b, node.arguments ?? []);
    return errorNode(node);
  }
  return createObject(b, node, type);
}

/** An object of this type: constructor, then initializer. */
export function createObject(b: Binder, node: NewExpression, type: Type): BoundExpression {
  const made = construct(b, node, type);
  if (node.initializer === null) return made;
  const temp = b.temp(type, node);
  const steps = [assignTemp(b, temp, made), ...initialize(b, temp, node.initializer)];
  return isError(made.type) ? made : sequence(steps, b.read(temp, node), node);
}

function construct(b: Binder, node: NewExpression, type: Type): BoundExpression {
  const args = bindArguments(b, node.arguments ?? []);
  const span = node.type ?? node;
  if (type.kind !== "named") return b.fail("HG3156", span, { type: displayName(type) });
  if (delegateSignature(type) !== null) {
    const only = args[0];
    if (args.length === 1 && only !== undefined) return convert(b, only.bound, type);
    return b.fail("HG3111", span, { member: displayName(type), count: args.length }, "give it one lambda");
  }
  const members = type.definition.members.get(".ctor") ?? [];
  if (args.length === 0 && isValueType(type) && !members.some((m) => m.parameters.length === 0))
    return defaultNode(type, node);
  if (members.length === 0 || type.definition.kind === "interface" || isEnum(type)) {
    return b.fail("HG3156", span, { type: displayName(type) }, creationHint(type));
  }
  const candidates = members.map((member) => ({
    ...methodCandidate(member, type),
    name: type.definition.shortName,
    isStatic: true,
  }));
  const found = resolve(b, candidates, args, null);
  if (found.kind !== "found") return { ...failedCall(b, found, candidates, args, span, node), type };
  return { ...finishCall(b, found.best, args, null, node), type };
}

/** Interfaces → the class that people mean. */
const CLASSES: ReadonlyMap<string, string> = new Map([
  ["IDictionary", "Dictionary"],
  ["IReadOnlyDictionary", "Dictionary"],
  ["IList", "List"],
  ["ICollection", "List"],
  ["IEnumerable", "List"],
  ["ISet", "HashSet"],
  ["JToken", "JObject"],
  ["HashAlgorithm", "SHA256Managed"],
]);

function creationHint(type: Type): string | null {
  if (type.kind !== "named") return null;
  const better = CLASSES.get(type.definition.shortName);
  if (better !== undefined) return `write \`new ${better}…\``;
  for (const name of ["Create", "Parse"]) {
    if (findMembers(type, name).some(({ member }) => member.isStatic))
      return `write \`${displayName(type)}.${name}(…)\``;
  }
  return null;
}

// ── Initializers ────────────────────────────────────────────────────────────────────────────────────────────────────

function initialize(b: Binder, temp: LocalSymbol, initializer: Initializer): BoundExpression[] {
  return initializer.kind === "objectInitializer"
    ? setMembers(b, temp, initializer)
    : addElements(b, temp, initializer);
}

function setMembers(b: Binder, temp: LocalSymbol, initializer: ObjectInitializer): BoundExpression[] {
  return initializer.members.flatMap((member) =>
    member.kind === "memberInitializer" ? setMember(b, temp, member) : setIndexed(b, temp, member),
  );
}

function setMember(b: Binder, temp: LocalSymbol, node: MemberInitializer): BoundExpression[] {
  const span = { start: node.nameStart, end: node.nameEnd };
  const receiver = b.read(temp, node);
  const found = findMembers(temp.type, node.name).find(
    ({ member }) => !member.isStatic && member.kind === "property",
  );
  if (found === undefined) {
    unknownMember(b, temp.type, node.name, span, false);
    bindQuietly(b, node.value);
    return [];
  }
  if (isInitializer(node.value)) {
    const value = readProperty(b, found, receiver, [], span);
    const inner = b.temp(value.type, node);
    return [assignTemp(b, inner, value), ...initialize(b, inner, node.value)];
  }
  const place = propertyTarget(b, found, receiver, [], span);
  const value = bindExpression(b, node.value);
  return place === null ? [] : [assignment(b, place.target, convert(b, value, place.type), node)];
}

const isInitializer = (value: Expression | Initializer): value is Initializer =>
  value.kind === "objectInitializer" || value.kind === "collectionInitializer";

function bindQuietly(b: Binder, value: Expression | Initializer): void {
  if (!isInitializer(value)) bindExpression(b, value);
}

function setIndexed(b: Binder, temp: LocalSymbol, node: IndexInitializer): BoundExpression[] {
  const receiver = b.read(temp, node);
  const args = bindArguments(b, node.arguments);
  const members = findMembers(temp.type, "this[]");
  if (members.length === 0) {
    b.report("HG3131", node, { type: displayName(temp.type) });
    bindQuietly(b, node.value);
    return [];
  }
  const candidates = members.map(({ member, declaring }) => methodCandidate(member, declaring));
  const resolved = resolve(b, candidates, args, null);
  if (resolved.kind !== "found") {
    failedCall(b, resolved, candidates, args, node, node);
    bindQuietly(b, node.value);
    return [];
  }
  const found = { member: resolved.best.candidate.member!, declaring: resolved.best.candidate.declaring! };
  const values = orderedArguments(b, resolved.best, args, node);
  if (isInitializer(node.value)) {
    const value = readProperty(b, found, receiver, values, node);
    const inner = b.temp(value.type, node);
    return [assignTemp(b, inner, value), ...initialize(b, inner, node.value)];
  }
  const place = propertyTarget(b, found, receiver, values, node);
  const value = bindExpression(b, node.value);
  return place === null ? [] : [assignment(b, place.target, convert(b, value, place.type), node)];
}

/** Each element is a call of `Add`. */
function addElements(b: Binder, temp: LocalSymbol, initializer: CollectionInitializer): BoundExpression[] {
  const members = findMembers(temp.type, "Add").filter(
    ({ member }) => member.kind === "method" && !member.isStatic,
  );
  const candidates = members.map(({ member, declaring }) => methodCandidate(member, declaring));
  if (candidates.length === 0) {
    b.report("HG3145", initializer, { type: displayName(temp.type) });
    for (const element of initializer.elements)
      for (const argument of element.arguments) bindExpression(b, argument);
    return [];
  }
  return initializer.elements.map((element) => {
    const args = bindArgumentsAs(element.arguments.map((argument) => bindExpression(b, argument)));
    const found = resolve(b, candidates, args, null);
    if (found.kind !== "found") return failedCall(b, found, candidates, args, element, element);
    return finishCall(b, found.best, args, b.read(temp, element), element);
  });
}

// ── Arrays ──────────────────────────────────────────────────────────────────────────────────────────────────────────

export function bindNewArray(b: Binder, node: NewArrayExpression): BoundExpression {
  const elementType = bindTypeNode(b, node.elementType);
  if (node.rank > 1)
    return b.fail(
      "HG3148",
      node,
      { feature: "an array of several dimensions" },
      "use an array of arrays: `T[][]`",
    );
  const first = node.sizes[0];
  const size = first === undefined ? null : arraySize(b, first);
  if (isError(elementType) || isVoid(elementType)) {
    for (const element of node.initializer?.elements ?? [])
      if (element.kind !== "arrayInitializer") bindExpression(b, element);
    return errorNode(node);
  }
  const type = arrayOf(elementType);
  if (node.initializer === null) {
    return { kind: "newArray", elementType, size, elements: null, type, start: node.start, end: node.end };
  }
  if (size !== null && size.kind !== "error") {
    const given = node.initializer.elements.length;
    if (size.kind !== "constant") b.report("HG3143", first!);
    else if (Number(size.value) !== given)
      b.report("HG3154", node.initializer, { given, size: String(size.value) });
  }
  return fillArray(b, node.initializer, type, node);
}

function arraySize(b: Binder, node: Expression): BoundExpression {
  const bound = bindExpression(b, node);
  const isLong = !converts(b, bound, known.int()) && converts(b, bound, known.long());
  const size = convert(b, bound, isLong ? known.long() : known.int());
  if (size.kind === "constant" && Number(size.value) < 0)
    return b.fail("HG3125", node, { type: "an array's size" }, null);
  return size;
}

/** `{ a, b }` for an array of this type. */
export function fillArray(
  b: Binder,
  node: ArrayInitializerExpression,
  type: Type,
  span: Span,
): BoundExpression {
  if (type.kind !== "array") {
    for (const element of node.elements) bindExpression(b, element);
    if (isError(type)) return errorNode(span);
    return b.fail("HG3145", node, { type: displayName(type) }, `write \`new ${displayName(type)} { … }\``);
  }
  const { element } = type;
  const elements = node.elements.map((value) =>
    value.kind === "arrayInitializer" ? fillArray(b, value, element, value) : bindTo(b, value, element),
  );
  return arrayNode(type, elements, span);
}

export function bindImplicitArray(b: Binder, node: NewImplicitArrayExpression): BoundExpression {
  if (node.rank > 1) return b.fail("HG3148", node, { feature: "an array of several dimensions" });
  const bounds = node.initializer.elements.map((element) => bindExpression(b, element));
  if (bounds.some((bound) => bound.type !== null && isError(bound.type))) return errorNode(node);
  const type = bestCommonType(b, bounds, converts);
  if (type === null) {
    for (const bound of bounds) if (bound.type === null && bound.kind !== "pendingLambda") asValue(b, bound);
    return b.fail("HG3160", node, {}, "write the type of the elements: `new object[] { … }`");
  }
  const elements = bounds.map((bound) => convert(b, bound, type));
  return arrayNode(arrayOf(type), elements, node);
}

// ── Anonymous objects ───────────────────────────────────────────────────────────────────────────────────────────────

export function bindAnonymous(b: Binder, node: AnonymousObjectExpression): BoundExpression {
  const names: string[] = [];
  const values: BoundExpression[] = [];
  for (const member of node.members) {
    if (names.includes(member.name)) b.report("HG3159", member, { name: member.name });
    const value = bindValue(b, member.expression);
    if (value.type.kind === "null" || isVoid(value.type)) {
      b.report(
        "HG3160",
        member,
        {},
        value.type.kind === "null" ? "cast it: `(string)null`" : "call something that gives a value",
      );
      values.push(errorNode(member));
    } else values.push(value);
    names.push(member.name);
  }
  if (values.some((value) => isError(value.type))) return errorNode(node);
  const type = instantiate(
    anonymousDefinition(names),
    values.map((value) => value.type),
  );
  return { kind: "anonymous", values, type, start: node.start, end: node.end };
}

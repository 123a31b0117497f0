/** What stands behind a dot: members through bases and interfaces, extension methods, namespaces and nested names. */
import { allBases } from "../runtime/cast.ts";
import { allDefinitions, extensionMethods } from "../runtime/define.ts";
import {
  type Member,
  type NamedType,
  type Type,
  bindings,
  displayName,
  instantiate,
  substitute,
  underlyingOfNullable,
} from "../runtime/type.ts";
import { enumValue, typeNamed } from "../runtime/values.ts";
import { suggest } from "../../base/suggest.ts";
import { asValue } from "./binder-convert.ts";
import { namesOfTuple } from "./binder-converts.ts";
import { memberCall, setterOf } from "./binder-nodes.ts";
import {
  bindTypeNode,
  isNamespace,
  reportUnknownType,
  typeByFullName,
  unsupportedType,
} from "./binder-type-names.ts";
import { delegateSignature, isEnum, isError, isString, isTupleType, isVoid, known } from "./binder-types.ts";
import { unknownMember } from "./binder-unknown-members.ts";
import { insteadOf } from "./binder-unsupported.ts";
import type { Bound, PendingMethods, PendingNamespace, PendingType } from "./binder-untyped.ts";
import { type Binder, constantNode, convertNode, errorNode } from "./binder.ts";
import type { BoundExpression } from "./bound.ts";
import { type CandidateMethod, methodCandidate } from "./overloads.ts";
import type { MemberExpression, Span } from "./tree.ts";

export interface FoundMember {
  readonly member: Member;
  readonly declaring: NamedType;
}

/** The types whose members a value of `type` has, nearest first. */
export function memberTypes(type: Type): readonly NamedType[] {
  if (type.kind === "array")
    return allBases(typeNamed("System.Array")).filter((t) => t.definition.kind !== "interface");
  if (type.kind !== "named") return [];
  const bases = allBases(type);
  return type.definition.kind === "interface" ? [...bases, known.object()] : bases;
}

/** All members of a name, nearest first. */
export function findMembers(type: Type, name: string): readonly FoundMember[] {
  const found: FoundMember[] = [];
  for (const declaring of memberTypes(type)) {
    for (const member of declaring.definition.members.get(name) ?? []) {
      if (member.kind !== "constructor" && !member.isExtension) found.push({ member, declaring });
    }
  }
  return found;
}

/**
 * `left.name` as a value, method group, type or namespace. Where it is `invoked` only what can be called counts:
 * `array.First()` is the extension method though a JArray has a property First (C# §12.5).
 */
export function bindMember(b: Binder, left: Bound, node: MemberExpression, invoked = false): Bound {
  const span = { start: node.nameStart, end: node.nameEnd };
  if (left.kind === "pendingNamespace") return namespaceMember(b, left, node);
  const typeArguments = node.typeArguments?.map((arg) => bindTypeNode(b, arg)) ?? null;
  if (left.kind === "pendingType") return staticMember(b, left, node, typeArguments, span);
  const receiver = asValue(b, left);
  if (isError(receiver.type)) return errorNode(node);
  return instanceMember(b, receiver, node.name, span, node, typeArguments, invoked);
}

function namespaceMember(b: Binder, left: PendingNamespace, node: MemberExpression): Bound {
  const name = `${left.name}.${node.name}`;
  const span = { start: left.start, end: node.nameEnd };
  const args = node.typeArguments?.map((arg) => bindTypeNode(b, arg)) ?? [];
  const definition = typeByFullName(name, args.length);
  if (definition !== null) {
    return {
      kind: "pendingType",
      type: null,
      named: instantiate(definition, args),
      start: left.start,
      end: node.end,
    };
  }
  if (isNamespace(name))
    return { kind: "pendingNamespace", type: null, name, start: left.start, end: node.end };
  if (unsupportedType(name) !== null)
    return b.fail("HG3102", span, { type: name }, insteadOf(name) ?? typeHint(node.name));
  reportUnknownType(b, name, args.length, span);
  return errorNode(node);
}

function typeHint(name: string): string | null {
  const best = suggest(
    name,
    [...allDefinitions()].filter((d) => d.nameable).map((d) => d.shortName),
  );
  return best === null ? null : `did you mean \`${best}\`?`;
}

function staticMember(
  b: Binder,
  left: PendingType,
  node: MemberExpression,
  typeArguments: readonly Type[] | null,
  span: Span,
): Bound {
  const owner = left.named;
  const { name } = node;
  if (isError(owner)) return errorNode(node);
  if (isEnum(owner)) {
    const number = owner.definition.enumValues?.get(name);
    if (number !== undefined) return constantNode(enumValue(owner.definition, number), owner, node);
  }
  const found = findMembers(owner, name);
  const statics = found.filter(({ member }) => member.isStatic);
  const first = statics[0];
  if (first === undefined) {
    // `Enumerable.Select(list, …)`: an extension method called as what it is.
    const plain = owner.kind === "named" ? (owner.definition.members.get(name) ?? []) : [];
    if (plain.length > 0 && plain[0]!.isExtension)
      return methods(plain.map((member) => methodCandidate(member, owner as NamedType)));
    if (found.length > 0) return b.fail("HG3117", span, { member: name, type: displayName(owner) });
    return unknownMember(b, owner, name, span, true);
  }
  if (first.member.kind === "method") {
    return methods(
      statics
        .filter(({ member }) => member.kind === "method")
        .map(({ member, declaring }) => methodCandidate(member, declaring)),
    );
  }
  return readProperty(b, first, null, [], node);

  function methods(candidates: readonly CandidateMethod[]): PendingMethods {
    return {
      kind: "pendingMethods",
      type: null,
      start: node.start,
      end: node.end,
      name,
      nameStart: span.start,
      nameEnd: span.end,
      receiver: null,
      owner,
      candidates,
      extensions: [],
      typeArguments,
    };
  }
}

/** `receiver.name`. */
export function instanceMember(
  b: Binder,
  receiver: BoundExpression,
  name: string,
  span: Span,
  whole: Span,
  typeArguments: readonly Type[] | null,
  invoked = false,
): Bound {
  const owner = receiver.type;
  if (isVoid(owner))
    return b.fail("HG3134", receiver, { member: receiver.kind === "call" ? receiver.member.name : "this" });
  if (owner.kind === "null") return b.fail("HG3109", whole, { operator: ".", operand: "null" });
  const special = specialMember(receiver, name, whole);
  if (
    special !== null &&
    !(invoked && delegateSignature(special.type) === null && extensionMethods(name).length > 0)
  )
    return special;
  const found = findMembers(owner, name);
  const own = found.filter(({ member }) => !member.isStatic);
  const first = own[0];
  const isValue = first !== undefined && first.member.kind !== "method";
  if (isValue && !(invoked && isCallable(first, own, name)))
    return readProperty(b, first, receiver, [], whole);
  const candidates = own
    .filter(({ member }) => member.kind === "method")
    .map(({ member, declaring }) => methodCandidate(member, declaring));
  const extensions = extensionCandidates(name);
  if (candidates.length === 0 && extensions.length === 0) {
    if (found.length > 0) return b.fail("HG3116", span, { member: name, type: displayName(owner) });
    return unknownMember(b, owner, name, span, false, invoked);
  }
  return {
    kind: "pendingMethods",
    type: null,
    start: whole.start,
    end: whole.end,
    name,
    nameStart: span.start,
    nameEnd: span.end,
    receiver,
    owner,
    candidates,
    extensions,
    typeArguments,
  };
}

/** Whether the name can be called as a method, though the nearest member is a value that cannot. */
function isCallable(first: FoundMember, own: readonly FoundMember[], name: string): boolean {
  if (delegateSignature(substitute(first.member.returns, bindings(first.declaring))) !== null) return false;
  return own.some(({ member }) => member.kind === "method") || extensionMethods(name).length > 0;
}

/** Members that are nodes of their own: array length, tuple elements, `HasValue` and `Value` of nullables. */
function specialMember(receiver: BoundExpression, name: string, span: Span): BoundExpression | null {
  const { type } = receiver;
  const at = { start: span.start, end: span.end };
  if (type.kind === "array" && name === "Length")
    return { kind: "arrayLength", array: receiver, type: known.int(), ...at };
  const inner = underlyingOfNullable(type);
  if (inner !== null && name === "HasValue")
    return { kind: "isNull", operand: receiver, negated: true, type: known.bool(), ...at };
  if (inner !== null && name === "Value")
    return { ...convertNode({ kind: "unwrap" }, receiver, inner), ...at };
  if (!isTupleType(type)) return null;
  const index = tupleIndex(type, name);
  return index < 0 ? null : { kind: "tupleItem", tuple: receiver, index, type: type.args[index]!, ...at };
}

/** Position of `Item1` or a named element; -1 when there is none. */
export function tupleIndex(type: NamedType, name: string): number {
  const named = namesOfTuple(type).indexOf(name);
  if (named >= 0) return named;
  const match = /^Item([1-7])$/.exec(name);
  const index = match === null ? -1 : Number(match[1]) - 1;
  return index < type.args.length ? index : -1;
}

const extensionCache = new WeakMap<readonly Member[], readonly CandidateMethod[]>();

export function extensionCandidates(name: string): readonly CandidateMethod[] {
  const members = extensionMethods(name);
  if (members.length === 0) return [];
  let candidates = extensionCache.get(members);
  if (candidates === undefined) {
    candidates = members.map((member) => methodCandidate(member, instantiate(member.declaring)));
    extensionCache.set(members, candidates);
  }
  return candidates;
}

/** Reads a property, constant or (with arguments) indexer. */
export function readProperty(
  b: Binder,
  { member, declaring }: FoundMember,
  receiver: BoundExpression | null,
  args: readonly BoundExpression[],
  span: Span,
  order: readonly number[] | null = null,
): BoundExpression {
  const type = substitute(member.returns, bindings(declaring));
  useMember(b, member, declaring.args, args, span);
  if (member.kind === "constant" && member.implementation.kind === "constant") {
    return constantNode(member.implementation.value, type, span);
  }
  return memberCall(member, declaring.args, receiver, args, type, span, order);
}

/** What the library wants to have said where a member is used: wrong constants, warnings. */
export function useMember(
  b: Binder,
  member: Member,
  typeArguments: readonly Type[],
  args: readonly BoundExpression[],
  span: Span,
): void {
  const { verify, verifyTypes, warning } = member.facts;
  if (warning !== undefined) b.report("HG3182", span, { warning });
  const wrongType = typeArguments.some(isError) ? null : (verifyTypes?.(typeArguments) ?? null);
  if (wrongType !== null) b.report("HG3150", span, { problem: wrongType });
  const problem = verify?.(args.map((arg) => (arg.kind === "constant" ? arg.value : undefined))) ?? null;
  if (problem !== null) b.report("HG3150", span, { problem });
}

/** The setter of a property, or why there is none. */
export function writableCode(
  b: Binder,
  { member }: FoundMember,
  receiver: BoundExpression | null,
  span: Span,
) {
  const code = setterOf(member);
  if (code !== null) return code;
  const owner = receiver?.type ?? null;
  if (isContextType(member) || (owner !== null && receiver !== null && readsContext(receiver))) {
    b.report("HG3118", span, { member: member.kind === "indexer" ? "this" : member.name });
  } else if (owner !== null && isString(owner)) {
    b.report(
      "HG3119",
      span,
      { name: member.kind === "indexer" ? "a character of a string" : member.name },
      "a string never changes: make a new one",
    );
  } else b.report("HG3119", span, { name: member.kind === "indexer" ? "this element" : member.name });
  return null;
}

export function isContextType(member: Member): boolean {
  return member.declaring.fullName.startsWith("Gateway.");
}

/** Whether the value is (part of) the context. */
export function readsContext(node: BoundExpression): boolean {
  if (node.kind === "context") return true;
  if (node.kind === "call")
    return isContextType(node.member) || (node.receiver !== null && readsContext(node.receiver));
  return node.kind === "convert" && readsContext(node.operand);
}

/** Type names: short ones through the imported namespaces (`expressions.md` §1.2), full ones, and good answers for wrong ones. */
import { allDefinitions, definitionsNamed, findDefinition } from "../runtime/define.ts";
import {
  type Type,
  type TypeDefinition,
  ERROR_TYPE,
  KEYWORDS,
  VOID,
  arrayOf,
  instantiate,
} from "../runtime/type.ts";
import { MAX_TUPLE } from "../runtime/tuple.ts";
import { suggest } from "../../base/suggest.ts";
import { namedTuple } from "./binder-converts.ts";
import { isVoid, nullableOf } from "./binder-types.ts";
import { UNSUPPORTED_NAMESPACES, UNSUPPORTED_TYPES, insteadOf } from "./binder-unsupported.ts";
import type { Binder } from "./binder.ts";
import type { NamedTypeNode, Span, TypeNode } from "./tree.ts";

const IMPORTED = [
  "System",
  "System.Collections.Generic",
  "System.IO",
  "System.Linq",
  "System.Net",
  "System.Security.Cryptography",
  "System.Security.Cryptography.X509Certificates",
  "System.Text",
  "System.Text.RegularExpressions",
  "System.Xml",
  "System.Xml.Linq",
  "Newtonsoft.Json",
  "Newtonsoft.Json.Linq",
];

/** Where the library keeps the context types; not a namespace one can write. */
const CONTEXT_NAMESPACE = "Gateway";

const imported = new Set([...IMPORTED, CONTEXT_NAMESPACE]);
const KEYWORD_NAMES = new Map([...KEYWORDS].map(([full, keyword]) => [keyword, full]));

const namespaceOf = (definition: TypeDefinition): string =>
  definition.fullName.slice(0, definition.fullName.lastIndexOf("."));

let namespaces: Set<string> | null = null;

/** `System`, `System.Net`, … */
export function isNamespace(name: string): boolean {
  if (namespaces === null) {
    namespaces = new Set(UNSUPPORTED_NAMESPACES.flatMap(prefixes));
    for (const definition of allDefinitions()) {
      const own = namespaceOf(definition);
      if (own !== CONTEXT_NAMESPACE) for (const prefix of prefixes(own)) namespaces.add(prefix);
    }
  }
  return namespaces.has(name);
}

function prefixes(name: string): string[] {
  const parts = name.split(".");
  return parts.map((_, i) => parts.slice(0, i + 1).join("."));
}

/** The type of a short name that expressions may write; null when there is none of this arity. */
export function typeByShortName(name: string, arity: number): TypeDefinition | null {
  const found = definitionsNamed(name).filter(
    (d) => d.nameable && d.parameters.length === arity && imported.has(namespaceOf(d)),
  );
  // `Formatting` means Newtonsoft's, `Authorization` the context's (§1.2).
  return found.find((d) => /^(Gateway|Newtonsoft)/.test(d.fullName)) ?? found[0] ?? null;
}

/** The type of a name with namespace. */
export function typeByFullName(name: string, arity: number): TypeDefinition | null {
  if (name.startsWith(`${CONTEXT_NAMESPACE}.`)) return null;
  const definition = findDefinition(name, arity);
  return definition !== null && definition.fullName === name && definition.nameable ? definition : null;
}

/** A type as written. Reports what does not exist; the error type then. */
export function bindTypeNode(b: Binder, node: TypeNode): Type {
  b.step();
  switch (node.kind) {
    case "predefinedType": {
      if (node.name === "void") return VOID;
      return instantiate(findDefinition(KEYWORD_NAMES.get(node.name)!, 0)!);
    }
    case "namedType":
      return bindNamedType(b, node);
    case "arrayType": {
      const element = bindTypeNode(b, node.element);
      if (node.rank > 1) {
        b.report(
          "HG3148",
          node,
          { feature: "an array of several dimensions" },
          "use an array of arrays: `T[][]`",
        );
        return ERROR_TYPE;
      }
      return element.kind === "error" ? element : arrayOf(element);
    }
    case "nullableType": {
      const element = bindTypeNode(b, node.element);
      return element.kind === "error" ? element : nullableOf(element);
    }
    case "tupleType": {
      const elements = node.elements.map((element) => bindTypeNode(b, element.type));
      if (elements.some((type) => type.kind === "error" || isVoid(type))) return ERROR_TYPE;
      if (elements.length > MAX_TUPLE) {
        b.report("HG3148", node, { feature: `a tuple of more than ${MAX_TUPLE} elements` });
        return ERROR_TYPE;
      }
      return namedTuple(
        elements,
        node.elements.map((element) => element.name),
      );
    }
    case "varType":
    case "missingType":
      return ERROR_TYPE;
  }
}

function bindNamedType(b: Binder, node: NamedTypeNode): Type {
  const last = node.parts.at(-1)!;
  const args = last.typeArguments?.map((arg) => bindTypeNode(b, arg)) ?? [];
  if (args.some((arg) => arg.kind === "error")) return ERROR_TYPE;
  const name = node.parts.map((part) => part.name).join(".");
  if (name === "dynamic") {
    b.report("HG3105", node);
    return ERROR_TYPE;
  }
  const definition =
    node.parts.length === 1 ? typeByShortName(name, args.length) : typeByFullName(name, args.length);
  if (definition !== null) {
    if (args.some(isVoid)) return ERROR_TYPE;
    if (definition.fullName === "System.Nullable") return nullableOf(args[0]!);
    return instantiate(definition, args);
  }
  reportUnknownType(b, name, args.length, node);
  return ERROR_TYPE;
}

/** Says why a name is no type that may be used here. */
export function reportUnknownType(b: Binder, name: string, arity: number, span: Span): void {
  const other = otherArity(name, arity);
  if (other !== null) {
    b.report("HG3157", span, { type: other.shortName, count: other.parameters.length });
    return;
  }
  const real = unsupportedType(name);
  if (real !== null) {
    b.report("HG3102", span, { type: real }, insteadOf(real));
    return;
  }
  const best = suggest(name.slice(name.lastIndexOf(".") + 1), nameableTypes());
  b.report("HG3101", span, { name }, best === null ? null : `did you mean \`${best}\`?`);
}

function otherArity(name: string, arity: number): TypeDefinition | null {
  const short = name.slice(name.lastIndexOf(".") + 1);
  return (
    definitionsNamed(short).find(
      (d) => d.nameable && d.parameters.length !== arity && (short === name || d.fullName === name),
    ) ?? null
  );
}

/** The full name of a .NET type that exists but is not for expressions; null for names that are none. */
export function unsupportedType(name: string): string | null {
  if (!name.includes(".")) {
    const known = UNSUPPORTED_TYPES.get(name);
    if (known !== undefined) return known;
    const defined = definitionsNamed(name)[0];
    return defined === undefined || imported.has(namespaceOf(defined)) ? null : defined.fullName;
  }
  // Below a namespace of .NET everything that is not known is taken for a type that is not allowed.
  const parent = name.slice(0, name.lastIndexOf("."));
  return isNamespace(parent) ? name : null;
}

/** C#'s own words come first: `strng` is rather `string` than `String`. */
const KEYWORD_TYPES = "string int bool object double long decimal char byte float".split(" ");

/** Short names of all types that may be written. */
export function* nameableTypes(): Generator<string> {
  yield* KEYWORD_TYPES;
  for (const definition of allDefinitions()) {
    if (definition.nameable && imported.has(namespaceOf(definition))) yield definition.shortName;
  }
}

/**
 * Reads the C# signatures of the library's declarations (`define.ts`). A small recursive reader over tokens; our
 * own text is its only input, so it throws on a mistake, at the first use of the type.
 */
import type { Declared } from "./define.ts";
import {
  type Member,
  type Parameter,
  type Type,
  type TypeDefinition,
  type TypeKind,
  type TypeParameter,
  VOID,
  KEYWORDS,
  arrayOf,
  instantiate,
} from "./type.ts";

const KEYWORD_TO_NAME = new Map([...KEYWORDS].map(([full, keyword]) => [keyword, full]));

type Find = (name: string, arity?: number) => TypeDefinition | null;
type Resolve = (text: string, parameters: readonly TypeParameter[]) => Type;

/** `class A.B<T> : Base<T>, IFoo` */
export function parseHeader(header: string): {
  kind: TypeKind;
  fullName: string;
  parameters: string[];
  bases: string[];
} {
  const match =
    /^(class|struct|interface|enum|delegate|static)\s+([\w.]+)(?:<([^>]*)>)?\s*(?::\s*(.+))?$/.exec(
      header.trim(),
    );
  if (match === null) throw new Error(`unreadable type header: ${header}`);
  return {
    kind: match[1] as TypeKind,
    fullName: match[2]!,
    parameters: match[3] === undefined ? [] : match[3].split(",").map((p) => p.trim()),
    bases: match[4] === undefined ? [] : splitTop(match[4]),
  };
}

/** Splits at commas that are not inside `<>`, `()` or `[]`. */
function splitTop(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (c === "<" || c === "(" || c === "[") depth++;
    else if (c === ">" || c === ")" || c === "]") depth--;
    else if (c === "," && depth === 0) {
      parts.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  parts.push(text.slice(start).trim());
  return parts.filter((part) => part !== "");
}

/** A type as text → Type. */
export function resolveName(text: string, parameters: readonly TypeParameter[], find: Find): Type {
  text = text.trim();
  if (text.endsWith("[]")) return arrayOf(resolveName(text.slice(0, -2), parameters, find));
  if (text.endsWith("?")) {
    const inner = resolveName(text.slice(0, -1), parameters, find);
    const nullable = find("System.Nullable", 1);
    if (nullable === null) throw new Error("System.Nullable is not defined");
    return instantiate(nullable, [inner]);
  }
  if (text === "void") return VOID;
  const open = text.indexOf("<");
  const name = open < 0 ? text : text.slice(0, open).trim();
  const args = open < 0 ? [] : splitTop(text.slice(open + 1, text.lastIndexOf(">")));
  if (args.length === 0) {
    const parameter = parameters.find((p) => p.name === name);
    if (parameter !== undefined) return parameter;
  }
  const definition = find(KEYWORD_TO_NAME.get(name) ?? name, args.length);
  if (definition === null) throw new Error(`unknown type in the library: ${text}`);
  return instantiate(
    definition,
    args.map((arg) => resolveName(arg, parameters, find)),
  );
}

/** One member: method, property, indexer, constructor, constant, operator or conversion. */
export function parseSignature(
  signature: string,
  declaring: TypeDefinition,
  code: Declared,
  resolve: Resolve,
): Member {
  let text = signature.trim();
  const take = (word: string): boolean => {
    if (!text.startsWith(`${word} `)) return false;
    text = text.slice(word.length + 1).trimStart();
    return true;
  };
  const isConst = take("const");
  const isStatic = take("static") || isConst;
  const outer = declaring.parameters;
  const common = {
    declaring,
    isStatic,
    isExtension: false,
    typeParameters: [] as TypeParameter[],
    parameters: [] as Parameter[],
    implicit: false,
    implementation: code.implementation,
    facts: code.facts,
    signature,
  };
  const self = (): Type => instantiate(declaring, outer);

  const conversion = /^(implicit|explicit) operator (.+?)\s*\((.*)\)$/.exec(text);
  if (conversion !== null) {
    return {
      ...common,
      kind: "conversion",
      name: conversion[1] === "implicit" ? "op_Implicit" : "op_Explicit",
      implicit: conversion[1] === "implicit",
      returns: resolve(conversion[2]!, outer),
      parameters: parseParameters(conversion[3]!, outer, resolve).list,
    };
  }
  const operator = /^(.+?)\s+operator\s*(\S+?)\s*\((.*)\)$/.exec(text);
  if (operator !== null) {
    return {
      ...common,
      kind: "operator",
      name: `operator ${operator[2]!}`,
      returns: resolve(operator[1]!, outer),
      parameters: parseParameters(operator[3]!, outer, resolve).list,
    };
  }
  const indexer = /^(.+?)\s+this\[(.*)\]\s*\{.*\}$/.exec(text);
  if (indexer !== null) {
    return {
      ...common,
      kind: "indexer",
      name: "this[]",
      returns: resolve(indexer[1]!, outer),
      parameters: parseParameters(indexer[2]!, outer, resolve).list,
    };
  }
  const property = /^(.+?)\s+(\w+)\s*\{.*\}$/.exec(text);
  if (property !== null) {
    return { ...common, kind: "property", name: property[2]!, returns: resolve(property[1]!, outer) };
  }
  const field = /^([^(]+?)\s+(\w+)$/.exec(text);
  if (field !== null) {
    return {
      ...common,
      kind: isConst || code.implementation.kind === "constant" ? "constant" : "property",
      name: field[2]!,
      returns: resolve(field[1]!, outer),
    };
  }
  const constructor = /^(\w+)\s*\((.*)\)$/.exec(text);
  if (constructor !== null && constructor[1] === declaring.shortName) {
    return {
      ...common,
      kind: "constructor",
      name: ".ctor",
      returns: self(),
      parameters: parseParameters(constructor[2]!, outer, resolve).list,
    };
  }
  const method = /^(.+?)\s+(\w+)(?:<([\w\s,]+)>)?\s*\((.*)\)$/.exec(text);
  if (method === null) throw new Error(`unreadable signature of ${declaring.fullName}: ${signature}`);
  const typeParameters: TypeParameter[] =
    method[3] === undefined
      ? []
      : method[3].split(",").map((name) => ({ kind: "parameter", name: name.trim() }));
  const scope = [...outer, ...typeParameters];
  const parameters = parseParameters(method[4]!, scope, resolve);
  return {
    ...common,
    kind: "method",
    name: method[2]!,
    typeParameters,
    parameters: parameters.list,
    isExtension: parameters.hasThis,
    returns: resolve(method[1]!, scope),
  };
}

function parseParameters(
  text: string,
  scope: readonly TypeParameter[],
  resolve: Resolve,
): { list: Parameter[]; hasThis: boolean } {
  let hasThis = false;
  const list = splitTop(text).map((part): Parameter => {
    const match = /^(?:(this|out|params)\s+)?(.+?)\s+(\w+)(?:\s*=\s*(.+))?$/.exec(part);
    if (match === null) throw new Error(`unreadable parameter: ${part}`);
    if (match[1] === "this") hasThis = true;
    const base: Parameter = {
      name: match[3]!,
      type: resolve(match[2]!, scope),
      mode: match[1] === "out" || match[1] === "params" ? match[1] : "value",
    };
    return match[4] === undefined ? base : { ...base, optional: { value: literal(match[4]) } };
  });
  return { list, hasThis };
}

/** Default values: `false`, `null`, numbers, `"text"`; `new()`/`default` = the type's default (undefined here). */
function literal(text: string): unknown {
  if (text === "true") return true;
  if (text === "false") return false;
  if (text === "null") return null;
  if (text.startsWith('"')) return JSON.parse(text);
  if (/^-?\d/.test(text)) return Number(text);
  return undefined;
}

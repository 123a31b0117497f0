/** Types in source: keywords, names, arrays, nullable types, tuples. */
import type { Cursor } from "./parser-cursor.ts";
import { isQueryWord, startsOperand } from "./parser-lookahead.ts";
import { PREDEFINED_TYPES } from "./tokens.ts";
import type {
  NamedTypeNode,
  PredefinedTypeName,
  PredefinedTypeNode,
  TupleTypeElement,
  TypeNamePart,
  TypeNode,
} from "./tree.ts";

/** A whole type with all its suffixes. Reports and returns `missingType` when there is none. */
export function parseType(p: Cursor): TypeNode {
  return parseSuffixes(p, parseCoreType(p), false);
}

/**
 * The type after `is`, `as` or in a pattern. A `?` there makes the type nullable only when no operand follows:
 * `x as int? ?? 5`, but `x is int ? a : b`.
 */
export function parsePatternType(p: Cursor): TypeNode {
  return parseSuffixes(p, parseCoreType(p), true);
}

/** `T` of `new T`: without array suffixes, which the creation reads itself. */
export function parseCreatedType(p: Cursor): TypeNode {
  const core = parseCoreType(p);
  if (!p.is("?") || p.peek(1).kind !== "[") return core;
  p.next();
  return { kind: "nullableType", element: core, start: core.start, end: p.lastEnd };
}

export function parsePredefinedType(p: Cursor): PredefinedTypeNode {
  const { kind, start, end } = p.next();
  return { kind: "predefinedType", name: kind as PredefinedTypeName, start, end };
}

function parseCoreType(p: Cursor): TypeNode {
  p.enter();
  const type = parseCoreTypeInside(p);
  p.leave();
  return type;
}

function parseCoreTypeInside(p: Cursor): TypeNode {
  const { kind, start } = p.token;
  if (PREDEFINED_TYPES.has(kind)) return parsePredefinedType(p);
  if (kind === "(") return parseTupleType(p);
  if (kind === "identifier" && !isQueryWord(p, p.token)) return parseNamedType(p);
  if (kind === "void") {
    p.error("expectedInstead", p.token, ["a type", '"void"']);
    return parsePredefinedType(p);
  }
  p.errorAt("expectedType", p.lastEnd, Math.max(p.lastEnd, start));
  return { kind: "missingType", start, end: start };
}

export function parseNamedType(p: Cursor): NamedTypeNode {
  const { start } = p.token;
  if (p.peek(1).kind === "::") {
    if (!p.isWord("global")) p.outOfScope("a namespace alias");
    p.next();
    p.next();
  }
  const parts: TypeNamePart[] = [];
  do {
    if (!p.is("identifier")) {
      p.error("expectedName", { start: p.lastEnd, end: p.lastEnd });
      break;
    }
    const name = p.next();
    if (parts.length === 0 && name.text === "dynamic" && !name.escaped && !p.is("."))
      p.outOfScope("dynamic", name);
    const typeArguments = p.is("<") ? parseTypeArguments(p) : null;
    parts.push({ name: name.text, typeArguments, start: name.start, end: p.lastEnd });
  } while (p.take("."));
  return { kind: "namedType", parts, start, end: p.lastEnd };
}

/** `<A, B>`. The current token is `<`. */
export function parseTypeArguments(p: Cursor): TypeNode[] {
  p.next();
  const types: TypeNode[] = [];
  do types.push(parseType(p));
  while (p.take(","));
  p.expect(">");
  return types;
}

function parseTupleType(p: Cursor): TypeNode {
  const { start } = p.token;
  const opener = p.index;
  p.next();
  const elements: TupleTypeElement[] = [];
  do {
    const type = parseType(p);
    const name = p.is("identifier") ? p.next().text : null;
    elements.push({ type, name, start: type.start, end: p.lastEnd });
  } while (p.take(","));
  if (elements.length < 2) p.missing('","');
  p.close(opener, ")");
  return { kind: "tupleType", elements, start, end: p.lastEnd };
}

/** C# reads `int[][,]` outside in: ranks collect from the left and wrap from the right. */
function parseSuffixes(p: Cursor, core: TypeNode, inPattern: boolean): TypeNode {
  let type = core;
  const ranks: { rank: number; end: number }[] = [];
  const wrap = (): void => {
    for (const { rank } of ranks.toReversed())
      type = { kind: "arrayType", element: type, rank, start: core.start, end: p.lastEnd };
    ranks.length = 0;
  };
  for (;;) {
    if (p.is("[") && (p.peek(1).kind === "]" || p.peek(1).kind === ",")) {
      ranks.push(parseRank(p));
    } else if (p.is("?") && !(inPattern && startsOperand(p, p.peek(1)))) {
      wrap();
      p.next();
      type = { kind: "nullableType", element: type, start: core.start, end: p.lastEnd };
    } else {
      if (p.is("*") && !inPattern && (p.peek(1).kind === "identifier" || p.peek(1).kind === ")")) {
        p.outOfScope("a pointer type");
        p.next();
      }
      wrap();
      return type;
    }
  }
}

function parseRank(p: Cursor): { rank: number; end: number } {
  const opener = p.index;
  p.next();
  let rank = 1;
  while (p.take(",")) rank++;
  p.close(opener, "]");
  return { rank, end: p.lastEnd };
}

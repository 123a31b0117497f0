/** Prints syntax trees as compact s-expressions, for tests and for looking at what the parser understood. */
import type {
  Argument,
  Designation,
  Expression,
  Initializer,
  Pattern,
  QueryBody,
  Statement,
  TypeNode,
} from "./tree.ts";

export function textOfTree(node: Expression | Statement): string {
  return isStatement(node) ? statementText(node) : expressionText(node);
}

function list(...parts: (string | null)[]): string {
  return `(${parts.filter((part) => part !== null && part !== "").join(" ")})`;
}

function each<T>(items: readonly T[], text: (item: T) => string): string {
  return items.map(text).join(" ");
}

function optional<T>(item: T | null, text: (item: T) => string): string {
  return item === null ? "-" : text(item);
}

export function typeText(type: TypeNode): string {
  switch (type.kind) {
    case "predefinedType":
      return type.name;
    case "namedType":
      return type.parts.map((part) => part.name + typeArgumentsText(part.typeArguments)).join(".");
    case "arrayType":
      return arrayText(type);
    case "nullableType":
      return `${typeText(type.element)}?`;
    case "tupleType":
      return `(${type.elements.map((e) => typeText(e.type) + (e.name === null ? "" : ` ${e.name}`)).join(", ")})`;
    case "varType":
      return "var";
    case "missingType":
      return "<missing>";
  }
}

/** Written as C# does: outer rank first. */
function arrayText(type: TypeNode): string {
  let ranks = "";
  let at = type;
  for (; at.kind === "arrayType"; at = at.element) ranks += `[${",".repeat(at.rank - 1)}]`;
  return typeText(at) + ranks;
}

function typeArgumentsText(types: readonly TypeNode[] | null): string {
  return types === null ? "" : `<${types.map(typeText).join(",")}>`;
}

function argumentText(argument: Argument): string {
  const name = argument.name === null ? "" : `${argument.name}:`;
  const mode = argument.mode === "value" ? "" : `${argument.mode} `;
  return name + mode + expressionText(argument.expression);
}

function expressionText(e: Expression): string {
  switch (e.kind) {
    case "literal":
      return literalText(e.literal);
    case "interpolated":
      return list(
        "$",
        each(e.parts, (p) => (p.kind === "text" ? JSON.stringify(p.value) : holeText(p))),
      );
    case "name":
      return e.name + typeArgumentsText(e.typeArguments);
    case "typeExpression":
      return e.type.name;
    case "paren":
      return list("paren", expressionText(e.expression));
    case "tuple":
      return list(
        "tuple",
        each(e.elements, (x) => (x.name === null ? "" : `${x.name}:`) + expressionText(x.expression)),
      );
    case "member":
      return list(".", expressionText(e.target), e.name + typeArgumentsText(e.typeArguments));
    case "element":
      return list("[]", expressionText(e.target), each(e.arguments, argumentText));
    case "call":
      return list("call", expressionText(e.callee), each(e.arguments, argumentText));
    case "conditionalAccess":
      return list("?", expressionText(e.target), expressionText(e.access));
    case "receiver":
      return "_";
    case "new":
      return list(
        "new",
        e.type === null ? "-" : typeText(e.type),
        e.arguments === null ? null : list(each(e.arguments, argumentText)),
        e.initializer === null ? null : initializerText(e.initializer),
      );
    case "newArray":
      return list(
        "array",
        typeText(e.elementType),
        e.rank > 1 ? `rank${e.rank}` : null,
        each(e.sizes, expressionText),
        e.initializer === null ? null : expressionText(e.initializer),
      );
    case "newImplicitArray":
      return list("array", "-", e.rank > 1 ? `rank${e.rank}` : null, expressionText(e.initializer));
    case "arrayInitializer":
      return `{${each(e.elements, expressionText)}}`;
    case "anonymousObject":
      return list(
        "anonymous",
        each(e.members, (m) => `${m.name}=${expressionText(m.expression)}`),
      );
    case "typeof":
      return list("typeof", typeText(e.type));
    case "default":
      return e.type === null ? "default" : list("default", typeText(e.type));
    case "nameof":
      return list("nameof", expressionText(e.argument));
    case "checked":
      return list(e.checked ? "checked" : "unchecked", expressionText(e.expression));
    case "unary":
      return list(e.operator, expressionText(e.operand));
    case "postfix":
      return list(`post${e.operator}`, expressionText(e.operand));
    case "cast":
      return list("cast", typeText(e.type), expressionText(e.expression));
    case "binary":
      return list(e.operator, expressionText(e.left), expressionText(e.right));
    case "is":
      return list("is", expressionText(e.expression), patternText(e.pattern));
    case "as":
      return list("as", expressionText(e.expression), typeText(e.type));
    case "conditional":
      return list("?:", expressionText(e.condition), expressionText(e.whenTrue), expressionText(e.whenFalse));
    case "assignment":
      return list(e.operator, expressionText(e.target), expressionText(e.value));
    case "throw":
      return list("throw", expressionText(e.expression));
    case "lambda":
      return list(
        "=>",
        list(each(e.parameters, (p) => (p.type === null ? p.name : `${typeText(p.type)}:${p.name}`))),
        textOfTree(e.body),
      );
    case "query":
      return list("query", clauseText(e.from), bodyText(e.body));
    case "switchExpression":
      return list(
        "switch",
        expressionText(e.subject),
        each(e.arms, (a) =>
          list(
            patternText(a.pattern),
            a.guard === null ? null : `when ${expressionText(a.guard)}`,
            expressionText(a.value),
          ),
        ),
      );
    case "range":
      return list("..", optional(e.from, expressionText), optional(e.to, expressionText));
    case "fromEnd":
      return list("^end", expressionText(e.operand));
    case "declaration":
      return list("declare", typeText(e.type), designationText(e.designation));
    case "missing":
      return "<missing>";
  }
}

function literalText(literal: { type: string; value: unknown }): string {
  switch (literal.type) {
    case "string":
      return JSON.stringify(literal.value);
    case "char":
      return `'${JSON.stringify(String.fromCharCode(literal.value as number)).slice(1, -1)}'`;
    case "int":
    case "bool":
    case "null":
      return String(literal.value);
    default:
      return `${String(literal.value)}:${literal.type}`;
  }
}

function holeText(hole: {
  expression: Expression;
  alignment: Expression | null;
  format: string | null;
}): string {
  const alignment = hole.alignment === null ? "" : `,${expressionText(hole.alignment)}`;
  const format = hole.format === null ? "" : `:${JSON.stringify(hole.format)}`;
  return `{${expressionText(hole.expression)}${alignment}${format}}`;
}

function initializerText(initializer: Initializer): string {
  if (initializer.kind === "collectionInitializer") {
    return `{${each(initializer.elements, (x) => list("add", each(x.arguments, expressionText)))}}`;
  }
  const value = (v: Expression | Initializer): string =>
    v.kind === "objectInitializer" || v.kind === "collectionInitializer"
      ? initializerText(v)
      : expressionText(v);
  return `{${each(initializer.members, (m) =>
    m.kind === "memberInitializer"
      ? `${m.name}=${value(m.value)}`
      : `[${each(m.arguments, argumentText)}]=${value(m.value)}`,
  )}}`;
}

function clauseText(clause: QueryBody["clauses"][number]): string {
  switch (clause.kind) {
    case "from":
      return list(
        "from",
        clause.type === null ? null : typeText(clause.type),
        clause.name,
        expressionText(clause.source),
      );
    case "let":
      return list("let", clause.name, expressionText(clause.value));
    case "where":
      return list("where", expressionText(clause.condition));
    case "join":
      return list(
        "join",
        clause.name,
        expressionText(clause.source),
        expressionText(clause.outerKey),
        expressionText(clause.innerKey),
        clause.into === null ? null : `into ${clause.into}`,
      );
    case "orderBy":
      return list(
        "orderby",
        each(clause.orderings, (o) => (o.descending ? "desc " : "") + expressionText(o.expression)),
      );
  }
}

function bodyText(body: QueryBody): string {
  const final =
    body.final.kind === "select"
      ? list("select", expressionText(body.final.expression))
      : list("group", expressionText(body.final.element), expressionText(body.final.key));
  const next =
    body.continuation === null
      ? null
      : list("into", body.continuation.name, bodyText(body.continuation.body));
  return [each(body.clauses, clauseText), final, next]
    .filter((part) => part !== null && part !== "")
    .join(" ");
}

function patternText(pattern: Pattern): string {
  switch (pattern.kind) {
    case "typePattern":
      return list("type", typeText(pattern.type));
    case "typeOrConstantPattern":
      return list("type?", typeText(pattern.type));
    case "constantPattern":
      return expressionText(pattern.expression);
    case "declarationPattern":
      return list("declare", typeText(pattern.type), designationText(pattern.designation));
    case "varPattern":
      return list("var", designationText(pattern.designation));
    case "discardPattern":
      return "_";
    case "relationalPattern":
      return list(pattern.operator, expressionText(pattern.expression));
    case "notPattern":
      return list("not", patternText(pattern.pattern));
    case "binaryPattern":
      return list(pattern.operator, patternText(pattern.left), patternText(pattern.right));
    case "recursivePattern": {
      const part = (s: { path: readonly string[]; pattern: Pattern }): string =>
        (s.path.length === 0 ? "" : `${s.path.join(".")}:`) + patternText(s.pattern);
      return list(
        "match",
        optional(pattern.type, typeText),
        pattern.positions === null ? null : list(each(pattern.positions, part)),
        pattern.properties === null ? null : `{${each(pattern.properties, part)}}`,
        pattern.designation === null ? null : designationText(pattern.designation),
      );
    }
  }
}

function designationText(designation: Designation): string {
  switch (designation.kind) {
    case "singleDesignation":
      return designation.name;
    case "discardDesignation":
      return "_";
    case "tupleDesignation":
      return list(each(designation.elements, designationText));
  }
}

const STATEMENT_KINDS = new Set(
  (
    "block localDeclaration localFunction expressionStatement if for foreach while do switch try using return " +
    "throwStatement break continue goto gotoCase checkedStatement labeled empty"
  ).split(" "),
);

function isStatement(node: Expression | Statement): node is Statement {
  return STATEMENT_KINDS.has(node.kind);
}

function statementText(s: Statement): string {
  switch (s.kind) {
    case "block":
      return `{${each(s.statements, statementText)}}`;
    case "localDeclaration":
      return list(
        s.modifier ?? "local",
        typeText(s.type),
        each(s.declarators, (d) =>
          d.initializer === null ? d.name : `${d.name}=${expressionText(d.initializer)}`,
        ),
      );
    case "localFunction":
      return list(
        s.isStatic ? "static" : null,
        "function",
        typeText(s.returnType),
        s.name,
        list(
          each(
            s.parameters,
            (p) =>
              `${p.modifier === null ? "" : `${p.modifier} `}${typeText(p.type)}:${p.name}${p.defaultValue === null ? "" : `=${expressionText(p.defaultValue)}`}`,
          ),
        ),
        textOfTree(s.body),
      );
    case "expressionStatement":
      return expressionText(s.expression);
    case "if":
      return list(
        "if",
        expressionText(s.condition),
        statementText(s.then),
        s.else === null ? null : statementText(s.else),
      );
    case "for":
      return list(
        "for",
        s.declaration === null ? list(each(s.initializers, expressionText)) : statementText(s.declaration),
        optional(s.condition, expressionText),
        list(each(s.incrementors, expressionText)),
        statementText(s.body),
      );
    case "foreach":
      return list("foreach", expressionText(s.target), expressionText(s.source), statementText(s.body));
    case "while":
      return list("while", expressionText(s.condition), statementText(s.body));
    case "do":
      return list("do", statementText(s.body), expressionText(s.condition));
    case "switch":
      return list(
        "switch",
        expressionText(s.subject),
        each(s.sections, (x) =>
          list(
            each(x.labels, (l) =>
              l.pattern === null
                ? "default"
                : list("case", patternText(l.pattern), l.guard === null ? null : expressionText(l.guard)),
            ),
            each(x.statements, statementText),
          ),
        ),
      );
    case "try":
      return list(
        "try",
        statementText(s.block),
        each(s.catches, (c) =>
          list(
            "catch",
            c.type === null ? null : typeText(c.type),
            c.name,
            c.filter === null ? null : `when ${expressionText(c.filter)}`,
            statementText(c.block),
          ),
        ),
        s.finally === null ? null : list("finally", statementText(s.finally)),
      );
    case "using":
      return list("using", textOfTree(s.resource), statementText(s.body));
    case "return":
      return list("return", s.expression === null ? null : expressionText(s.expression));
    case "throwStatement":
      return list("throw", s.expression === null ? null : expressionText(s.expression));
    case "break":
    case "continue":
      return list(s.kind);
    case "goto":
      return list("goto", s.label);
    case "gotoCase":
      return list("goto", s.value === null ? "default" : `case ${expressionText(s.value)}`);
    case "checkedStatement":
      return list(s.checked ? "checked" : "unchecked", statementText(s.block));
    case "labeled":
      return list("label", s.label, statementText(s.statement));
    case "empty":
      return ";";
  }
}

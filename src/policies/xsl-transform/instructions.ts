/** What stands in templates → closures. One function per element of XSLT 1.0. */
import { spend } from "../../compiler/runtime/budget.ts";
import { formatNumbers } from "./format.ts";
import { callMistake } from "./functions.ts";
import { type Pattern, patternsOf } from "./pattern.ts";
import { sorter } from "./sort.ts";
import { type Frame, type Instruction, type Scope, TransformFailure, contextOf } from "./transform.ts";
import { type Namespaces, type TreeNode, XML_URI } from "./tree.ts";
import { type Expression, XPathMistake, parseXPath } from "./xpath-parser.ts";
import { type XValue, evaluate, toBoolean, toNodes, toNumber, toText } from "./xpath.ts";

export const XSL_URI = "http://www.w3.org/1999/XSL/Transform";

/** A stylesheet that cannot be used; found when the policy is saved. */
export class StylesheetMistake extends Error {}

export interface Compiling {
  /** Namespace in the stylesheet → that of the result (`namespace-alias`). */
  readonly aliases: Map<string, { readonly uri: string; readonly prefix: string }>;
}

// ── Expressions ───────────────────────────────────────────────────────────────────────────────────────────────────

export function parsed(text: string, at: TreeNode): Expression {
  try {
    const expression = parseXPath(text, (prefix) => at.namespaces.get(prefix) ?? null);
    checkCalls(expression);
    return expression;
  } catch (error) {
    if (error instanceof XPathMistake) throw new StylesheetMistake(error.message);
    throw error;
  }
}

function checkCalls(expression: Expression): void {
  switch (expression.kind) {
    case "call": {
      const mistake = callMistake(expression.name, expression.args.length);
      if (mistake !== null) throw new StylesheetMistake(mistake);
      return expression.args.forEach(checkCalls);
    }
    case "binary":
      checkCalls(expression.left);
      return checkCalls(expression.right);
    case "negate":
      return checkCalls(expression.operand);
    case "filter":
      checkCalls(expression.base);
      return expression.predicates.forEach(checkCalls);
    case "path":
      if (expression.base !== null) checkCalls(expression.base);
      return expression.steps.forEach(({ predicates }) => predicates.forEach(checkCalls));
    default:
  }
}

export function patternOf(text: string, at: TreeNode): Pattern[] {
  const patterns = patternsOf(parsed(text, at));
  if (patterns === null) throw new StylesheetMistake(`\`${text}\` is no pattern`);
  return patterns;
}

type Evaluated<T> = (frame: Frame) => T;

function expression(element: TreeNode, name: string): Evaluated<XValue> {
  const text = element.attribute(name);
  if (text === null) throw new StylesheetMistake(`xsl:${element.local} has no ${name}`);
  const compiled = parsed(text, element);
  return (frame) => evaluate(compiled, contextOf(frame));
}

/** An attribute value template: `a{b}c`. */
function template(text: string, at: TreeNode): Evaluated<string> {
  const parts: (string | Expression)[] = [];
  let rest = text;
  while (rest !== "") {
    const [piece] = /^(?:[^{}]|\{\{|\}\})*/.exec(rest)!;
    if (piece !== "") parts.push(piece.replace(/\{\{|\}\}/g, (pair) => pair[0]!));
    rest = rest.slice(piece.length);
    if (rest === "") break;
    // Braces inside the expression's own texts do not end it.
    const code = /^\{((?:[^'"{}]|"[^"]*"|'[^']*')*)\}/.exec(rest);
    if (code === null) throw new StylesheetMistake(`\`${text}\` has a brace without its other half`);
    parts.push(parsed(code[1]!, at));
    rest = rest.slice(code[0].length);
  }
  if (parts.every((part) => typeof part === "string")) {
    const constant = parts.join("");
    return () => constant;
  }
  return (frame) => {
    const context = contextOf(frame);
    let result = "";
    for (const part of parts) result += typeof part === "string" ? part : toText(evaluate(part, context));
    return result;
  };
}

function templateAttribute(element: TreeNode, name: string): Evaluated<string> | null {
  const text = element.attribute(name);
  return text === null ? null : template(text, element);
}

/** The value of a variable, parameter or `with-param`: what `select` says, else what stands inside. */
export function valueOf(element: TreeNode, compiling: Compiling): Evaluated<XValue> {
  if (element.attribute("select") !== null) return expression(element, "select");
  if (element.children.length === 0) return () => "";
  const body = instructionsOf(element, compiling);
  return (frame) => [frame.run.fragment(body, frame)];
}

// ── Sequences ─────────────────────────────────────────────────────────────────────────────────────────────────────

export function instructionsOf(element: TreeNode, compiling: Compiling): Instruction {
  const list = element.children.map((child) => instruction(child, compiling)).filter((one) => one !== null);
  const declares = element.children.some(
    ({ uri, local }) => uri === XSL_URI && (local === "variable" || local === "param"),
  );
  const [only] = list;
  if (list.length === 1 && !declares) return only!;
  if (!declares) {
    return (frame) => {
      for (const one of list) one(frame);
    };
  }
  return (frame) => {
    // Variables end where the element ends that they stand in.
    const outer: Scope | null = frame.scope;
    for (const one of list) one(frame);
    frame.scope = outer;
  };
}

function instruction(node: TreeNode, compiling: Compiling): Instruction | null {
  if (node.kind === "text") {
    const { value } = node;
    return ({ run }) => run.out.text(value);
  }
  if (node.kind !== "element") return null;
  if (node.uri !== XSL_URI) return literalElement(node, compiling);
  const compile = INSTRUCTIONS.get(node.local);
  if (compile === undefined) {
    if (NOT_HERE.has(node.local)) return null;
    throw new StylesheetMistake(`there is no instruction xsl:${node.local}`);
  }
  return compile(node, compiling);
}

/** Read by the element around them. */
const NOT_HERE = new Set(["sort", "with-param", "fallback", "when", "otherwise"]);

type Compile = (element: TreeNode, compiling: Compiling) => Instruction;

const INSTRUCTIONS: ReadonlyMap<string, Compile> = new Map<string, Compile>([
  ["apply-templates", applyTemplates],
  ["call-template", callTemplate],
  [
    "apply-imports",
    () =>
      ({ run, node, mode }) =>
        run.apply(node.children, mode, new Map()),
  ],
  ["for-each", forEach],
  ["if", ifTest],
  ["choose", choose],
  ["value-of", valueOfInstruction],
  ["text", textInstruction],
  ["variable", variable],
  ["param", parameter],
  ["copy", copy],
  ["copy-of", copyOf],
  ["element", elementInstruction],
  ["attribute", attributeInstruction],
  ["comment", (element, compiling) => textual(element, compiling, ({ run }, text) => run.out.comment(text))],
  ["processing-instruction", processingInstruction],
  ["number", numberInstruction],
  ["message", message],
]);

function applyTemplates(element: TreeNode, compiling: Compiling): Instruction {
  const select = element.attribute("select") === null ? null : expression(element, "select");
  const mode = element.attribute("mode") ?? "";
  const sort = sorter(element, sortKey);
  const parameters = passed(element, compiling);
  return (frame) => {
    const nodes = select === null ? frame.node.children : toNodes(select(frame));
    frame.run.apply(sort === null ? nodes : sort(nodes, frame), mode, parameters(frame));
  };
}

/** For `sort.ts`: a key's expression and its attributes. */
export function sortKey(element: TreeNode): {
  select: Expression;
  order: Evaluated<string> | null;
  type: Evaluated<string> | null;
} {
  return {
    select: parsed(element.attribute("select") ?? ".", element),
    order: templateAttribute(element, "order"),
    type: templateAttribute(element, "data-type"),
  };
}

function passed(element: TreeNode, compiling: Compiling): Evaluated<ReadonlyMap<string, XValue>> {
  const given = xslChildren(element, "with-param").map(
    (child) => [nameOf(child), valueOf(child, compiling)] as const,
  );
  if (given.length === 0) return () => NOTHING_PASSED;
  return (frame) => new Map(given.map(([name, value]) => [name, value(frame)]));
}

const NOTHING_PASSED: ReadonlyMap<string, XValue> = new Map();

function callTemplate(element: TreeNode, compiling: Compiling): Instruction {
  const name = nameOf(element);
  const parameters = passed(element, compiling);
  return (frame) => {
    const called = frame.run.program.named.get(name);
    if (called === undefined) throw new TransformFailure(`there is no template "${name}"`);
    frame.run.call(called, { ...frame, parameters: parameters(frame), scope: null });
  };
}

function forEach(element: TreeNode, compiling: Compiling): Instruction {
  const select = expression(element, "select");
  const sort = sorter(element, sortKey);
  const body = instructionsOf(element, compiling);
  return (frame) => {
    const found = toNodes(select(frame));
    const nodes = sort === null ? found : sort(found, frame);
    const size = nodes.length;
    nodes.forEach((node, i) => {
      spend();
      body({ ...frame, node, position: i + 1, size });
    });
  };
}

function ifTest(element: TreeNode, compiling: Compiling): Instruction {
  const test = expression(element, "test");
  const body = instructionsOf(element, compiling);
  return (frame) => {
    if (toBoolean(test(frame))) body(frame);
  };
}

function choose(element: TreeNode, compiling: Compiling): Instruction {
  const branches = xslChildren(element, "when").map((child) => ({
    test: expression(child, "test"),
    body: instructionsOf(child, compiling),
  }));
  if (branches.length === 0) throw new StylesheetMistake("xsl:choose has no xsl:when");
  const [otherwise] = xslChildren(element, "otherwise").map((child) => instructionsOf(child, compiling));
  return (frame) => {
    const branch = branches.find(({ test }) => toBoolean(test(frame)));
    (branch?.body ?? otherwise)?.(frame);
  };
}

function valueOfInstruction(element: TreeNode): Instruction {
  const select = expression(element, "select");
  const isRaw = element.attribute("disable-output-escaping") === "yes";
  return (frame) => frame.run.out.text(toText(select(frame)), isRaw);
}

function textInstruction(element: TreeNode): Instruction {
  const { text } = element;
  const isRaw = element.attribute("disable-output-escaping") === "yes";
  return ({ run }) => run.out.text(text, isRaw);
}

function variable(element: TreeNode, compiling: Compiling): Instruction {
  const name = nameOf(element);
  const value = valueOf(element, compiling);
  return (frame) => {
    frame.scope = { name, value: value(frame), outer: frame.scope };
  };
}

function parameter(element: TreeNode, compiling: Compiling): Instruction {
  const name = nameOf(element);
  const value = valueOf(element, compiling);
  return (frame) => {
    frame.scope = { name, value: frame.parameters.get(name) ?? value(frame), outer: frame.scope };
  };
}

function copy(element: TreeNode, compiling: Compiling): Instruction {
  const body = instructionsOf(element, compiling);
  const sets = attributeSets(element.attribute("use-attribute-sets"));
  return (frame) => {
    const { node, run } = frame;
    if (node.kind === "root") return body(frame);
    if (node.kind !== "element") return run.out.copy(node);
    run.out.open(node.name, node.uri, node.namespaces);
    sets?.(frame);
    body(frame);
    run.out.close();
  };
}

function copyOf(element: TreeNode): Instruction {
  const select = expression(element, "select");
  return (frame) => {
    const value = select(frame);
    if (Array.isArray(value)) for (const node of value) frame.run.out.copy(node);
    else frame.run.out.text(toText(value));
  };
}

// ── Elements and attributes of the result ─────────────────────────────────────────────────────────────────────────

function literalElement(element: TreeNode, compiling: Compiling): Instruction {
  const { aliases } = compiling;
  const name = aliased(element, aliases);
  const namespaces = resultNamespaces(element, aliases);
  const attributes = element.attributes
    .filter(({ uri }) => uri !== XSL_URI)
    .map((attribute) => ({
      ...aliased(attribute, aliases, true),
      value: template(attribute.value, element),
    }));
  const sets = attributeSets(element.attribute("use-attribute-sets", XSL_URI));
  const body = instructionsOf(element, compiling);
  return (frame) => {
    const { out } = frame.run;
    out.open(name.name, name.uri, namespaces);
    sets?.(frame);
    for (const attribute of attributes) out.attribute(attribute.name, attribute.uri, attribute.value(frame));
    body(frame);
    out.close();
  };
}

function aliased(
  { name, local, uri }: TreeNode,
  aliases: Compiling["aliases"],
  isAttribute = false,
): { name: string; uri: string } {
  const alias = isAttribute && uri === "" ? undefined : aliases.get(uri);
  if (alias === undefined) return { name, uri };
  return { name: alias.prefix === "" ? local : `${alias.prefix}:${local}`, uri: alias.uri };
}

/** In scope in the stylesheet, without those that are only for it (§7.1.1). */
function resultNamespaces(element: TreeNode, aliases: Compiling["aliases"]): Namespaces {
  const excluded = new Set([XSL_URI]);
  for (let at: TreeNode | null = element; at !== null; at = at.parent) {
    const space = at.uri === XSL_URI ? "" : XSL_URI;
    for (const name of ["exclude-result-prefixes", "extension-element-prefixes"]) {
      for (const prefix of (at.attribute(name, space) ?? "").split(/\s+/)) {
        if (prefix !== "") excluded.add(at.namespaces.get(prefix === "#default" ? "" : prefix) ?? "");
      }
    }
  }
  const kept = new Map([["xml", XML_URI]]);
  for (const [prefix, uri] of element.namespaces)
    if (!excluded.has(uri) && !aliases.has(uri)) kept.set(prefix, uri);
  return kept;
}

function elementInstruction(element: TreeNode, compiling: Compiling): Instruction {
  const name = template(nameOf(element), element);
  const namespace = templateAttribute(element, "namespace");
  const body = instructionsOf(element, compiling);
  const sets = attributeSets(element.attribute("use-attribute-sets"));
  return (frame) => {
    const written = checkedName(name(frame));
    const uri = namespace?.(frame) ?? element.namespaces.get(prefixOf(written)) ?? "";
    frame.run.out.open(uri === "" ? written.slice(written.indexOf(":") + 1) : written, uri, ONLY_XML);
    sets?.(frame);
    body(frame);
    frame.run.out.close();
  };
}

const ONLY_XML: Namespaces = new Map([["xml", XML_URI]]);

function attributeInstruction(element: TreeNode, compiling: Compiling): Instruction {
  const name = template(nameOf(element), element);
  const namespace = templateAttribute(element, "namespace");
  return textual(element, compiling, (frame, text) => {
    const written = checkedName(name(frame));
    const prefix = prefixOf(written);
    const uri = namespace?.(frame) ?? (prefix === "" ? "" : (element.namespaces.get(prefix) ?? ""));
    frame.run.out.attribute(written, uri, text);
  });
}

/** Instructions that make one text of what stands inside. */
function textual(
  element: TreeNode,
  compiling: Compiling,
  write: (frame: Frame, text: string) => void,
): Instruction {
  const body = instructionsOf(element, compiling);
  return (frame) => write(frame, frame.run.fragment(body, frame).text);
}

function processingInstruction(element: TreeNode, compiling: Compiling): Instruction {
  const name = template(nameOf(element), element);
  return textual(element, compiling, (frame, text) =>
    frame.run.out.instruction(checkedName(name(frame)), text.trimStart()),
  );
}

function attributeSets(names: string | null): Instruction | null {
  const list = (names ?? "").split(/\s+/).filter((name) => name !== "");
  if (list.length === 0) return null;
  return (frame) => {
    for (const name of list) {
      const sets = frame.run.program.attributeSets.get(name);
      if (sets === undefined) throw new TransformFailure(`there is no attribute set "${name}"`);
      for (const set of sets) set(frame);
    }
  };
}

const NAME = /^(?:[\p{L}_][\p{L}\p{N}_.\-\u00b7]*:)?[\p{L}_][\p{L}\p{N}_.\-\u00b7]*$/u;

function checkedName(name: string): string {
  const trimmed = name.trim();
  if (!NAME.test(trimmed)) throw new TransformFailure(`"${name.slice(0, 100)}" is no name`);
  return trimmed;
}

function prefixOf(name: string): string {
  const at = name.indexOf(":");
  return at < 0 ? "" : name.slice(0, at);
}

// ── Numbers, messages ─────────────────────────────────────────────────────────────────────────────────────────────

function numberInstruction(element: TreeNode): Instruction {
  const value = element.attribute("value") === null ? null : expression(element, "value");
  const format = templateAttribute(element, "format");
  const separator = templateAttribute(element, "grouping-separator");
  const size = templateAttribute(element, "grouping-size");
  const level = element.attribute("level") ?? "single";
  const count = element.attribute("count") === null ? null : patternOf(element.attribute("count")!, element);
  const from = element.attribute("from") === null ? null : patternOf(element.attribute("from")!, element);
  return (frame) => {
    const context = contextOf(frame);
    const { node } = frame;
    const any = (patterns: readonly Pattern[], one: TreeNode): boolean =>
      patterns.some((pattern) => pattern.matches(one, context));
    const counts = (one: TreeNode): boolean =>
      count !== null
        ? any(count, one)
        : one.kind === node.kind && one.local === node.local && one.uri === node.uri;
    const stops = (one: TreeNode): boolean => from !== null && any(from, one);
    const numbers =
      value !== null
        ? [Math.round(toNumber(value(frame)))]
        : level === "any"
          ? anyLevel(node, counts, stops)
          : levels(node, counts, stops, level === "multiple");
    frame.run.out.text(
      formatNumbers(
        numbers,
        format?.(frame) ?? "1",
        separator?.(frame) ?? "",
        Number(size?.(frame) ?? 0) || 0,
      ),
    );
  };
}

type Asks = (node: TreeNode) => boolean;

/** The place of the nearest counted ancestor among its siblings; of all of them for `multiple`. */
function levels(node: TreeNode, counts: Asks, stops: Asks, isMultiple: boolean): number[] {
  const numbers: number[] = [];
  for (let at: TreeNode | null = node; at !== null && !(at !== node && stops(at)); at = at.parent) {
    if (!counts(at)) continue;
    let place = 1;
    for (let i = at.index - 1; i >= 0 && at.parent !== null; i--) {
      spend();
      if (counts(at.parent.children[i]!)) place++;
    }
    numbers.unshift(place);
    if (!isMultiple) break;
  }
  return numbers;
}

/** How many counted nodes stand before it and around it. */
function anyLevel(node: TreeNode, counts: Asks, stops: Asks): number[] {
  let place = 0;
  for (let at: TreeNode | null = node; at !== null; at = previous(at)) {
    spend();
    if (counts(at)) place++;
    if (stops(at)) break;
  }
  return place === 0 ? [] : [place];
}

/** The node before this one in document order. */
function previous(node: TreeNode): TreeNode | null {
  if (node.parent === null || node.kind === "attribute" || node.index === 0) return node.parent;
  let at = node.parent.children[node.index - 1]!;
  while (at.children.length > 0) at = at.children.at(-1)!;
  return at;
}

function message(element: TreeNode, compiling: Compiling): Instruction {
  const ends = element.attribute("terminate") === "yes";
  return textual(element, compiling, (_frame, text) => {
    if (ends) throw new TransformFailure(`the stylesheet ended it: ${text}`);
  });
}

function xslChildren(element: TreeNode, local: string): TreeNode[] {
  return element.children.filter(
    (child) => child.kind === "element" && child.uri === XSL_URI && child.local === local,
  );
}

function nameOf(element: TreeNode): string {
  const name = element.attribute("name");
  if (name === null) throw new StylesheetMistake(`xsl:${element.local} has no name`);
  return name;
}

/** Evaluates XPath 1.0. Every node that is looked at is paid for (`budget.ts`), so that no document can keep us busy. */
import { spend } from "../../compiler/runtime/budget.ts";
import { type TreeNode, inDocumentOrder } from "./tree.ts";
import type { Axis, Expression, NodeTest, Operator, Step } from "./xpath-parser.ts";

/** A node set is in document order. A result tree fragment is the set of its root. */
export type XValue = string | number | boolean | TreeNode[];

export interface XContext {
  readonly node: TreeNode;
  /** From 1. */
  readonly position: number;
  readonly size: number;
  /** XSLT's `current()`. */
  readonly current: TreeNode;
  /** @throws TransformFailure when there is none */
  readonly variable: (name: string) => XValue;
  readonly call: (name: string, args: readonly XValue[], context: XContext) => XValue;
}

export function evaluate(expression: Expression, context: XContext): XValue {
  spend();
  switch (expression.kind) {
    case "literal":
      return expression.value;
    case "variable":
      return context.variable(expression.name);
    case "negate":
      return -toNumber(evaluate(expression.operand, context));
    case "binary":
      return binary(expression.operator, expression.left, expression.right, context);
    case "call":
      if (expression.name === "position") return context.position;
      if (expression.name === "last") return context.size;
      return context.call(
        expression.name,
        expression.args.map((argument) => evaluate(argument, context)),
        context,
      );
    case "filter":
      return filtered(toNodes(evaluate(expression.base, context)), expression.predicates, context);
    case "path":
      return path(expression, context);
  }
}

function path(expression: Expression & { kind: "path" }, context: XContext): TreeNode[] {
  let nodes =
    expression.base !== null
      ? toNodes(evaluate(expression.base, context))
      : [expression.isAbsolute ? context.node.root : context.node];
  const { steps } = expression;
  for (let i = 0; i < steps.length; i++) {
    const step = steps[i]!;
    // `//x` without a predicate is one walk instead of a walk for each descendant.
    const next = steps[i + 1];
    if (isDescendants(step) && next?.axis === "child" && next.predicates.length === 0) {
      nodes = stepFrom(nodes, { ...next, axis: "descendant" }, context);
      i++;
    } else nodes = stepFrom(nodes, step, context);
  }
  return nodes;
}

function isDescendants({ axis, test, predicates }: Step): boolean {
  return axis === "descendant-or-self" && test.kind === "node" && predicates.length === 0;
}

function stepFrom(nodes: readonly TreeNode[], step: Step, context: XContext): TreeNode[] {
  if (nodes.length === 1) return inDocumentOrder(reverse(step.axis, onAxis(nodes[0]!, step, context)));
  const all: TreeNode[] = [];
  for (const node of nodes) for (const found of onAxis(node, step, context)) all.push(found);
  return inDocumentOrder(all);
}

function reverse(axis: Axis, nodes: TreeNode[]): TreeNode[] {
  return isReverse(axis) ? nodes.toReversed() : nodes;
}

function isReverse(axis: Axis): boolean {
  return axis.startsWith("ancestor") || axis.startsWith("preceding") || axis === "parent";
}

/** What a step finds from one node, in the axis's own order. */
function onAxis(node: TreeNode, { axis, test, predicates }: Step, context: XContext): TreeNode[] {
  const found: TreeNode[] = [];
  const principal = axis === "attribute" ? "attribute" : "element";
  walk(node, axis, (candidate) => {
    spend();
    if (passes(candidate, test, principal)) found.push(candidate);
  });
  return predicates.length === 0 ? found : filtered(found, predicates, context);
}

export function passes(node: TreeNode, test: NodeTest, principal: "element" | "attribute"): boolean {
  switch (test.kind) {
    case "node":
      return true;
    case "name":
      return (
        node.kind === principal &&
        (test.local === null || node.local === test.local) &&
        (test.uri === null || node.uri === test.uri)
      );
    case "instruction":
      return node.kind === "instruction" && (test.target === null || node.name === test.target);
    default:
      return node.kind === test.kind;
  }
}

/** Predicates see positions in the order given. */
export function filtered(
  nodes: TreeNode[],
  predicates: readonly Expression[],
  context: XContext,
): TreeNode[] {
  let left = nodes;
  for (const predicate of predicates) {
    const size = left.length;
    if (predicate.kind === "literal" && typeof predicate.value === "number") {
      const only = left[predicate.value - 1];
      left = only === undefined ? [] : [only];
      continue;
    }
    left = left.filter((node, i) => {
      const value = evaluate(predicate, { ...context, node, position: i + 1, size });
      return typeof value === "number" ? value === i + 1 : toBoolean(value);
    });
  }
  return left;
}

type Visit = (node: TreeNode) => void;

function walk(node: TreeNode, axis: Axis, visit: Visit): void {
  switch (axis) {
    case "child":
      return node.children.forEach(visit);
    case "attribute":
      return node.attributes.forEach(visit);
    case "self":
      return visit(node);
    case "parent":
      if (node.parent !== null) visit(node.parent);
      return;
    case "descendant":
      return descend(node, visit);
    case "descendant-or-self":
      visit(node);
      return descend(node, visit);
    case "ancestor-or-self":
    case "ancestor":
      for (let at = axis === "ancestor" ? node.parent : node; at !== null; at = at.parent) visit(at);
      return;
    case "following-sibling":
    case "preceding-sibling":
      return siblings(node, axis === "following-sibling", visit);
    case "following":
      for (let at: TreeNode | null = node; at !== null; at = at.parent) {
        if (at.kind === "attribute") descend(at.parent!, visit);
        else siblings(at, true, (sibling) => void (visit(sibling), descend(sibling, visit)));
      }
      return;
    case "preceding":
      for (let at: TreeNode | null = node; at !== null; at = at.parent)
        siblings(at, false, (sibling) => ascend(sibling, visit));
      return;
    case "namespace":
      return;
  }
}

function siblings(node: TreeNode, isForward: boolean, visit: Visit): void {
  if (node.parent === null || node.kind === "attribute") return;
  const { children } = node.parent;
  if (isForward) for (let i = node.index + 1; i < children.length; i++) visit(children[i]!);
  else for (let i = node.index - 1; i >= 0; i--) visit(children[i]!);
}

function descend(node: TreeNode, visit: Visit): void {
  for (const child of node.children) {
    visit(child);
    descend(child, visit);
  }
}

/** A node and what is in it, last first. */
function ascend(node: TreeNode, visit: Visit): void {
  for (let i = node.children.length - 1; i >= 0; i--) ascend(node.children[i]!, visit);
  visit(node);
}

// ── Operators ─────────────────────────────────────────────────────────────────────────────────────────────────────

function binary(operator: Operator, leftOf: Expression, rightOf: Expression, context: XContext): XValue {
  const left = evaluate(leftOf, context);
  if (operator === "or") return toBoolean(left) || toBoolean(evaluate(rightOf, context));
  if (operator === "and") return toBoolean(left) && toBoolean(evaluate(rightOf, context));
  const right = evaluate(rightOf, context);
  switch (operator) {
    case "|":
      return inDocumentOrder([...toNodes(left), ...toNodes(right)]);
    case "+":
      return toNumber(left) + toNumber(right);
    case "-":
      return toNumber(left) - toNumber(right);
    case "*":
      return toNumber(left) * toNumber(right);
    case "div":
      return toNumber(left) / toNumber(right);
    case "mod":
      return toNumber(left) % toNumber(right);
    default:
      return compare(operator, left, right);
  }
}

/** §3.4: a comparison with a node set asks whether there is a node for which it holds. */
function compare(operator: Operator, left: XValue, right: XValue): boolean {
  if (Array.isArray(left) && typeof right !== "boolean") {
    return left.some((node) => {
      spend();
      const text = node.text;
      return Array.isArray(right)
        ? right.some((other) => (spend(), compareScalars(operator, text, other.text)))
        : compareScalars(operator, text, right);
    });
  }
  if (Array.isArray(right) && typeof left !== "boolean") {
    return right.some(
      (node) => (spend(), compareScalars(operator, left as Exclude<XValue, TreeNode[]>, node.text)),
    );
  }
  return compareScalars(
    operator,
    Array.isArray(left) ? left.length > 0 : left,
    Array.isArray(right) ? right.length > 0 : right,
  );
}

function compareScalars(
  operator: Operator,
  left: string | number | boolean,
  right: string | number | boolean,
): boolean {
  if (operator === "=" || operator === "!=") {
    const same =
      typeof left === "boolean" || typeof right === "boolean"
        ? toBoolean(left) === toBoolean(right)
        : typeof left === "number" || typeof right === "number"
          ? toNumber(left) === toNumber(right)
          : left === right;
    return same === (operator === "=");
  }
  const [a, b] = [toNumber(left), toNumber(right)];
  return operator === "<" ? a < b : operator === "<=" ? a <= b : operator === ">" ? a > b : a >= b;
}

// ── Conversions ───────────────────────────────────────────────────────────────────────────────────────────────────

export class NotNodes extends Error {}

export function toNodes(value: XValue): TreeNode[] {
  if (Array.isArray(value)) return value;
  throw new NotNodes(`a ${typeof value} stands where nodes are needed`);
}

export function toText(value: XValue): string {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return value ? "true" : "false";
  if (typeof value === "number") return numberText(value);
  return value[0]?.text ?? "";
}

function numberText(value: number): string {
  if (Object.is(value, -0)) return "0";
  const text = String(value);
  // XPath has no exponents.
  return text.includes("e") && Number.isFinite(value)
    ? value.toLocaleString("en-US", { useGrouping: false, maximumFractionDigits: 20 })
    : text;
}

const NUMBER = /^[ \t\r\n]*-?(?:\d+(?:\.\d*)?|\.\d+)[ \t\r\n]*$/;

export function toNumber(value: XValue): number {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  const text = toText(value);
  return NUMBER.test(text) ? Number(text) : NaN;
}

export function toBoolean(value: XValue): boolean {
  if (typeof value === "number") return value !== 0 && !Number.isNaN(value);
  if (typeof value === "boolean") return value;
  return value.length > 0;
}

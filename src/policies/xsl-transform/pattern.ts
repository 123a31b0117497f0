/** Patterns (XSLT 1.0 §5.2): whether a node matches, read from right to left. */
import type { TreeNode } from "./tree.ts";
import type { Expression, Step } from "./xpath-parser.ts";
import { type XContext, evaluate, filtered, passes, toNodes } from "./xpath.ts";

export interface Pattern {
  /** §5.5: how exact it is. */
  readonly priority: number;
  readonly matches: (node: TreeNode, context: XContext) => boolean;
}

/** One for each alternative of a union; null when the expression is no pattern. */
export function patternsOf(expression: Expression): Pattern[] | null {
  if (expression.kind === "binary" && expression.operator === "|") {
    const [left, right] = [patternsOf(expression.left), patternsOf(expression.right)];
    return left === null || right === null ? null : [...left, ...right];
  }
  if (isKeyCall(expression))
    return [
      {
        priority: 0.5,
        matches: (node, context) => toNodes(evaluate(expression, { ...context, node })).includes(node),
      },
    ];
  if (expression.kind !== "path") return null;
  const { base } = expression;
  if (base !== null && !isKeyCall(base)) return null;
  const links = linksOf(expression.steps);
  if (links === null) return null;
  if (links.length === 0)
    return expression.isAbsolute ? [{ priority: 0.5, matches: (node) => node.kind === "root" }] : null;
  const start = startOf(expression.isAbsolute, base);
  const isSimple = links.length === 1 && !expression.isAbsolute && base === null;
  return [
    {
      priority: isSimple ? priorityOf(links[0]!.step) : 0.5,
      matches: (node, context) => matches(links, links.length - 1, node, context, start),
    },
  ];
}

function isKeyCall(expression: Expression): boolean {
  return expression.kind === "call" && (expression.name === "key" || expression.name === "id");
}

/** A step, and whether any number of levels may lie before it. */
interface Link {
  readonly step: Step;
  readonly isDeep: boolean;
}

function linksOf(steps: readonly Step[]): Link[] | null {
  const links: Link[] = [];
  let isDeep = false;
  for (const step of steps) {
    if (
      step.axis === "descendant-or-self" &&
      step.test.kind === "node" &&
      step.predicates.length === 0 &&
      !isDeep
    )
      isDeep = true;
    else if (step.axis === "child" || step.axis === "attribute") {
      links.push({ step, isDeep });
      isDeep = false;
    } else return null;
  }
  return isDeep ? null : links;
}

function priorityOf({ test, predicates }: Step): number {
  if (predicates.length > 0) return 0.5;
  if (test.kind === "name") return test.local !== null ? 0 : test.uri !== null ? -0.25 : -0.5;
  return test.kind === "instruction" && test.target !== null ? 0 : -0.5;
}

/** Whether what stands before the first step may be this node. */
type Start = ((node: TreeNode, context: XContext) => boolean) | null;

function startOf(isAbsolute: boolean, base: Expression | null): Start {
  if (isAbsolute) return (node) => node.kind === "root";
  if (base === null) return null;
  return (node, context) => toNodes(evaluate(base, { ...context, node })).includes(node);
}

function matches(
  links: readonly Link[],
  at: number,
  node: TreeNode,
  context: XContext,
  start: Start,
): boolean {
  const { step, isDeep } = links[at]!;
  if (!stepMatches(step, node, context)) return false;
  if (at === 0 && start === null) return true;
  const before = (parent: TreeNode): boolean =>
    at === 0 ? start!(parent, context) : matches(links, at - 1, parent, context, start);
  if (!isDeep) return node.parent !== null && before(node.parent);
  for (let parent = node.parent; parent !== null; parent = parent.parent) if (before(parent)) return true;
  return false;
}

function stepMatches({ axis, test, predicates }: Step, node: TreeNode, context: XContext): boolean {
  const isAttribute = node.kind === "attribute";
  if ((axis === "attribute") !== isAttribute || node.kind === "root") return false;
  const principal = isAttribute ? "attribute" : "element";
  if (!passes(node, test, principal)) return false;
  if (predicates.length === 0) return true;
  const beside = node.parent === null ? [node] : isAttribute ? node.parent.attributes : node.parent.children;
  const candidates = beside.filter((other) => passes(other, test, principal));
  return filtered(candidates, predicates, { ...context, node, current: node }).includes(node);
}

/** Visits every expression of a bound tree, lambdas and local functions included, parents before children. */
import type { BoundExpression, BoundFunction, BoundStatement, BoundTarget } from "./bound.ts";

export type Visit = (node: BoundExpression) => void;

export function walkFunction(fn: BoundFunction, visit: Visit): void {
  if (fn.body.kind === "block") walkStatement(fn.body, visit);
  else walkExpression(fn.body, visit);
}

export function walkStatement(node: BoundStatement, visit: Visit): void {
  const one = (child: BoundExpression | null): void => {
    if (child !== null) walkExpression(child, visit);
  };
  const statements = (list: readonly BoundStatement[]): void => {
    for (const child of list) walkStatement(child, visit);
  };
  switch (node.kind) {
    case "block":
      statements(node.statements);
      for (const { function: fn } of node.functions) walkFunction(fn, visit);
      return;
    case "declare":
      return one(node.initializer);
    case "expressionStatement":
    case "return":
      return one(node.expression);
    case "if":
      one(node.condition);
      return statements(node.else === null ? [node.then] : [node.then, node.else]);
    case "for":
      statements(node.initializers);
      one(node.condition);
      node.incrementors.forEach(one);
      return walkStatement(node.body, visit);
    case "foreach":
      one(node.source);
      one(node.prepare);
      return walkStatement(node.body, visit);
    case "while":
    case "do":
      one(node.condition);
      return walkStatement(node.body, visit);
    case "switch":
      one(node.subject);
      for (const { function: fn } of node.functions) walkFunction(fn, visit);
      for (const section of node.sections) {
        for (const label of section.labels) one(label.test);
        statements(section.statements);
      }
      return;
    case "try":
      walkStatement(node.block, visit);
      for (const clause of node.catches) {
        one(clause.filter);
        walkStatement(clause.block, visit);
      }
      return statements(node.finally === null ? [] : [node.finally]);
    case "using":
      walkStatement(node.resource, visit);
      walkStatement(node.body, visit);
      return one(node.dispose);
    case "throwStatement":
      return one(node.exception);
    case "labeled":
      return walkStatement(node.statement, visit);
    case "break":
    case "continue":
    case "goto":
    case "empty":
  }
}

export function walkExpression(node: BoundExpression, visit: Visit): void {
  visit(node);
  for (const child of childrenOf(node)) walkExpression(child, visit);
  if (node.kind === "lambda") walkFunction(node.function, visit);
}

function childrenOf(node: BoundExpression): readonly BoundExpression[] {
  switch (node.kind) {
    case "constant":
    case "context":
    case "local":
    case "lambda":
    case "error":
      return [];
    case "call":
      return node.receiver === null ? node.arguments : [node.receiver, ...node.arguments];
    case "invoke":
      return [node.target, ...node.arguments];
    case "newArray":
      return node.size === null ? (node.elements ?? []) : [node.size, ...(node.elements ?? [])];
    case "element":
      return [node.array, node.index];
    case "arrayLength":
      return [node.array];
    case "tuple":
      return node.elements;
    case "tupleItem":
      return [node.tuple];
    case "anonymous":
      return node.values;
    case "convert":
    case "unary":
    case "isNull":
    case "isType":
    case "as":
      return [node.operand];
    case "binary":
    case "logical":
      return [node.left, node.right];
    case "liftedOperator":
      return node.right === null ? [node.left] : [node.left, node.right];
    case "concat":
      return node.parts;
    case "interpolation":
      return node.parts.flatMap((part) => (typeof part === "string" ? [] : [part.expression]));
    case "conditional":
      return [node.condition, node.whenTrue, node.whenFalse];
    case "coalesce":
      return node.converted === null ? [node.left, node.right] : [node.left, node.converted, node.right];
    case "conditionalAccess":
      return [node.receiver, node.access];
    case "assign":
      return [...partsOf(node.target), node.value];
    case "update":
      return [...partsOf(node.target), node.value];
    case "out":
      return partsOf(node.target);
    case "sequence":
      return [...node.steps, node.value];
    case "switchExpression":
      return [node.subject, ...node.arms.flatMap((arm) => [arm.test, arm.value])];
    case "throw":
      return [node.exception];
  }
}

function partsOf(target: BoundTarget): readonly BoundExpression[] {
  switch (target.kind) {
    case "member":
      return target.receiver === null ? target.arguments : [target.receiver, ...target.arguments];
    case "element":
      return [target.array, target.index];
    default:
      return [];
  }
}

/** Statements. Local functions are declared before the rest of their block is bound, and their bodies after it. */
import { isAssignable } from "../runtime/cast.ts";
import { VOID, displayName } from "../runtime/type.ts";
import { asValue, convert } from "./binder-convert.ts";
import { converts } from "./binder-converts.ts";
import { bindDeclarations, declareFunction } from "./binder-declarations.ts";
import { bindExpression, bindTo, bindValue } from "./binder-expressions.ts";
import { bindFor, bindForeach } from "./binder-loops.ts";
import { findMembers } from "./binder-members.ts";
import { memberCall } from "./binder-nodes.ts";
import { toCondition } from "./binder-operators.ts";
import { Scope } from "./binder-scope.ts";
import { bindGotoCase, bindSwitch } from "./binder-switch.ts";
import { bindTypeNode } from "./binder-type-names.ts";
import { isError, isVoid, known } from "./binder-types.ts";
import { type Binder, errorNode, sequence } from "./binder.ts";
import type { BoundBlock, BoundCatch, BoundExpression, BoundStatement, LocalSymbol } from "./bound.ts";
import type {
  BlockStatement,
  CatchClause,
  Expression,
  LocalDeclarationStatement,
  ReturnStatement,
  Statement,
  ThrowStatement,
  TryStatement,
  UsingStatement,
} from "./tree.ts";

export function bindBlock(b: Binder, node: BlockStatement, scope: Scope = b.nested()): BoundBlock {
  return b.within(scope, () => {
    const statements = bindStatements(b, node.statements);
    return {
      kind: "block",
      locals: scope.locals,
      functions: scope.functions,
      statements,
      start: node.start,
      end: node.end,
    };
  });
}

/** Statements of one block, in the current scope. */
export function bindStatements(b: Binder, nodes: readonly Statement[]): BoundStatement[] {
  const functions = nodes.flatMap((node) =>
    node.kind === "localFunction" ? [declareFunction(b, node)] : [],
  );
  for (const node of nodes) declareLabels(b, node);
  const statements: BoundStatement[] = [];
  for (const [i, node] of nodes.entries()) {
    if (node.kind === "localFunction") continue;
    if (node.kind === "localDeclaration" && node.modifier === "using") {
      const resource = blockOf(bindDeclarations(b, node), node);
      const dispose = disposal(b, node, resource.statements);
      const rest = bindStatements(
        b,
        nodes.slice(i + 1).filter((later) => later.kind !== "localFunction"),
      );
      const body: BoundBlock = {
        kind: "block",
        locals: [],
        functions: [],
        statements: rest,
        start: node.end,
        end: nodes.at(-1)!.end,
      };
      statements.push({
        kind: "using",
        locals: [],
        resource,
        dispose,
        body,
        start: node.start,
        end: node.end,
      });
      break;
    }
    statements.push(...bindStatement(b, node));
  }
  for (const finish of functions) finish();
  return statements;
}

export const blockOf = (
  statements: readonly BoundStatement[],
  span: { start: number; end: number },
): BoundBlock => ({
  kind: "block",
  locals: [],
  functions: [],
  statements,
  start: span.start,
  end: span.end,
});

function declareLabels(b: Binder, node: Statement): void {
  for (let inner = node; inner.kind === "labeled"; inner = inner.statement) {
    if (b.scope.labels.has(inner.label)) b.report("HG3123", inner, { name: inner.label });
    b.scope.labels.set(inner.label, { name: inner.label });
  }
}

/** One statement; declarations with several variables give several. */
function bindStatement(b: Binder, node: Statement): BoundStatement[] {
  b.step();
  const span = { start: node.start, end: node.end };
  switch (node.kind) {
    case "block":
      return [bindBlock(b, node)];
    case "localDeclaration":
      return bindDeclarations(b, node);
    case "localFunction":
      return [];
    case "expressionStatement":
      return [{ kind: "expressionStatement", expression: bindEffect(b, node.expression), ...span }];
    case "if": {
      const condition = toCondition(b, bindExpression(b, node.condition), node.condition);
      const then = bindEmbedded(b, node.then);
      return [
        {
          kind: "if",
          condition,
          then,
          else: node.else === null ? null : bindEmbedded(b, node.else),
          ...span,
        },
      ];
    }
    case "for":
      return [bindFor(b, node)];
    case "foreach":
      return [bindForeach(b, node)];
    case "while": {
      const scope = b.nested();
      return b.within(scope, () => {
        const condition = toCondition(b, bindExpression(b, node.condition), node.condition);
        return [
          { kind: "while", locals: scope.locals, condition, body: bindLoopBody(b, node.body), ...span },
        ];
      });
    }
    case "do": {
      const scope = b.nested();
      return b.within(scope, () => {
        const body = bindLoopBody(b, node.body);
        const condition = toCondition(b, bindExpression(b, node.condition), node.condition);
        return [{ kind: "do", locals: scope.locals, body, condition, ...span }];
      });
    }
    case "switch":
      return [bindSwitch(b, node)];
    case "try":
      return [bindTry(b, node)];
    case "using":
      return [bindUsing(b, node)];
    case "return":
      return [bindReturn(b, node)];
    case "throwStatement":
      return [bindThrow(b, node)];
    case "break":
      if (!b.surroundings.loop && b.surroundings.switch === null)
        b.report("HG3139", node, { word: "break", orSwitch: " or switch" });
      return [{ kind: "break", ...span }];
    case "continue":
      if (!b.surroundings.loop) b.report("HG3139", node, { word: "continue", orSwitch: "" });
      return [{ kind: "continue", ...span }];
    case "goto": {
      const label = b.scope.findLabel(node.label);
      if (label === null) b.report("HG3142", node, { name: node.label });
      return label === null ? [] : [{ kind: "goto", label, ...span }];
    }
    case "gotoCase":
      return bindGotoCase(b, node.value, span);
    case "checkedStatement": {
      const outer = b.checked;
      b.checked = node.checked;
      const block = bindBlock(b, node.block);
      b.checked = outer;
      return [block];
    }
    case "labeled": {
      const label = b.scope.labels.get(node.label) ?? { name: node.label };
      const inner = bindStatement(b, node.statement);
      const [first, ...rest] = inner;
      return [{ kind: "labeled", label, statement: first ?? { kind: "empty", ...span }, ...span }, ...rest];
    }
    case "empty":
      return [{ kind: "empty", ...span }];
  }
}

/** The body of `if`, `else` …: its own scope even without braces. */
function bindEmbedded(b: Binder, node: Statement): BoundStatement {
  if (node.kind === "block") return bindBlock(b, node);
  const scope = b.nested();
  return b.within(scope, () => {
    declareLabels(b, node);
    const statements = bindStatement(b, node);
    const only = statements[0];
    if (statements.length === 1 && only !== undefined && scope.locals.length === 0) return only;
    return {
      kind: "block",
      locals: scope.locals,
      functions: [],
      statements,
      start: node.start,
      end: node.end,
    };
  });
}

export function bindLoopBody(b: Binder, node: Statement): BoundStatement {
  const outer = b.surroundings;
  b.surroundings = { ...outer, loop: true };
  const body = bindEmbedded(b, node);
  b.surroundings = outer;
  return body;
}

/** An expression whose value is dropped. */
export function bindEffect(b: Binder, node: Expression): BoundExpression {
  const bound = bindExpression(b, node);
  return bound.type === null ? asValue(b, bound) : bound;
}

// ── try, using, return, throw ───────────────────────────────────────────────────────────────────────────────────────

function bindTry(b: Binder, node: TryStatement): BoundStatement {
  const block = bindBlock(b, node.block);
  const catches = node.catches.map((clause) => bindCatch(b, clause));
  const last = node.finally === null ? null : bindBlock(b, node.finally);
  return { kind: "try", block, catches, finally: last, start: node.start, end: node.end };
}

function bindCatch(b: Binder, node: CatchClause): BoundCatch {
  const type = node.type === null ? known.exception() : bindTypeNode(b, node.type);
  if (!isError(type) && !isAssignable(type, known.exception()))
    b.report("HG3153", node.type ?? node, { type: displayName(type) });
  const scope = b.nested();
  const outer = b.surroundings;
  return b.within(scope, () => {
    const name = { start: node.nameStart, end: node.nameStart + (node.name?.length ?? 0) };
    const symbol = node.name === null ? null : b.declare("local", node.name, type, name);
    const filter = node.filter === null ? null : toCondition(b, bindExpression(b, node.filter), node.filter);
    b.surroundings = { ...outer, catch: true };
    const block = bindBlock(b, node.block);
    b.surroundings = outer;
    return { typeName: type.name, locals: scope.locals, symbol, filter, block };
  });
}

function bindUsing(b: Binder, node: UsingStatement): BoundStatement {
  const scope = b.nested();
  return b.within(scope, () => {
    const { resource } = node;
    const span = { start: node.start, end: node.end };
    if (resource.kind === "localDeclaration") {
      const declared = bindDeclarations(b, resource);
      const dispose = disposal(b, resource, declared);
      return {
        kind: "using",
        locals: scope.locals,
        resource: blockOf(declared, resource),
        dispose,
        body: bindEmbedded(b, node.body),
        ...span,
      };
    }
    const value = bindValue(b, resource);
    const symbol = b.temp(value.type, resource);
    const declare: BoundStatement = {
      kind: "declare",
      symbol,
      initializer: value,
      start: resource.start,
      end: resource.end,
    };
    const dispose = isError(value.type) ? null : disposeOf(b, symbol, resource);
    return {
      kind: "using",
      locals: scope.locals,
      resource: declare,
      dispose,
      body: bindEmbedded(b, node.body),
      ...span,
    };
  });
}

/** Disposes what was declared, last first. */
function disposal(
  b: Binder,
  node: LocalDeclarationStatement,
  declared: readonly BoundStatement[],
): BoundExpression | null {
  const calls: BoundExpression[] = [];
  for (const statement of declared) {
    if (statement.kind !== "declare" || isError(statement.symbol.type)) continue;
    const call = disposeOf(b, statement.symbol, node);
    if (call !== null) calls.unshift(call);
  }
  const last = calls.at(-1);
  return last === undefined ? null : sequence(calls.slice(0, -1), last, node);
}

function disposeOf(
  b: Binder,
  symbol: LocalSymbol,
  span: { start: number; end: number },
): BoundExpression | null {
  const { type } = symbol;
  const found = findMembers(type, "Dispose").find(
    ({ member }) => member.kind === "method" && member.parameters.length === 0,
  );
  if (found === undefined) {
    b.report("HG3106", span, { from: displayName(type), to: "IDisposable" }, "leave out `using`");
    return null;
  }
  const temp = b.temp(type, span);
  const access = memberCall(found.member, found.declaring.args, b.read(temp, span), [], VOID, span);
  return {
    kind: "conditionalAccess",
    receiver: b.read(symbol, span),
    temp,
    access,
    type: VOID,
    start: span.start,
    end: span.end,
  };
}

function bindReturn(b: Binder, node: ReturnStatement): BoundStatement {
  const span = { start: node.start, end: node.end };
  if (b.returns !== null) {
    const result = node.expression === null ? null : bindExpression(b, node.expression);
    const statement: { kind: "return"; expression: BoundExpression | null; start: number; end: number } = {
      kind: "return",
      expression: result === null || result.type === null ? null : result,
      ...span,
    };
    b.returns.push({
      result,
      span,
      set: (value) => {
        statement.expression = value;
      },
    });
    return statement;
  }
  const { returnType } = b.function;
  if (node.expression === null) {
    if (!isVoid(returnType) && !isError(returnType)) b.report("HG3122", node);
    return { kind: "return", expression: null, ...span };
  }
  if (isVoid(returnType)) {
    bindExpression(b, node.expression);
    b.report("HG3155", node);
    return { kind: "return", expression: null, ...span };
  }
  return { kind: "return", expression: bindTo(b, node.expression, returnType), ...span };
}

function bindThrow(b: Binder, node: ThrowStatement): BoundStatement {
  const span = { start: node.start, end: node.end };
  if (node.expression === null) {
    if (!b.surroundings.catch) b.report("HG3161", node);
    return { kind: "throwStatement", exception: null, ...span };
  }
  const bound = bindValue(b, node.expression);
  if (!isError(bound.type) && !converts(b, bound, known.exception())) {
    b.report("HG3153", node.expression, { type: displayName(bound.type) }, "write `throw new Exception(…)`");
    return { kind: "throwStatement", exception: errorNode(node), ...span };
  }
  return { kind: "throwStatement", exception: convert(b, bound, known.exception()), ...span };
}

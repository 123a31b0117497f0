/** Statements. Local functions are declared before the rest of their block is bound, and their bodies after it. */
import { isAssignable } from "../runtime/cast.ts";
import { type Type, VOID, bindings, displayName, substitute } from "../runtime/type.ts";
import { type Binder, type SwitchSurroundings, errorNode, sequence } from "./binder.ts";
import { assignment, deconstructInto } from "./binder-assign.ts";
import { asValue, cast, convert, converts, naturalType } from "./binder-convert.ts";
import { fillArray } from "./binder-create.ts";
import { bindExpression, bindTo, bindValue } from "./binder-expressions.ts";
import { findMembers } from "./binder-members.ts";
import { memberCall } from "./binder-nodes.ts";
import { toCondition } from "./binder-operators.ts";
import { testPattern } from "./binder-patterns.ts";
import { Scope, newFunction } from "./binder-scope.ts";
import { bindTypeNode } from "./binder-type-names.ts";
import {
  ERROR_TYPE,
  admitsNull,
  elementTypeOf,
  isAmbiguousSequence,
  isEnum,
  isError,
  isNamed,
  isString,
  isVoid,
  known,
  numericKind,
  ownEnumerator,
  unwrapped,
} from "./binder-types.ts";
import type { Bound, LocalFunction, LocalParameter } from "./binder-untyped.ts";
import type {
  BoundBlock,
  BoundCatch,
  BoundExpression,
  BoundForeach,
  BoundFunction,
  BoundStatement,
  BoundSwitchLabel,
  BoundSwitchSection,
  LabelSymbol,
  LocalSymbol,
} from "./bound.ts";
import { endsReachable, statementsEndReachable } from "./flow.ts";
import type {
  BlockStatement,
  CatchClause,
  Declarator,
  Expression,
  ForeachStatement,
  ForStatement,
  LocalDeclarationStatement,
  LocalFunctionStatement,
  ReturnStatement,
  Statement,
  SwitchLabel,
  SwitchSection,
  SwitchStatement,
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
function bindStatements(b: Binder, nodes: readonly Statement[]): BoundStatement[] {
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

const blockOf = (
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

function bindLoopBody(b: Binder, node: Statement): BoundStatement {
  const outer = b.surroundings;
  b.surroundings = { ...outer, loop: true };
  const body = bindEmbedded(b, node);
  b.surroundings = outer;
  return body;
}

/** An expression whose value is dropped. */
function bindEffect(b: Binder, node: Expression): BoundExpression {
  const bound = bindExpression(b, node);
  return bound.type === null ? asValue(b, bound) : bound;
}

// ── Declarations ────────────────────────────────────────────────────────────────────────────────────────────────────

function bindDeclarations(b: Binder, node: LocalDeclarationStatement): BoundStatement[] {
  const written = node.type.kind === "varType" ? null : bindTypeNode(b, node.type);
  const second = node.declarators[1];
  if (written === null && second !== undefined)
    b.report(
      "HG3148",
      second,
      { feature: "more than one variable with a single `var`" },
      "give it a declaration of its own",
    );
  if (written !== null && isVoid(written))
    b.report("HG3106", node.type, { from: "void", to: "a variable" }, null);
  return node.declarators.flatMap((declarator) =>
    node.modifier === "const"
      ? declareConstant(b, declarator, written)
      : [declareVariable(b, declarator, written)],
  );
}

function declareVariable(b: Binder, node: Declarator, written: Type | null): BoundStatement {
  const name = { start: node.nameStart, end: node.nameEnd };
  let initializer: BoundExpression | null = null;
  let type = written;
  if (node.initializer !== null) {
    initializer = initialValue(b, node.initializer, written);
    type ??= initializer.type;
  }
  const symbol = b.declare("local", node.name, type ?? ERROR_TYPE, name);
  return { kind: "declare", symbol, initializer, start: node.start, end: node.end };
}

/** The value of a declared variable. With `var` (no type) it must have a type of its own. */
function initialValue(b: Binder, node: Expression, type: Type | null): BoundExpression {
  if (node.kind === "arrayInitializer") {
    return type === null
      ? b.fail("HG3128", node, { what: "`{ … }`" }, "write `new[] { … }`")
      : fillArray(b, node, type, node);
  }
  const bound = bindExpression(b, node);
  if (type !== null) return convert(b, bound, type);
  const what = untypedText(b, bound);
  if (what === null) return asValue(b, bound);
  return b.fail("HG3128", node, { what });
}

function untypedText(b: Binder, bound: Bound): string | null {
  const natural = naturalType(b, bound);
  if (natural !== null)
    return natural.kind === "null" ? "null" : isVoid(natural) ? "a call that gives no value" : null;
  switch (bound.kind) {
    case "pendingLambda":
      return "a lambda";
    case "pendingMethods":
    case "pendingLocalFunction":
      return "a method that is not called";
    case "pendingDefault":
      return "`default`";
    case "pendingNew":
      return "`new()`";
    case "throw":
      return "throw";
    default:
      return null;
  }
}

function declareConstant(b: Binder, node: Declarator, written: Type | null): BoundStatement[] {
  const name = { start: node.nameStart, end: node.nameEnd };
  const type = written ?? ERROR_TYPE;
  let value: BoundExpression = errorNode(node);
  if (node.initializer !== null) value = initialValue(b, node.initializer, written);
  if (value.kind !== "constant" && value.kind !== "error") {
    b.report("HG3143", node.initializer ?? node, {}, "leave out `const`");
    value = errorNode(node);
  }
  const known = { ...value, type: isError(value.type) ? type : value.type };
  if (!b.scope.declare(node.name, { kind: "constant", value: known }))
    b.report("HG3123", name, { name: node.name });
  return [];
}

// ── Local functions ─────────────────────────────────────────────────────────────────────────────────────────────────

/** Declares the name; the returned function binds the body. */
function declareFunction(b: Binder, node: LocalFunctionStatement): () => void {
  const name = { start: node.nameStart, end: node.nameEnd };
  if (node.typeParameters.length > 0) b.report("HG3148", name, { feature: "a generic local function" });
  const returnType = bindTypeNode(b, node.returnType);
  const parameters = node.parameters.map((parameter): LocalParameter => {
    const type = bindTypeNode(b, parameter.type);
    const mode =
      parameter.modifier === "params" || parameter.modifier === "out" ? parameter.modifier : "value";
    if (parameter.modifier === "out")
      b.report("HG3148", parameter, { feature: "an `out` parameter of a local function" }, "return a tuple");
    if (parameter.defaultValue === null) return { name: parameter.name, type, mode };
    const value = bindTo(b, parameter.defaultValue, type);
    if (value.kind !== "constant" && value.kind !== "error") b.report("HG3143", parameter.defaultValue);
    return { name: parameter.name, type, mode, optional: { value } };
  });
  const fn = newFunction(b.function, returnType);
  const symbol = functionSymbol(b, node.name, name);
  const local: LocalFunction = { name: node.name, symbol, parameters, returnType };
  if (!b.scope.declare(node.name, { kind: "function", local })) b.report("HG3123", name, { name: node.name });
  b.scope.functions.push({ symbol, function: fn });
  b.scope.locals.push(symbol);
  return () => bindFunctionBody(b, node, local, fn);
}

function functionSymbol(b: Binder, name: string, span: { start: number; end: number }): LocalSymbol {
  const slot = b.function.slotCount++;
  return {
    name,
    type: known.object(),
    kind: "function",
    function: b.function,
    slot,
    isCaptured: false,
    ...span,
  };
}

function bindFunctionBody(
  b: Binder,
  node: LocalFunctionStatement,
  local: LocalFunction,
  fn: BoundFunction & { parameters: LocalSymbol[] },
): void {
  const outer = { returns: b.returns, surroundings: b.surroundings };
  b.returns = null;
  b.surroundings = { loop: false, switch: null, catch: false };
  const scope = new Scope(b.scope, fn);
  b.within(scope, () => {
    node.parameters.forEach((parameter, i) => {
      fn.parameters.push(b.declare("parameter", parameter.name, local.parameters[i]!.type, parameter));
    });
    if (node.body.kind === "block") {
      const body = bindBlock(b, node.body);
      fn.body = body;
      if (!isVoid(local.returnType) && !isError(local.returnType) && endsReachable(body)) {
        b.report("HG3121", { start: node.nameStart, end: node.nameEnd });
      }
    } else {
      const value = isVoid(local.returnType)
        ? bindEffect(b, node.body)
        : bindTo(b, node.body, local.returnType);
      const { start, end } = value;
      fn.body =
        scope.locals.length === 0
          ? value
          : blockWithLocals(
              scope.locals,
              isVoid(local.returnType)
                ? { kind: "expressionStatement", expression: value, start, end }
                : { kind: "return", expression: value, start, end },
            );
    }
  });
  b.returns = outer.returns;
  b.surroundings = outer.surroundings;
}

const blockWithLocals = (locals: readonly LocalSymbol[], statement: BoundStatement): BoundBlock => ({
  ...blockOf([statement], statement),
  locals,
});

// ── Loops ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function bindFor(b: Binder, node: ForStatement): BoundStatement {
  const scope = b.nested();
  return b.within(scope, () => {
    const initializers: BoundStatement[] =
      node.declaration !== null ? bindDeclarations(b, node.declaration) : [];
    for (const effect of node.initializers) {
      initializers.push({
        kind: "expressionStatement",
        expression: bindEffect(b, effect),
        start: effect.start,
        end: effect.end,
      });
    }
    const condition =
      node.condition === null ? null : toCondition(b, bindExpression(b, node.condition), node.condition);
    const incrementors = node.incrementors.map((effect) => bindEffect(b, effect));
    const body = bindLoopBody(b, node.body);
    return {
      kind: "for",
      locals: scope.locals,
      initializers,
      condition,
      incrementors,
      body,
      start: node.start,
      end: node.end,
    };
  });
}

function bindForeach(b: Binder, node: ForeachStatement): BoundStatement {
  const source = bindValue(b, node.source);
  const elementType = isError(source.type) ? ERROR_TYPE : elementTypeOf(source.type);
  if (elementType === null)
    b.report("HG3130", node.source, { type: displayName(source.type) }, foreachHint(source.type));
  const type = elementType ?? ERROR_TYPE;
  const scope = b.nested();
  return b.within(scope, () => {
    const { element, prepare } = loopVariable(b, node, type);
    const body = bindLoopBody(b, node.body);
    const sourceKind = sourceKindOf(source.type);
    return {
      kind: "foreach",
      source: enumerated(source),
      sourceKind,
      element,
      prepare,
      locals: scope.locals,
      body,
      start: node.start,
      end: node.end,
    };
  });
}

/** The class's own enumerator where it is a sequence of several kinds, as JObject is. */
function enumerated(source: BoundExpression): BoundExpression {
  if (source.type.kind !== "named") return source;
  const own = ownEnumerator(source.type);
  if (own === null || !isAmbiguousSequence(source.type)) return source;
  const { member, declaring } = own;
  return memberCall(
    member,
    declaring.args,
    source,
    [],
    substitute(member.returns, bindings(declaring)),
    source,
  );
}

function foreachHint(type: Type): string | null {
  if (isNamed(type, "Newtonsoft.Json.Linq.JToken") || isNamed(type, "System.Object"))
    return "cast it: `(JArray)…`";
  return findMembers(type, "As").length > 0 ? "read it first: `.As<JArray>(preserveContent: true)`" : null;
}

function sourceKindOf(type: Type): BoundForeach["sourceKind"] {
  if (isString(type)) return "string";
  if (type.kind !== "array") return "iterable";
  return isNamed(type.element, "System.Byte") ? "bytes" : "array";
}

function loopVariable(
  b: Binder,
  node: ForeachStatement,
  type: Type,
): { element: LocalSymbol; prepare: BoundExpression | null } {
  const { target } = node;
  if (target.kind === "declaration" && target.designation.kind !== "tupleDesignation") {
    const written = target.type.kind === "varType" ? type : bindTypeNode(b, target.type);
    const { designation } = target;
    const name = designation.kind === "singleDesignation" ? designation.name : "_";
    if (written === type || isError(written) || isError(type))
      return { element: b.declare("loop", name, written, designation), prepare: null };
    const element = b.temp(type, target);
    const value = cast(b, b.read(element, target), written, target);
    const symbol = b.declare("loop", name, written, designation);
    return { element, prepare: assignment(b, { kind: "local", symbol, slot: symbol.slot }, value, target) };
  }
  const element = b.temp(type, target);
  const steps = isError(type) ? [] : deconstructInto(b, target, b.read(element, target), target);
  const last = steps.at(-1);
  return { element, prepare: last === undefined ? null : sequence(steps.slice(0, -1), last, target) };
}

// ── Switch ──────────────────────────────────────────────────────────────────────────────────────────────────────────

function bindSwitch(b: Binder, node: SwitchStatement): BoundStatement {
  const subject = bindValue(b, node.subject);
  const temp = b.temp(subject.type, node.subject);
  const scope = b.nested();
  const labels: LabelSymbol[] = node.sections.map((_, i) => ({ name: `case ${i}` }));
  const defaultAt = node.sections.findIndex((section) =>
    section.labels.some((label) => label.pattern === null),
  );
  const outer = b.surroundings;
  const around: SwitchSurroundings = {
    cases: [],
    default: defaultAt < 0 ? null : labels[defaultAt]!,
    governing: subject.type,
    outer: outer.switch,
  };
  const taken = new Set<unknown>();
  return b.within(scope, () => {
    b.surroundings = { ...outer, switch: around };
    // All labels first: `goto case` may lead forward.
    const scopes = node.sections.map(() => b.nested());
    const bound = node.sections.map((section, i) =>
      b.within(scopes[i]!, () => bindLabels(b, section, temp, taken, around, labels[i]!)),
    );
    const sections = node.sections.map((section, i): BoundSwitchSection => {
      const statements = b.within(scopes[i]!, () => bindStatements(b, section.statements));
      scope.locals.push(...scopes[i]!.locals);
      scope.functions.push(...scopes[i]!.functions);
      const last = section.labels.at(-1);
      if (last !== undefined && statementsEndReachable(statements)) b.report("HG3140", last);
      return { labels: bound[i]!, statements, label: labels[i]! };
    });
    b.surroundings = outer;
    return {
      kind: "switch",
      subject,
      temp,
      locals: scope.locals,
      functions: scope.functions,
      sections,
      defaultSection: defaultAt < 0 ? null : defaultAt,
      start: node.start,
      end: node.end,
    };
  });
}

function bindLabels(
  b: Binder,
  section: SwitchSection,
  temp: LocalSymbol,
  taken: Set<unknown>,
  around: SwitchSurroundings,
  target: LabelSymbol,
): BoundSwitchLabel[] {
  return section.labels.flatMap((label) => {
    if (label.pattern === null) return [];
    const input = b.read(temp, label);
    const constant = constantOfLabel(b, label, temp.type);
    let test = testPattern(b, label.pattern, input);
    if (label.guard !== null) {
      const guard = toCondition(b, bindExpression(b, label.guard), label.guard);
      test = {
        kind: "logical",
        operator: "&&",
        left: test,
        right: guard,
        type: known.bool(),
        start: label.start,
        end: label.end,
      };
    }
    const isConstant =
      constant !== null && label.guard === null && (isTable(temp.type) || constant.value === null);
    if (constant !== null && label.guard === null) {
      if (taken.has(constant.value)) b.report("HG3141", label);
      taken.add(constant.value);
      around.cases.push({ constant: constant.value, label: target });
    }
    return [{ test, isConstant, constant: isConstant ? constant.value : undefined }];
  });
}

/** Types whose constants can be looked up in a table. */
function isTable(type: Type): boolean {
  const inner = unwrapped(type);
  if (isString(type) || isEnum(inner) || isNamed(inner, "System.Boolean")) return true;
  const kind = numericKind(inner);
  return kind !== null && kind !== "decimal" && kind !== "double" && kind !== "float";
}

/** The label's constant in the type of the subject; null for other patterns. */
function constantOfLabel(b: Binder, label: SwitchLabel, type: Type): { readonly value: unknown } | null {
  const { pattern } = label;
  if (pattern === null || (pattern.kind !== "constantPattern" && pattern.kind !== "typeOrConstantPattern"))
    return null;
  const { result } = b.aside(() => bindExpression(b, pattern.expression));
  if (result.kind !== "constant") return null;
  if (result.value === null) return admitsNull(type) ? { value: null } : null;
  const wanted = isTable(type) ? unwrapped(type) : result.type;
  const value = converts(b, result, wanted) ? convert(b, result, wanted) : result;
  return value.kind === "constant" ? { value: value.value } : null;
}

function bindGotoCase(
  b: Binder,
  value: Expression | null,
  span: { start: number; end: number },
): BoundStatement[] {
  const around = b.surroundings.switch;
  if (around === null) {
    b.report("HG3142", span, { name: "case" });
    return [];
  }
  let label = around.default;
  if (value !== null) {
    const constant = bindTo(b, value, unwrapped(around.governing));
    label =
      constant.kind === "constant"
        ? (around.cases.find((c) => c.constant === constant.value)?.label ?? null)
        : null;
  }
  if (label === null) {
    b.report("HG3142", span, { name: value === null ? "default" : "case" });
    return [];
  }
  return [{ kind: "goto", label, ...span }];
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

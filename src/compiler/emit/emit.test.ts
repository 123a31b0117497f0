/** Control flow, variables and budgets, over bound trees made by hand: what only `emit` decides. */
import { beforeEach, expect, test } from "vitest";
import "../runtime/library/index.ts";
import type {
  BoundBlock,
  BoundExpression,
  BoundFunction,
  BoundStatement,
  BoundTarget,
  Code,
  LocalSymbol,
} from "../csharp/bound.ts";
import { configureBudget, DEFAULT_LIMITS } from "../runtime/budget.ts";
import { BudgetError, divideByZero, formatError, NetException } from "../runtime/errors.ts";
import type { HostContext } from "../runtime/host.ts";
import { lookupType } from "../runtime/define.ts";
import { arrayOf, instantiate, VOID } from "../runtime/type.ts";
import { NetArray, typeNamed } from "../runtime/values.ts";
import { emit } from "./emit.ts";

const at = { start: 0, end: 0 };
const INT = typeNamed("System.Int32");
const BOOL = typeNamed("System.Boolean");
const STRING = typeNamed("System.String");
const EXCEPTION = typeNamed("System.Exception");
const FUNC = instantiate(lookupType("System.Func", 1), [INT]);

beforeEach(() => configureBudget(() => 0));

// ── Making trees ────────────────────────────────────────────────────────────────────────────────────────────────────

class Maker {
  readonly bound: BoundFunction;
  constructor(parent: BoundFunction | null = null, parameters = 0) {
    const list: LocalSymbol[] = [];
    this.bound = {
      parent,
      depth: parent === null ? 0 : parent.depth + 1,
      parameters: list,
      returnType: INT,
      slotCount: 0,
      captures: [],
      body: { kind: "block", locals: [], functions: [], statements: [], ...at },
    };
    for (let i = 0; i < parameters; i++) list.push(this.local(`p${i}`));
  }
  local(name: string, isCaptured = false): LocalSymbol {
    return {
      name,
      type: INT,
      kind: "local",
      function: this.bound,
      slot: this.bound.slotCount++,
      isCaptured,
      ...at,
    };
  }
  /** The captured variable of the parent, seen from here. */
  capture(symbol: LocalSymbol): (parts?: object) => BoundExpression {
    const slot = this.bound.slotCount++;
    this.bound.captures.push({ symbol, outerSlot: symbol.slot, slot });
    return () => ({ kind: "local", symbol, slot, type: INT, ...at });
  }
  lambda(body: BoundExpression): BoundExpression {
    this.bound.body = body;
    return { kind: "lambda", function: this.bound, type: FUNC, ...at };
  }
}

const int = (value: number): BoundExpression => ({ kind: "constant", value, type: INT, ...at });
const get = (symbol: LocalSymbol): BoundExpression => ({
  kind: "local",
  symbol,
  slot: symbol.slot,
  type: symbol.type,
  ...at,
});
const target = (symbol: LocalSymbol): BoundTarget & { kind: "local" } => ({
  kind: "local",
  symbol,
  slot: symbol.slot,
});
const set = (symbol: LocalSymbol, value: BoundExpression): BoundStatement =>
  run({ kind: "assign", target: target(symbol), value, declares: false, type: INT, ...at });
const binary = (
  left: BoundExpression,
  operator: any,
  right: BoundExpression,
  type = INT,
): BoundExpression => ({
  kind: "binary",
  operator,
  operandKind: "int",
  left,
  right,
  checked: false,
  lifted: false,
  type,
  ...at,
});
const less = (left: BoundExpression, right: BoundExpression): BoundExpression =>
  binary(left, "<", right, BOOL);
const same = (left: BoundExpression, right: BoundExpression): BoundExpression =>
  binary(left, "==", right, BOOL);
const run = (expression: BoundExpression): BoundStatement => ({
  kind: "expressionStatement",
  expression,
  ...at,
});
const give = (expression: BoundExpression | null): BoundStatement => ({ kind: "return", expression, ...at });
const block = (statements: BoundStatement[], locals: LocalSymbol[] = []): BoundBlock => ({
  kind: "block",
  locals,
  functions: [],
  statements,
  ...at,
});
const when = (
  condition: BoundExpression,
  then: BoundStatement,
  otherwise: BoundStatement | null = null,
): BoundStatement => ({
  kind: "if",
  condition,
  // oxlint-disable-next-line unicorn/no-thenable
  then,
  else: otherwise,
  ...at,
});
const BREAK: BoundStatement = { kind: "break", ...at };
const CONTINUE: BoundStatement = { kind: "continue", ...at };
const call = (code: Code, ...args: BoundExpression[]): BoundExpression => ({
  kind: "call",
  member: { name: "F", declaring: { fullName: "T" } } as never,
  typeArguments: [],
  code,
  receiver: null,
  checkReceiver: false,
  arguments: args,
  order: null,
  type: INT,
  ...at,
});
const invoke = (callee: BoundExpression, ...args: BoundExpression[]): BoundExpression => ({
  kind: "invoke",
  target: callee,
  arguments: args,
  order: null,
  type: INT,
  ...at,
});
const increment = (make: Maker, symbol: LocalSymbol, result: "old" | "new" = "new"): BoundExpression => {
  const old = make.local("<old>");
  return {
    kind: "update",
    target: target(symbol),
    old,
    value: binary(get(old), "+", int(1)),
    result,
    whenNull: false,
    type: INT,
    ...at,
  };
};
const throws = (code: () => NetException): BoundStatement => ({
  kind: "throwStatement",
  exception: { ...call(code), type: EXCEPTION } as BoundExpression,
  ...at,
});

function evaluate(make: Maker, body: BoundBlock | BoundExpression): unknown {
  make.bound.body = body;
  return emit(make.bound)({} as HostContext);
}

/** `for (int i = 0; i < count; i++) body` */
function loop(make: Maker, i: LocalSymbol, count: number, body: BoundStatement): BoundStatement {
  return {
    kind: "for",
    locals: [i],
    initializers: [{ kind: "declare", symbol: i, initializer: int(0), ...at }],
    condition: less(get(i), int(count)),
    incrementors: [increment(make, i)],
    body,
    ...at,
  };
}

// ── Loops and jumps ─────────────────────────────────────────────────────────────────────────────────────────────────

test("for with continue and break", () => {
  const m = new Maker();
  const [i, sum] = [m.local("i"), m.local("sum")];
  const body = block([
    when(same(get(i), int(3)), CONTINUE),
    when(same(get(i), int(6)), BREAK),
    set(sum, binary(get(sum), "+", get(i))),
  ]);
  expect(evaluate(m, block([set(sum, int(0)), loop(m, i, 100, body), give(get(sum))]))).toBe(
    0 + 1 + 2 + 4 + 5,
  );
});

test("return leaves nested loops", () => {
  const m = new Maker();
  const [i, j] = [m.local("i"), m.local("j")];
  const inner = loop(
    m,
    j,
    10,
    when(same(binary(get(i), "*", get(j)), int(42)), give(binary(get(i), "-", get(j)))),
  );
  expect(evaluate(m, block([loop(m, i, 10, inner), give(int(-99))]))).toBe(-1);
});

test("x++ gives the old value, ++x the new one", () => {
  const m = new Maker();
  const x = m.local("x");
  const both = binary(binary(increment(m, x, "old"), "*", int(100)), "+", increment(m, x, "new"));
  expect(evaluate(m, block([set(x, int(5)), give(both)]))).toBe(507);
});

test("while and do", () => {
  const m = new Maker();
  const x = m.local("x");
  const grow = set(x, binary(get(x), "*", int(2)));
  const loops = block([
    set(x, int(1)),
    { kind: "while", locals: [], condition: less(get(x), int(50)), body: grow, ...at },
    { kind: "do", locals: [], body: grow, condition: less(get(x), int(50)), ...at },
    give(get(x)),
  ]);
  expect(evaluate(m, loops)).toBe(128);
});

test("goto goes back, into the enclosing block, and costs steps", () => {
  const m = new Maker();
  const x = m.local("x");
  const again = { name: "again" };
  const jump: BoundStatement = { kind: "goto", label: again, ...at };
  const labeled: BoundStatement = {
    kind: "labeled",
    label: again,
    statement: set(x, binary(get(x), "+", int(1))),
    ...at,
  };
  expect(
    evaluate(m, block([set(x, int(0)), labeled, when(less(get(x), int(10)), block([jump])), give(get(x))])),
  ).toBe(10);
  expect(() => evaluate(m, block([set(x, int(0)), labeled, jump]))).toThrow(BudgetError);
});

test.each([
  [1, 10],
  [2, 20],
  [3, 30],
  [4, 99],
])("switch on %d: table, goto case, default", (value, expected) => {
  const m = new Maker();
  const temp = m.local("<temp>");
  const labels = [{ name: "one" }, { name: "two" }, { name: "three" }, { name: "default" }];
  const label = (constant: number) => ({ test: same(get(temp), int(constant)), isConstant: true, constant });
  const body = block([
    {
      kind: "switch",
      subject: int(value),
      temp,
      locals: [],
      functions: [],
      sections: [
        { labels: [label(1)], statements: [give(int(10))], label: labels[0]! },
        { labels: [label(2)], statements: [give(int(20))], label: labels[1]! },
        { labels: [label(3)], statements: [BREAK], label: labels[2]! },
        { labels: [], statements: [give(int(99))], label: labels[3]! },
      ],
      defaultSection: 3,
      ...at,
    },
    give(int(30)),
  ]);
  expect(evaluate(m, body)).toBe(expected);
});

test.each([
  ["array", new NetArray(INT, [1, 2, 3])],
  ["bytes", Uint8Array.of(1, 2, 3)],
  ["string", "\u0001\u0002\u0003"],
  ["iterable", new Set([1, 2, 3])],
] as const)("foreach over %s", (sourceKind, source) => {
  const m = new Maker();
  const [x, sum] = [m.local("x"), m.local("sum")];
  const each: BoundStatement = {
    kind: "foreach",
    source: { kind: "constant", value: source, type: arrayOf(INT), ...at },
    sourceKind,
    element: x,
    prepare: null,
    locals: [x],
    body: set(sum, binary(binary(get(sum), "*", int(10)), "+", get(x))),
    ...at,
  };
  expect(evaluate(m, block([set(sum, int(0)), each, give(get(sum))]))).toBe(123);
});

// ── Captured variables ──────────────────────────────────────────────────────────────────────────────────────────────

/** Collects `() => variable` in every turn and calls all of them after the loop. */
function closuresOf(m: Maker, variable: LocalSymbol): { add: BoundStatement; digits: () => number } {
  const made: (() => number)[] = [];
  const inner = new Maker(m.bound);
  const lambda = inner.lambda(inner.capture(variable)());
  return {
    add: run(call((f: () => number) => made.push(f), lambda)),
    digits: () => made.reduce((text, f) => text * 10 + f(), 0),
  };
}

test("a variable declared in the body of a loop is new in every turn", () => {
  const m = new Maker();
  const [i, x] = [m.local("i"), m.local("x", true)];
  const { add, digits } = closuresOf(m, x);
  const body = block([{ kind: "declare", symbol: x, initializer: get(i), ...at }, add], [x]);
  evaluate(m, block([loop(m, i, 4, body), give(int(0))]));
  expect(digits()).toBe(123);
});

test("the variable of a for is one for all turns", () => {
  const m = new Maker();
  const i = m.local("i", true);
  const { add, digits } = closuresOf(m, i);
  evaluate(m, block([loop(m, i, 3, add), give(int(0))]));
  expect(digits()).toBe(333);
});

test("the variable of a foreach is new in every turn", () => {
  const m = new Maker();
  const x = m.local("x", true);
  const { add, digits } = closuresOf(m, x);
  const source: BoundExpression = {
    kind: "constant",
    value: new NetArray(INT, [4, 5, 6]),
    type: arrayOf(INT),
    ...at,
  };
  const each: BoundStatement = {
    kind: "foreach",
    source,
    sourceKind: "array",
    element: x,
    prepare: null,
    locals: [x],
    body: add,
    ...at,
  };
  evaluate(m, block([each, give(int(0))]));
  expect(digits()).toBe(456);
});

test("a captured parameter is new in every call, and inner functions see later writes", () => {
  const m = new Maker();
  const outer = new Maker(m.bound, 1);
  const [p] = outer.bound.parameters as [LocalSymbol];
  p.isCaptured = true;
  const inner = new Maker(outer.bound);
  const lambda = inner.lambda(inner.capture(p)());
  const makes = outer.lambda(lambda);
  const f = evaluate(m, makes) as (x: number) => () => number;
  const [one, two] = [f(1), f(2)];
  expect([one(), two()]).toEqual([1, 2]);
});

test("local functions may call each other and themselves", () => {
  const m = new Maker();
  const fact = { ...m.local("fact", true), type: FUNC };
  const body = new Maker(m.bound, 1);
  const self = body.capture(fact);
  const [n] = body.bound.parameters as [LocalSymbol];
  body.bound.body = {
    kind: "conditional",
    condition: less(get(n), int(2)),
    whenTrue: int(1),
    whenFalse: binary(get(n), "*", invoke(self(), binary(get(n), "-", int(1)))),
    type: INT,
    ...at,
  };
  const all: BoundBlock = {
    ...block([give(invoke(get(fact), int(5)))], [fact]),
    functions: [{ symbol: fact, function: body.bound }],
  };
  expect(evaluate(m, all)).toBe(120);
});

// ── Exceptions ──────────────────────────────────────────────────────────────────────────────────────────────────────

const caught = (typeName: string, body: BoundStatement[], filter: BoundExpression | null = null) => ({
  typeName,
  locals: [],
  symbol: null,
  filter,
  block: block(body),
});

test("the first catch whose type and filter fit", () => {
  const m = new Maker();
  const attempt = (code: () => NetException, filter: number): unknown =>
    evaluate(
      m,
      block([
        {
          kind: "try",
          block: block([throws(code)]),
          catches: [
            caught("System.FormatException", [give(int(1))], same(int(filter), int(1))),
            caught("System.ArithmeticException", [give(int(2))]),
            caught("System.Exception", [give(int(3))]),
          ],
          finally: null,
          ...at,
        },
        give(int(4)),
      ]),
    );
  expect(attempt(formatError, 1)).toBe(1);
  expect(attempt(formatError, 0)).toBe(3);
  expect(attempt(divideByZero, 0)).toBe(2);
});

test("finally runs on the way out, however one leaves, and does not change what is returned", () => {
  const m = new Maker();
  const log: number[] = [];
  const note = (n: number): BoundStatement => run(call(() => log.push(n)));
  const leave = (statement: BoundStatement): unknown =>
    evaluate(
      m,
      block([
        { kind: "try", block: block([note(1), statement]), catches: [], finally: block([note(2)]), ...at },
        give(int(7)),
      ]),
    );
  expect(leave(give(int(5)))).toBe(5);
  expect(leave({ kind: "empty", ...at })).toBe(7);
  expect(() => leave(throws(divideByZero))).toThrow("Attempted to divide by zero.");
  expect(log).toEqual([1, 2, 1, 2, 1, 2]);
});

test("throw; throws the caught exception again", () => {
  const m = new Maker();
  const again: BoundStatement = { kind: "throwStatement", exception: null, ...at };
  const body = block([
    {
      kind: "try",
      block: block([throws(divideByZero)]),
      catches: [caught("System.Exception", [again])],
      finally: null,
      ...at,
    },
  ]);
  expect(() => evaluate(m, body)).toThrow(NetException);
});

// ── Budgets ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const forever = (body: BoundStatement): BoundStatement => ({
  kind: "while",
  locals: [],
  condition: { kind: "constant", value: true, type: BOOL, ...at },
  body,
  ...at,
});

test("no catch takes a spent budget, and no finally runs for it", () => {
  const m = new Maker();
  let ran = 0;
  const body = block([
    {
      kind: "try",
      block: block([forever({ kind: "empty", ...at })]),
      catches: [caught("System.Exception", [give(int(1))])],
      finally: block([run(call(() => ran++))]),
      ...at,
    },
    give(int(2)),
  ]);
  expect(() => evaluate(m, body)).toThrow(BudgetError);
  expect(ran).toBe(0);
});

test("time is looked at in loops", () => {
  const m = new Maker();
  let now = 0;
  configureBudget(() => (now += 30), DEFAULT_LIMITS);
  expect(() => evaluate(m, block([forever({ kind: "empty", ...at })]))).toThrow(/longer than 50 ms/);
});

test("endless recursion ends at the depth limit", () => {
  const m = new Maker();
  const f = { ...m.local("f", true), type: FUNC };
  const body = new Maker(m.bound);
  body.bound.body = invoke(body.capture(f)());
  const all: BoundBlock = {
    ...block([give(invoke(get(f)))], [f]),
    functions: [{ symbol: f, function: body.bound }],
  };
  expect(() => evaluate(m, all)).toThrow(/nested deeper than 128/);
});

test("a text may not grow without end", () => {
  const m = new Maker();
  const s = { ...m.local("s"), type: STRING };
  const twice: BoundExpression = { kind: "concat", parts: [get(s), get(s)], type: STRING, ...at };
  const start: BoundExpression = { kind: "constant", value: "0123456789", type: STRING, ...at };
  expect(() => evaluate(m, block([set(s, start), forever(set(s, twice))]))).toThrow(/longer than/);
});

test("a function without a value gives null", () => {
  const m = new Maker();
  expect(evaluate(m, { ...block([]), kind: "block" })).toBe(null);
  expect(VOID.kind).toBe("void");
});

/**
 * Flow over the bound tree: what can be reached, and which variables have a value there (C# §9.4). A state is the set
 * of tracked locals that surely have a value, as a bit mask; `DEAD` (all bits) stands for a place that is never
 * reached, so that joining two ways is `&`.
 */
import { binderDiagnostic } from "./binder-messages.ts";
import type { BinderDiagnostic } from "./binder-untyped.ts";
import type {
  BoundBlock,
  BoundExpression,
  BoundFunction,
  BoundLocal,
  BoundLocalFunction,
  BoundStatement,
  BoundSwitch,
  BoundTarget,
  BoundTry,
  LabelSymbol,
  LocalSymbol,
} from "./bound.ts";

type State = bigint;
const DEAD: State = -1n;

interface Split {
  readonly whenTrue: State;
  readonly whenFalse: State;
}

interface Effects {
  readonly needs: Set<LocalSymbol>;
  assigns: State;
}

interface Jumps {
  break: State;
  continue: State;
}

/** Whether control can come out at the end of the block. Says nothing. */
export function endsReachable(block: BoundBlock): boolean {
  return new Flow(null).statement(block, 0n) !== DEAD;
}

export function statementsEndReachable(statements: readonly BoundStatement[]): boolean {
  return new Flow(null).statements(statements, 0n) !== DEAD;
}

/** Checks a bound function and everything in it: unassigned reads (errors) and unreachable code (warnings). */
export function checkFlow(fn: BoundFunction): BinderDiagnostic[] {
  const found: BinderDiagnostic[] = [];
  new Flow(found).body(fn, 0n);
  return found;
}

class Flow {
  readonly #found: BinderDiagnostic[] | null;
  readonly #bits = new Map<LocalSymbol, bigint>();
  readonly #reported = new Set<LocalSymbol>();
  readonly #functions = new Map<LocalSymbol, BoundFunction>();
  /** What a local function reads from outside and surely assigns there, for the places where it is called. */
  readonly #effects = new Map<BoundFunction, Effects>();
  /** Set while a local function's own body is looked at: collects instead of reporting. */
  #collecting: { readonly fn: BoundFunction; readonly needs: Set<LocalSymbol> } | null = null;
  /** States at the `return`s of the function being looked at, joined. */
  #returned: State = DEAD;
  #jumps: Jumps = { break: DEAD, continue: DEAD };
  #labels = new Map<LabelSymbol, State>();
  #backward = new Set<LabelSymbol>();

  constructor(found: BinderDiagnostic[] | null) {
    this.#found = found;
  }

  #bit(symbol: LocalSymbol): bigint {
    let bit = this.#bits.get(symbol);
    if (bit === undefined) this.#bits.set(symbol, (bit = 1n << BigInt(this.#bits.size)));
    return bit;
  }

  /** A function's body, from the state where it is made. Gives the state in which it ends. */
  body(fn: BoundFunction, state: State): State {
    const outer = {
      jumps: this.#jumps,
      labels: this.#labels,
      backward: this.#backward,
      returned: this.#returned,
    };
    this.#returned = DEAD;
    this.#jumps = { break: DEAD, continue: DEAD };
    this.#labels = new Map();
    this.#backward = new Set();
    const end = fn.body.kind === "block" ? this.statement(fn.body, state) : this.expression(fn.body, state);
    const left = end & this.#returned;
    this.#jumps = outer.jumps;
    this.#labels = outer.labels;
    this.#backward = outer.backward;
    this.#returned = outer.returned;
    return left;
  }

  // ── Statements ────────────────────────────────────────────────────────────────────────────────────────────────────

  statements(list: readonly BoundStatement[], state: State): State {
    let warned = false;
    for (const statement of list) if (statement.kind === "goto") this.#backward.add(statement.label);
    for (const statement of list) {
      if (state === DEAD && statement.kind !== "labeled" && !warned && statement.kind !== "empty") {
        warned = true;
        this.#found?.push(binderDiagnostic("HG3180", statement));
      }
      state = this.statement(statement, state);
    }
    return state;
  }

  statement(node: BoundStatement, state: State): State {
    switch (node.kind) {
      case "block":
        return this.#block(node, state);
      case "declare": {
        if (node.initializer === null) return state === DEAD ? DEAD : state & ~this.#bit(node.symbol);
        return this.#assign(node.symbol, this.expression(node.initializer, state));
      }
      case "expressionStatement":
        return this.expression(node.expression, state);
      case "if": {
        const { whenTrue, whenFalse } = this.condition(node.condition, state);
        const then = this.statement(node.then, whenTrue);
        return then & (node.else === null ? whenFalse : this.statement(node.else, whenFalse));
      }
      case "while": {
        const { whenTrue, whenFalse } = this.condition(node.condition, state);
        const { jumps } = this.#loop(() => this.statement(node.body, whenTrue));
        return whenFalse & jumps.break;
      }
      case "do": {
        const { end, jumps } = this.#loop(() => this.statement(node.body, state));
        return this.condition(node.condition, end & jumps.continue).whenFalse & jumps.break;
      }
      case "for": {
        const start = this.statements(node.initializers, state);
        const { whenTrue, whenFalse } =
          node.condition === null
            ? { whenTrue: start, whenFalse: DEAD }
            : this.condition(node.condition, start);
        const { end, jumps } = this.#loop(() => this.statement(node.body, whenTrue));
        let turn = end & jumps.continue;
        for (const incrementor of node.incrementors) turn = this.expression(incrementor, turn);
        return whenFalse & jumps.break;
      }
      case "foreach": {
        const start = this.expression(node.source, state);
        const first = node.prepare === null ? start : this.expression(node.prepare, start);
        const { jumps } = this.#loop(() => this.statement(node.body, first));
        return start & jumps.break;
      }
      case "switch":
        return this.#switch(node, state);
      case "try":
        return this.#try(node, state);
      case "using": {
        const ready = this.statement(node.resource, state);
        return this.statement(node.body, ready);
      }
      case "return":
        this.#returned &= node.expression === null ? state : this.expression(node.expression, state);
        return DEAD;
      case "throwStatement":
        if (node.exception !== null) this.expression(node.exception, state);
        return DEAD;
      case "break":
        this.#jumps.break &= state;
        return DEAD;
      case "continue":
        this.#jumps.continue &= state;
        return DEAD;
      case "goto": {
        this.#labels.set(node.label, (this.#labels.get(node.label) ?? DEAD) & state);
        return DEAD;
      }
      case "labeled": {
        // A goto further down may lead back here; then everything assigned before the block still holds.
        const seen = this.#labels.get(node.label) ?? DEAD;
        const back = this.#backward.has(node.label) && seen === DEAD && state === DEAD ? 0n : DEAD;
        return this.statement(node.statement, state & seen & back);
      }
      case "empty":
        return state;
    }
  }

  #block(node: BoundBlock, state: State): State {
    collectGotos(node.statements, this.#backward);
    this.#declareFunctions(node.functions);
    const end = this.statements(node.statements, state);
    this.#checkFunctions(node.functions);
    return end;
  }

  #loop(run: () => State): { end: State; jumps: Jumps } {
    const outer = this.#jumps;
    const jumps: Jumps = { break: DEAD, continue: DEAD };
    this.#jumps = jumps;
    const end = run();
    this.#jumps = outer;
    return { end, jumps };
  }

  #switch(node: BoundSwitch, state: State): State {
    this.#declareFunctions(node.functions);
    let rest = this.expression(node.subject, state);
    const entries = node.sections.map((section) => {
      let entry = DEAD;
      for (const label of section.labels) {
        const { whenTrue, whenFalse } = this.condition(label.test, rest);
        entry &= whenTrue;
        rest = whenFalse;
      }
      return entry;
    });
    const outer = this.#jumps;
    const jumps: Jumps = { break: DEAD, continue: outer.continue };
    this.#jumps = jumps;
    for (const section of node.sections) collectGotos(section.statements, this.#backward);
    node.sections.forEach((section, i) => {
      let entry =
        entries[i]! & (node.defaultSection === i ? rest : DEAD) & (this.#labels.get(section.label) ?? DEAD);
      if (entry === DEAD && this.#backward.has(section.label)) entry = state;
      this.statements(section.statements, entry);
    });
    outer.continue = jumps.continue;
    this.#jumps = outer;
    this.#checkFunctions(node.functions);
    return jumps.break & (node.defaultSection === null ? rest : DEAD);
  }

  #try(node: BoundTry, state: State): State {
    let end = this.statement(node.block, state);
    for (const clause of node.catches) {
      let entry = state;
      if (clause.symbol !== null) entry = this.#assign(clause.symbol, entry);
      if (clause.filter !== null) entry = this.condition(clause.filter, entry).whenTrue;
      end &= this.statement(clause.block, entry);
    }
    if (node.finally === null) return end;
    const last = this.statement(node.finally, state);
    return last === DEAD || end === DEAD ? DEAD : end | last;
  }

  // ── Local functions ───────────────────────────────────────────────────────────────────────────────────────────────

  #declareFunctions(functions: readonly BoundLocalFunction[]): void {
    for (const { symbol, function: fn } of functions) this.#functions.set(symbol, fn);
  }

  /** Reports what is wrong inside them; captured variables are checked at the calls. */
  #checkFunctions(functions: readonly BoundLocalFunction[]): void {
    for (const { function: fn } of functions) this.#effectsOf(fn);
  }

  #effectsOf(fn: BoundFunction): Effects {
    const found = this.#effects.get(fn);
    if (found !== undefined) return found;
    const effects: Effects = { needs: new Set(), assigns: 0n };
    this.#effects.set(fn, effects);
    const outer = this.#collecting;
    this.#collecting = { fn, needs: effects.needs };
    const end = this.body(fn, 0n);
    this.#collecting = outer;
    effects.assigns = end === DEAD ? 0n : end;
    return effects;
  }

  // ── Variables ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #assign(symbol: LocalSymbol, state: State): State {
    return state === DEAD || symbol.kind !== "local" ? state : state | this.#bit(symbol);
  }

  #read(node: BoundLocal, state: State): void {
    const { symbol } = node;
    if (symbol.kind === "function") {
      const fn = this.#functions.get(symbol);
      if (fn !== undefined)
        for (const needed of this.#effectsOf(fn).needs) this.#require(needed, state, node);
      return;
    }
    if (symbol.kind === "local") this.#require(symbol, state, node);
  }

  #require(symbol: LocalSymbol, state: State, at: BoundLocal): void {
    if (state === DEAD || (state & this.#bit(symbol)) !== 0n) return;
    if (this.#collecting !== null && isOutside(symbol.function, this.#collecting.fn)) {
      this.#collecting.needs.add(symbol);
      return;
    }
    if (this.#found === null || this.#reported.has(symbol)) return;
    this.#reported.add(symbol);
    this.#found.push(binderDiagnostic("HG3120", at, { name: symbol.name }));
  }

  // ── Expressions ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** A boolean expression: the state when it is true, and when it is false. */
  condition(node: BoundExpression, state: State): Split {
    switch (node.kind) {
      case "constant":
        return node.value === true
          ? { whenTrue: state, whenFalse: DEAD }
          : { whenTrue: DEAD, whenFalse: state };
      case "logical": {
        const left = this.condition(node.left, state);
        if (node.operator === "&&") {
          const right = this.condition(node.right, left.whenTrue);
          return { whenTrue: right.whenTrue, whenFalse: left.whenFalse & right.whenFalse };
        }
        const right = this.condition(node.right, left.whenFalse);
        return { whenTrue: left.whenTrue & right.whenTrue, whenFalse: right.whenFalse };
      }
      case "unary": {
        if (node.operator !== "!" || node.lifted) break;
        const { whenTrue, whenFalse } = this.condition(node.operand, state);
        return { whenTrue: whenFalse, whenFalse: whenTrue };
      }
      case "sequence":
        return this.condition(node.value, this.#all(node.steps, state));
      case "conditional": {
        const split = this.condition(node.condition, state);
        const one = this.condition(node.whenTrue, split.whenTrue);
        const two = this.condition(node.whenFalse, split.whenFalse);
        return { whenTrue: one.whenTrue & two.whenTrue, whenFalse: one.whenFalse & two.whenFalse };
      }
    }
    const after = this.expression(node, state);
    return { whenTrue: after, whenFalse: after };
  }

  #all(nodes: readonly BoundExpression[], state: State): State {
    for (const node of nodes) state = this.expression(node, state);
    return state;
  }

  expression(node: BoundExpression, state: State): State {
    switch (node.kind) {
      case "constant":
      case "context":
      case "error":
        return state;
      case "local":
        this.#read(node, state);
        return state;
      case "call": {
        if (node.receiver !== null) state = this.expression(node.receiver, state);
        return this.#arguments(node.arguments, state);
      }
      case "invoke": {
        const after = this.#arguments(node.arguments, this.expression(node.target, state));
        const fn = node.target.kind === "local" ? this.#functions.get(node.target.symbol) : undefined;
        return fn === undefined || after === DEAD ? after : after | this.#effectsOf(fn).assigns;
      }
      case "newArray":
        if (node.size !== null) state = this.expression(node.size, state);
        return this.#all(node.elements ?? [], state);
      case "element":
        return this.expression(node.index, this.expression(node.array, state));
      case "arrayLength":
        return this.expression(node.array, state);
      case "tuple":
        return this.#all(node.elements, state);
      case "tupleItem":
        return this.expression(node.tuple, state);
      case "anonymous":
        return this.#all(node.values, state);
      case "convert":
      case "isNull":
      case "isType":
      case "as":
        return this.expression(node.operand, state);
      case "unary":
      case "logical":
      case "conditional": {
        if (node.kind === "conditional") {
          const split = this.condition(node.condition, state);
          return (
            this.expression(node.whenTrue, split.whenTrue) & this.expression(node.whenFalse, split.whenFalse)
          );
        }
        if (node.kind === "unary" && (node.operator !== "!" || node.lifted))
          return this.expression(node.operand, state);
        const { whenTrue, whenFalse } = this.condition(node, state);
        return whenTrue & whenFalse;
      }
      case "binary":
        return this.expression(node.right, this.expression(node.left, state));
      case "liftedOperator": {
        const left = this.expression(node.left, state);
        return node.right === null ? left : this.expression(node.right, left);
      }
      case "concat":
        return this.#all(node.parts, state);
      case "interpolation":
        for (const part of node.parts)
          if (typeof part !== "string") state = this.expression(part.expression, state);
        return state;
      case "coalesce": {
        const left = this.expression(node.left, state);
        return left & this.expression(node.right, left);
      }
      case "conditionalAccess": {
        const receiver = this.expression(node.receiver, state);
        return receiver & this.expression(node.access, receiver);
      }
      case "assign":
        return this.#store(node.target, this.expression(node.value, this.#place(node.target, state)));
      case "update": {
        let before = this.#place(node.target, state);
        if (node.target.kind === "local") {
          this.#read({ ...node.target, type: node.type, start: node.start, end: node.end }, before);
        }
        const after = this.#store(node.target, this.expression(node.value, before));
        before = node.whenNull ? before & after : after;
        return before;
      }
      case "out":
        return this.#place(node.target, state);
      case "sequence":
        return this.expression(node.value, this.#all(node.steps, state));
      case "lambda": {
        // Its own `break`s and labels are its own; what it assigns is not known to be assigned outside.
        if (state !== DEAD) this.body(node.function, state);
        return state;
      }
      case "switchExpression": {
        let rest = this.expression(node.subject, state);
        let end = DEAD;
        for (const arm of node.arms) {
          const { whenTrue, whenFalse } = this.condition(arm.test, rest);
          end &= this.expression(arm.value, whenTrue);
          rest = whenFalse;
        }
        return end;
      }
      case "throw":
        this.expression(node.exception, state);
        return DEAD;
    }
  }

  #arguments(args: readonly BoundExpression[], state: State): State {
    state = this.#all(args, state);
    for (const arg of args) if (arg.kind === "out") state = this.#store(arg.target, state);
    return state;
  }

  /** Evaluates what stands in a target. */
  #place(target: BoundTarget, state: State): State {
    if (target.kind === "element") return this.expression(target.index, this.expression(target.array, state));
    if (target.kind !== "member") return state;
    if (target.receiver !== null) state = this.expression(target.receiver, state);
    return this.#all(target.arguments, state);
  }

  #store(target: BoundTarget, state: State): State {
    return target.kind === "local" ? this.#assign(target.symbol, state) : state;
  }
}

/** Labels that some statement of the list, at any depth, jumps to. */
function collectGotos(statements: readonly BoundStatement[], into: Set<LabelSymbol>): void {
  for (const statement of statements) {
    switch (statement.kind) {
      case "goto":
        into.add(statement.label);
        break;
      case "block":
        collectGotos(statement.statements, into);
        break;
      case "if":
        collectGotos(statement.else === null ? [statement.then] : [statement.then, statement.else], into);
        break;
      case "for":
      case "foreach":
      case "while":
      case "do":
      case "using":
        collectGotos([statement.body], into);
        break;
      case "labeled":
        collectGotos([statement.statement], into);
        break;
      case "try":
        collectGotos(
          [
            statement.block,
            ...statement.catches.map((c) => c.block),
            ...(statement.finally === null ? [] : [statement.finally]),
          ],
          into,
        );
        break;
      case "switch":
        for (const section of statement.sections) collectGotos(section.statements, into);
    }
  }
}

/** Whether `owner` encloses `fn`. */
function isOutside(owner: BoundFunction, fn: BoundFunction): boolean {
  for (let outer = fn.parent; outer !== null; outer = outer.parent) if (outer === owner) return true;
  return false;
}

/**
 * The bound tree: what an expression means, with every question of C# answered. The binder makes it, `emit` reads it.
 *
 * Invariants:
 *
 * - Every expression has a closed `type`; `type` decides the representation of its value (`runtime/values.ts`).
 * - Conversions are explicit nodes. Where two neighbours differ in representation there is a `convert` or a `call`
 *   between them; where they do not (`upcast`, `wrap`) the node says so and costs nothing.
 * - Operators are resolved to the kind of their operands, members to one JavaScript function (`code`), already
 *   specialised for its type arguments. Arguments stand in parameter order: defaults filled in, `params` arrays built.
 * - Constants are folded: whatever C# calls a constant expression is a `constant` node.
 * - Much is lowered to a few nodes: patterns become boolean expressions over temporaries, queries become calls,
 *   object initializers and deconstructions become `sequence`s, method groups become lambdas, `?.` is one node.
 * - Deliberately absent: names, overloads, type parameters, `dynamic`, anything that is only sugar.
 *
 * Ranges are offsets in UTF-16 units of the expression's source, as in `tree.ts`.
 */
import type { Member, Type } from "../runtime/type.ts";

/** JavaScript behind a member, over the representation of its signature's types. */
export type Code = (...args: any[]) => unknown;

// ── Functions and variables ─────────────────────────────────────────────────────────────────────────────────────────

/**
 * The body of an expression, a lambda or a local function. Each call has a frame of `slotCount` slots: parameters
 * first (0, 1, …), then locals, temporaries and captured cells in any order.
 */
export interface BoundFunction {
  readonly parent: BoundFunction | null;
  /** 0 for the expression itself. */
  readonly depth: number;
  readonly parameters: readonly LocalSymbol[];
  readonly returnType: Type;
  slotCount: number;
  /** Cells that come from the enclosing function when the closure is made. */
  readonly captures: Capture[];
  /** An expression's value is returned (dropped when `returnType` is void). Set when binding is done. */
  body: BoundExpression | BoundBlock;
}

/** `slot` in this function's frame receives the cell that stands in `outerSlot` of the parent's frame. */
export interface Capture {
  readonly symbol: LocalSymbol;
  readonly outerSlot: number;
  readonly slot: number;
}

/**
 * A local, parameter or temporary. When `isCaptured` its slots hold a cell `{ value }` instead of the value: a fresh
 * cell each time its declaring scope (`locals` of a block, loop, catch …) is entered, and for parameters on each call.
 * Temporaries (names starting with `<`) are declared by no scope and never outlive their expression; a captured one
 * gets its cell when it is first assigned (`declares` of the assignment).
 */
export interface LocalSymbol {
  readonly name: string;
  readonly type: Type;
  readonly kind: "local" | "parameter" | "constant" | "loop" | "function" | "temporary";
  readonly function: BoundFunction;
  /** In the frame of `function`. */
  readonly slot: number;
  isCaptured: boolean;
  readonly start: number;
  readonly end: number;
}

// ── Expressions ─────────────────────────────────────────────────────────────────────────────────────────────────────

export type BoundExpression =
  | BoundConstant
  | BoundContext
  | BoundLocal
  | BoundCall
  | BoundInvoke
  | BoundNewArray
  | BoundElement
  | BoundArrayLength
  | BoundTuple
  | BoundTupleItem
  | BoundAnonymous
  | BoundConvert
  | BoundUnary
  | BoundBinary
  | BoundLogical
  | BoundLiftedOperator
  | BoundConcat
  | BoundInterpolation
  | BoundIsNull
  | BoundIsType
  | BoundAs
  | BoundConditional
  | BoundCoalesce
  | BoundConditionalAccess
  | BoundAssign
  | BoundUpdate
  | BoundOut
  | BoundSequence
  | BoundLambda
  | BoundSwitchExpression
  | BoundThrowExpression
  | BoundError;

interface Node {
  readonly type: Type;
  readonly start: number;
  readonly end: number;
}

/** `value` in the representation of `type`; null for the null literal and for `default` of reference types. */
export interface BoundConstant extends Node {
  readonly kind: "constant";
  readonly value: unknown;
}

/** The `context` parameter of the expression; visible in every function without capture. */
export interface BoundContext extends Node {
  readonly kind: "context";
}

export interface BoundLocal extends Node {
  readonly kind: "local";
  readonly symbol: LocalSymbol;
  /** In the frame of the function this node stands in (its own slot, or that of the capture). */
  readonly slot: number;
}

/**
 * A method, property or indexer read, constructor, user-defined operator or conversion: `code(receiver, ...args)`,
 * without receiver for static ones. Extension methods are static: their first argument is the receiver.
 */
export interface BoundCall extends Node {
  readonly kind: "call";
  readonly member: Member;
  /** Of the declaring type, then of the method; what `code` was specialised for. */
  readonly typeArguments: readonly Type[];
  readonly code: Code;
  readonly receiver: BoundExpression | null;
  /** A null receiver must throw NullReferenceException, after the arguments have been evaluated. */
  readonly checkReceiver: boolean;
  /** `BoundOut` for out parameters. */
  readonly arguments: readonly BoundExpression[];
  /** Indices of `arguments` in evaluation order when named arguments change it; else null. */
  readonly order: readonly number[] | null;
}

/** Calls a delegate or local function value: a JavaScript function. Null throws NullReferenceException. */
export interface BoundInvoke extends Node {
  readonly kind: "invoke";
  readonly target: BoundExpression;
  readonly arguments: readonly BoundExpression[];
  readonly order: readonly number[] | null;
}

/** Of type `array` (byte[] is a `Uint8Array`, others `NetArray`). Either `size` or `elements`. */
export interface BoundNewArray extends Node {
  readonly kind: "newArray";
  readonly elementType: Type;
  /** int or long; negative throws OverflowException. */
  readonly size: BoundExpression | null;
  readonly elements: readonly BoundExpression[] | null;
}

/** `array[index]`, index int or long; IndexOutOfRangeException. */
export interface BoundElement extends Node {
  readonly kind: "element";
  readonly array: BoundExpression;
  readonly index: BoundExpression;
}

export interface BoundArrayLength extends Node {
  readonly kind: "arrayLength";
  readonly array: BoundExpression;
}

/** `(a, b)`: a `TupleValue` of the runtime. */
export interface BoundTuple extends Node {
  readonly kind: "tuple";
  readonly elements: readonly BoundExpression[];
}

/** `tuple.ItemN`, `index` from 0. */
export interface BoundTupleItem extends Node {
  readonly kind: "tupleItem";
  readonly tuple: BoundExpression;
  readonly index: number;
}

/** `new { a = 1 }`: an `AnonymousValue` of the runtime. Members are read through `call`s. */
export interface BoundAnonymous extends Node {
  readonly kind: "anonymous";
  readonly values: readonly BoundExpression[];
}

export type NumericKind =
  | "sbyte"
  | "byte"
  | "short"
  | "ushort"
  | "int"
  | "uint"
  | "long"
  | "ulong"
  | "char"
  | "float"
  | "double"
  | "decimal";

export type Conversion =
  /** Between numbers; `checked` throws OverflowException on loss of range. Float and double to integers truncate. */
  | {
      readonly kind: "numeric";
      readonly from: NumericKind;
      readonly to: NumericKind;
      readonly checked: boolean;
    }
  | { readonly kind: "enumToNumber"; readonly to: NumericKind }
  | { readonly kind: "numberToEnum"; readonly from: NumericKind }
  /** Value type (also nullable) → object or interface: `box(value, operand.type)`. */
  | { readonly kind: "box" }
  /** Boxed → value type. Exact type else InvalidCastException; null: NullReferenceException, or null for `T?`. */
  | { readonly kind: "unbox" }
  /** No work: derived → base, array covariance, null constant → reference. */
  | { readonly kind: "upcast" }
  /** Reference → narrower reference, checked at run time; null passes. */
  | { readonly kind: "downcast" }
  /** No work: `T` → `T?`. */
  | { readonly kind: "wrap" }
  /** `T?` → `T`: null throws InvalidOperationException("Nullable object must have a value."). */
  | { readonly kind: "unwrap" };

export interface BoundConvert extends Node {
  readonly kind: "convert";
  readonly conversion: Conversion;
  readonly operand: BoundExpression;
}

/** What the operands of an operator are; both sides have the same type except in shifts (right: int) and enums. */
export type OperandKind =
  | "int"
  | "uint"
  | "long"
  | "ulong"
  | "float"
  | "double"
  | "decimal"
  | "bool"
  | "string"
  /** `E op E`, `E + int`, `int + E`, `E - int`, `E - E` (int): the other side is an int. */
  | "enum"
  /** Identity of class types; never boxes. */
  | "reference"
  /** `object == object`: identity, boxes are never identical, but two strings compare by value. */
  | "object";

export interface BoundUnary extends Node {
  readonly kind: "unary";
  readonly operator: "-" | "~" | "!";
  readonly operand: BoundExpression;
  readonly operandKind: OperandKind;
  readonly checked: boolean;
  /** Operand is nullable: null gives null. */
  readonly lifted: boolean;
}

export type BoundOperator =
  | "+"
  | "-"
  | "*"
  | "/"
  | "%"
  | "<<"
  | ">>"
  | "<"
  | ">"
  | "<="
  | ">="
  | "=="
  | "!="
  | "&"
  | "|"
  | "^";

/**
 * A built-in operator. When `lifted` both operands are nullable: arithmetic with null gives null, order with null is
 * false, equality compares, and `&`/`|` of `bool?` know three values.
 */
export interface BoundBinary extends Node {
  readonly kind: "binary";
  readonly operator: BoundOperator;
  readonly operandKind: OperandKind;
  readonly left: BoundExpression;
  readonly right: BoundExpression;
  readonly checked: boolean;
  readonly lifted: boolean;
}

/** `&&` and `||` over bool. */
export interface BoundLogical extends Node {
  readonly kind: "logical";
  readonly operator: "&&" | "||";
  readonly left: BoundExpression;
  readonly right: BoundExpression;
}

/** A user-defined operator over nullable structs, as in `DateTime? - DateTime?`. */
export interface BoundLiftedOperator extends Node {
  readonly kind: "liftedOperator";
  readonly member: Member;
  readonly code: Code;
  /** Null operands: `value` gives null, `order` false; `equality`/`inequality` compare the nulls. */
  readonly mode: "value" | "order" | "equality" | "inequality";
  readonly left: BoundExpression;
  /** null for unary operators. */
  readonly right: BoundExpression | null;
}

/** String concatenation, flattened. Each part's text is that of its static type; null gives the empty text. */
export interface BoundConcat extends Node {
  readonly kind: "concat";
  readonly parts: readonly BoundExpression[];
}

/** Interpolation with alignments or formats (others are a `concat`). */
export interface BoundInterpolation extends Node {
  readonly kind: "interpolation";
  readonly parts: readonly (string | InterpolationHole)[];
}

export interface InterpolationHole {
  readonly expression: BoundExpression;
  /** Width, negative for left; 0 for none. */
  readonly alignment: number;
  readonly format: string | null;
}

/** `x == null`, `x is null`, `x.HasValue`; `negated` for `!=`. */
export interface BoundIsNull extends Node {
  readonly kind: "isNull";
  readonly operand: BoundExpression;
  readonly negated: boolean;
}

/** `x is T`. The operand is boxed; null is no T. */
export interface BoundIsType extends Node {
  readonly kind: "isType";
  readonly operand: BoundExpression;
  readonly target: Type;
}

/** `x as T`, to a reference or nullable type (then the value is unboxed). The operand is boxed. */
export interface BoundAs extends Node {
  readonly kind: "as";
  readonly operand: BoundExpression;
}

export interface BoundConditional extends Node {
  readonly kind: "conditional";
  readonly condition: BoundExpression;
  readonly whenTrue: BoundExpression;
  readonly whenFalse: BoundExpression;
}

/**
 * `left ?? right`. When `left` needs a conversion to `type`, `converted` does it, reading `temp`; otherwise both are
 * null and the value of `left` is the result as it is.
 */
export interface BoundCoalesce extends Node {
  readonly kind: "coalesce";
  readonly left: BoundExpression;
  readonly temp: LocalSymbol | null;
  readonly converted: BoundExpression | null;
  readonly right: BoundExpression;
}

/**
 * `receiver?.access`: null when the receiver is, else `access`, which reads the receiver's value from `temp` (of the
 * underlying type for a nullable receiver). Lifted conversions are this node too. With `type` void nothing is returned.
 */
export interface BoundConditionalAccess extends Node {
  readonly kind: "conditionalAccess";
  readonly receiver: BoundExpression;
  readonly temp: LocalSymbol;
  readonly access: BoundExpression;
}

export type BoundTarget = LocalTarget | MemberTarget | ElementTarget | DiscardTarget;

export interface LocalTarget {
  readonly kind: "local";
  readonly symbol: LocalSymbol;
  readonly slot: number;
}

/** A property or indexer with a setter: `code(receiver, ...arguments, value)`. `read` is the getter for updates. */
export interface MemberTarget {
  readonly kind: "member";
  readonly member: Member;
  readonly code: Code;
  readonly read: Code;
  readonly receiver: BoundExpression | null;
  readonly checkReceiver: boolean;
  readonly arguments: readonly BoundExpression[];
}

export interface ElementTarget {
  readonly kind: "element";
  readonly array: BoundExpression;
  readonly index: BoundExpression;
  /** Of one cell. Storing into a covariant array checks the value's type (ArrayTypeMismatchException). */
  readonly elementType: Type;
}

/** `_ = value`, `out _`. */
export interface DiscardTarget {
  readonly kind: "discard";
}

/** The value is that of `value`. `declares` marks the first assignment of a captured temporary. */
export interface BoundAssign extends Node {
  readonly kind: "assign";
  readonly target: BoundTarget;
  readonly value: BoundExpression;
  readonly declares: boolean;
}

/**
 * `x += v`, `x++`, `x ??= v`: the target's receiver and arguments are evaluated once, its value put into `old`, then
 * `value` (which reads `old`) is computed and stored. With `whenNull` only if `old` is null; then the result is the
 * value in the end.
 */
export interface BoundUpdate extends Node {
  readonly kind: "update";
  readonly target: LocalTarget | MemberTarget | ElementTarget;
  readonly old: LocalSymbol;
  readonly value: BoundExpression;
  readonly result: "old" | "new";
  readonly whenNull: boolean;
}

/** An `out` argument: pass an `OutCell`, afterwards store its value. Occurs only in `arguments`. */
export interface BoundOut extends Node {
  readonly kind: "out";
  readonly target: BoundTarget;
}

/** Evaluates `steps` for their effects, then `value`. */
export interface BoundSequence extends Node {
  readonly kind: "sequence";
  readonly steps: readonly BoundExpression[];
  readonly value: BoundExpression;
}

/** A closure over `function.captures`. */
export interface BoundLambda extends Node {
  readonly kind: "lambda";
  readonly function: BoundFunction;
}

/** The first arm whose test holds; none: InvalidOperationException. `subject` goes to `temp` first. */
export interface BoundSwitchExpression extends Node {
  readonly kind: "switchExpression";
  readonly subject: BoundExpression;
  readonly temp: LocalSymbol;
  readonly arms: readonly { readonly test: BoundExpression; readonly value: BoundExpression }[];
}

/** `?? throw e`; of any type. The operand is an exception; null throws NullReferenceException. */
export interface BoundThrowExpression extends Node {
  readonly kind: "throw";
  readonly exception: BoundExpression;
}

/** Binding failed here and a diagnostic says so; never reaches `emit`. */
export interface BoundError extends Node {
  readonly kind: "error";
}

// ── Statements ──────────────────────────────────────────────────────────────────────────────────────────────────────

export type BoundStatement =
  | BoundBlock
  | BoundDeclare
  | BoundExpressionStatement
  | BoundIf
  | BoundFor
  | BoundForeach
  | BoundWhile
  | BoundDo
  | BoundSwitch
  | BoundTry
  | BoundUsing
  | BoundReturn
  | BoundThrow
  | BoundBreak
  | BoundContinue
  | BoundGoto
  | BoundLabeled
  | BoundEmpty;

interface StatementNode {
  readonly start: number;
  readonly end: number;
}

/** On entry: fresh cells for the captured ones among `locals`, then the closures of `functions`. */
export interface BoundBlock extends StatementNode {
  readonly kind: "block";
  readonly locals: readonly LocalSymbol[];
  readonly functions: readonly BoundLocalFunction[];
  readonly statements: readonly BoundStatement[];
}

/** `symbol` (kind "function") holds the closure. */
export interface BoundLocalFunction {
  readonly symbol: LocalSymbol;
  readonly function: BoundFunction;
}

/** `T x = initializer;` Without an initializer nothing happens. */
export interface BoundDeclare extends StatementNode {
  readonly kind: "declare";
  readonly symbol: LocalSymbol;
  readonly initializer: BoundExpression | null;
}

export interface BoundExpressionStatement extends StatementNode {
  readonly kind: "expressionStatement";
  readonly expression: BoundExpression;
}

export interface BoundIf extends StatementNode {
  readonly kind: "if";
  readonly condition: BoundExpression;
  readonly then: BoundStatement;
  readonly else: BoundStatement | null;
}

/** `locals` are made once for the whole loop. */
export interface BoundFor extends StatementNode {
  readonly kind: "for";
  readonly locals: readonly LocalSymbol[];
  readonly initializers: readonly BoundStatement[];
  /** null: true. */
  readonly condition: BoundExpression | null;
  readonly incrementors: readonly BoundExpression[];
  readonly body: BoundStatement;
}

/**
 * `source` is an array (`array`), a `Uint8Array` (`bytes`), a string of code units (`string`) or anything with
 * `[Symbol.iterator]` (`iterable`). Each element goes to `element` (in its own representation), then `prepare` runs
 * (conversion into the loop variable, deconstruction), then the body; `locals` are fresh in every turn.
 */
export interface BoundForeach extends StatementNode {
  readonly kind: "foreach";
  readonly source: BoundExpression;
  readonly sourceKind: "array" | "bytes" | "string" | "iterable";
  readonly element: LocalSymbol;
  readonly prepare: BoundExpression | null;
  readonly locals: readonly LocalSymbol[];
  readonly body: BoundStatement;
}

export interface BoundWhile extends StatementNode {
  readonly kind: "while";
  readonly locals: readonly LocalSymbol[];
  readonly condition: BoundExpression;
  readonly body: BoundStatement;
}

export interface BoundDo extends StatementNode {
  readonly kind: "do";
  readonly locals: readonly LocalSymbol[];
  readonly body: BoundStatement;
  readonly condition: BoundExpression;
}

/** `subject` goes to `temp`; the first label whose test holds, in order, picks the section; else `defaultSection`. */
export interface BoundSwitch extends StatementNode {
  readonly kind: "switch";
  readonly subject: BoundExpression;
  readonly temp: LocalSymbol;
  /** Of all sections. */
  readonly locals: readonly LocalSymbol[];
  readonly functions: readonly BoundLocalFunction[];
  readonly sections: readonly BoundSwitchSection[];
  /** Index in `sections`, or null. */
  readonly defaultSection: number | null;
}

export interface BoundSwitchSection {
  readonly labels: readonly BoundSwitchLabel[];
  /** Never falls through. `break` leaves the switch. */
  readonly statements: readonly BoundStatement[];
  /** Target of `goto case`. */
  readonly label: LabelSymbol;
}

/** With `isConstant` the test is `temp == constant` without guard: a table will do. Not for `default`. */
export interface BoundSwitchLabel {
  readonly test: BoundExpression;
  readonly isConstant: boolean;
  /** string, number, bigint, boolean, null or EnumValue, when `isConstant`. */
  readonly constant: unknown;
}

export interface BoundTry extends StatementNode {
  readonly kind: "try";
  readonly block: BoundBlock;
  readonly catches: readonly BoundCatch[];
  readonly finally: BoundBlock | null;
}

export interface BoundCatch {
  /** Full .NET name for `NetException.is`; `System.Exception` takes all. */
  readonly typeName: string;
  readonly locals: readonly LocalSymbol[];
  /** Receives the exception; null when unnamed. */
  readonly symbol: LocalSymbol | null;
  readonly filter: BoundExpression | null;
  readonly block: BoundBlock;
}

/** Runs `resource`, `body`, and in any case `dispose` (which reads what `resource` declared, and checks for null). */
export interface BoundUsing extends StatementNode {
  readonly kind: "using";
  readonly locals: readonly LocalSymbol[];
  readonly resource: BoundStatement;
  readonly dispose: BoundExpression | null;
  readonly body: BoundStatement;
}

/** `expression` is converted to the function's return type; null in void functions. */
export interface BoundReturn extends StatementNode {
  readonly kind: "return";
  expression: BoundExpression | null;
}

/** null: rethrow. */
export interface BoundThrow extends StatementNode {
  readonly kind: "throwStatement";
  readonly exception: BoundExpression | null;
}

export interface BoundBreak extends StatementNode {
  readonly kind: "break";
}

export interface BoundContinue extends StatementNode {
  readonly kind: "continue";
}

/** The label stands on a statement of an enclosing block, or (for `goto case`) is that of an enclosing switch section. */
export interface BoundGoto extends StatementNode {
  readonly kind: "goto";
  readonly label: LabelSymbol;
}

export interface LabelSymbol {
  readonly name: string;
}

export interface BoundLabeled extends StatementNode {
  readonly kind: "labeled";
  readonly label: LabelSymbol;
  readonly statement: BoundStatement;
}

export interface BoundEmpty extends StatementNode {
  readonly kind: "empty";
}

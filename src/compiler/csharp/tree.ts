/**
 * The syntax tree of policy expressions (spec: expressions.md §2).
 *
 * The parser makes it, the binder reads it, nobody changes it. One discriminated union per family: `Expression`,
 * `Statement`, `TypeNode`, `Pattern`, plus a few parts that live only inside one parent. Every node has `kind` and the
 * half-open range `start`..`end`, in UTF-16 units of the expression's source: the text between the brackets of
 * `@( … )` or `@{ … }`, brackets excluded.
 *
 * The tree says what was written, not what it means: names are not resolved and nothing is folded. Three places need
 * a word, because they are where C#'s grammar cannot decide alone:
 *
 * - `a?.b.c` is `conditionalAccess(a, member(member(receiver, "b"), "c"))`. The `receiver` node stands for the value of
 *   the nearest enclosing `conditionalAccess` target, and the whole `access` is skipped when that is null.
 *   `a?.b?.c` nests to the right: `conditionalAccess(a, conditionalAccess(member(receiver, "b"), member(receiver, "c")))`.
 * - `x is Name` and `case Name:` may mean a type or a constant: `typeOrConstantPattern` carries both readings.
 * - `System.Guid.Empty` is a chain of `member` nodes over a `name`; whether `System` is a namespace is the binder's say.
 *
 * Where the source was wrong the tree has `missing` expressions and `missingType`s; they never come without a
 * diagnostic, so whoever meets one should stay silent.
 */

export interface Span {
  readonly start: number;
  readonly end: number;
}

/** What `parseExpression` returns: one expression for `@( … )`, a block for `@{ … }`. */
export type SyntaxRoot = Expression | BlockStatement;

export type SyntaxNode = Expression | Statement | TypeNode | Pattern | Designation;

// ── Types ───────────────────────────────────────────────────────────────────────────────────────────────────────────

export type TypeNode =
  | PredefinedTypeNode
  | NamedTypeNode
  | ArrayTypeNode
  | NullableTypeNode
  | TupleTypeNode
  | VarTypeNode
  | MissingTypeNode;

export type PredefinedTypeName =
  | "object"
  | "string"
  | "bool"
  | "char"
  | "sbyte"
  | "byte"
  | "short"
  | "ushort"
  | "int"
  | "uint"
  | "long"
  | "ulong"
  | "float"
  | "double"
  | "decimal"
  | "void";

/** A type keyword. `void` occurs only as the return type of a local function. */
export interface PredefinedTypeNode extends Span {
  readonly kind: "predefinedType";
  readonly name: PredefinedTypeName;
}

/** `List<int>`, `System.Collections.Generic.List<int>`: outermost name first. */
export interface NamedTypeNode extends Span {
  readonly kind: "namedType";
  readonly parts: readonly TypeNamePart[];
}

export interface TypeNamePart extends Span {
  readonly name: string;
  /** `null` without angle brackets. */
  readonly typeArguments: readonly TypeNode[] | null;
}

/** `element[,,]`, rank 3. `int[][,]` is an array (rank 1) of `int[,]`, as in C#. */
export interface ArrayTypeNode extends Span {
  readonly kind: "arrayType";
  readonly element: TypeNode;
  readonly rank: number;
}

export interface NullableTypeNode extends Span {
  readonly kind: "nullableType";
  readonly element: TypeNode;
}

export interface TupleTypeNode extends Span {
  readonly kind: "tupleType";
  readonly elements: readonly TupleTypeElement[];
}

export interface TupleTypeElement extends Span {
  readonly type: TypeNode;
  readonly name: string | null;
}

/** `var`, where a declaration may infer its type. */
export interface VarTypeNode extends Span {
  readonly kind: "varType";
}

export interface MissingTypeNode extends Span {
  readonly kind: "missingType";
}

// ── Expressions ─────────────────────────────────────────────────────────────────────────────────────────────────────

export type Expression =
  | LiteralExpression
  | InterpolatedExpression
  | NameExpression
  | TypeExpression
  | ParenExpression
  | TupleExpression
  | MemberExpression
  | ElementExpression
  | CallExpression
  | ConditionalAccessExpression
  | ReceiverExpression
  | NewExpression
  | NewArrayExpression
  | NewImplicitArrayExpression
  | ArrayInitializerExpression
  | AnonymousObjectExpression
  | TypeofExpression
  | DefaultExpression
  | NameofExpression
  | CheckedExpression
  | UnaryExpression
  | PostfixExpression
  | CastExpression
  | BinaryExpression
  | IsExpression
  | AsExpression
  | ConditionalExpression
  | AssignmentExpression
  | ThrowExpression
  | LambdaExpression
  | QueryExpression
  | SwitchExpression
  | RangeExpression
  | FromEndExpression
  | DeclarationExpression
  | MissingExpression;

/** The value of a literal, tagged with its exact C# type. */
export type LiteralValue =
  | { readonly type: "string"; readonly value: string }
  /** One UTF-16 code unit, as a number. */
  | { readonly type: "char"; readonly value: number }
  | { readonly type: "int" | "uint"; readonly value: number }
  | { readonly type: "long" | "ulong"; readonly value: bigint }
  /** For `float` already rounded to single precision. */
  | { readonly type: "float" | "double"; readonly value: number }
  /** The digits as written, without `_` and suffix (`1.10`, `5e-3`): the scale matters. */
  | { readonly type: "decimal"; readonly value: string }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "null"; readonly value: null };

/**
 * `-2147483648` and `-9223372036854775808` are one literal of type int and long, as the language asks; every other
 * minus sign is a `unary` node.
 */
export interface LiteralExpression extends Span {
  readonly kind: "literal";
  readonly literal: LiteralValue;
}

export interface InterpolatedExpression extends Span {
  readonly kind: "interpolated";
  readonly parts: readonly InterpolatedPart[];
}

export type InterpolatedPart = InterpolatedText | InterpolatedHole;

/** Unescaped text between holes; never empty. */
export interface InterpolatedText extends Span {
  readonly kind: "text";
  readonly value: string;
}

export interface InterpolatedHole extends Span {
  readonly kind: "hole";
  readonly expression: Expression;
  /** Must be a constant int. */
  readonly alignment: Expression | null;
  /** Unescaped text after the top-level colon. */
  readonly format: string | null;
}

/** A simple name, `x` or `M<int>`. */
export interface NameExpression extends Span {
  readonly kind: "name";
  readonly name: string;
  readonly typeArguments: readonly TypeNode[] | null;
}

/** A type keyword in expression position, as in `string.Join` or `int.MaxValue`. */
export interface TypeExpression extends Span {
  readonly kind: "typeExpression";
  readonly type: PredefinedTypeNode;
}

export interface ParenExpression extends Span {
  readonly kind: "paren";
  readonly expression: Expression;
}

/** Two or more elements; also the left side of a deconstruction, with `declaration` elements. */
export interface TupleExpression extends Span {
  readonly kind: "tuple";
  readonly elements: readonly TupleElement[];
}

export interface TupleElement extends Span {
  readonly name: string | null;
  readonly expression: Expression;
}

export interface MemberExpression extends Span {
  readonly kind: "member";
  readonly target: Expression;
  readonly name: string;
  readonly nameStart: number;
  /** End of the bare name, before any type arguments. */
  readonly nameEnd: number;
  readonly typeArguments: readonly TypeNode[] | null;
}

export interface ElementExpression extends Span {
  readonly kind: "element";
  readonly target: Expression;
  readonly arguments: readonly Argument[];
}

export interface CallExpression extends Span {
  readonly kind: "call";
  readonly callee: Expression;
  readonly arguments: readonly Argument[];
}

export interface Argument extends Span {
  readonly name: string | null;
  /** `ref` and `in` are refused by the parser; they stay in the tree so that the binder can go on. */
  readonly mode: "value" | "out" | "ref" | "in";
  /** A `declaration` for `out var x` and `out int x`. */
  readonly expression: Expression;
}

export interface ConditionalAccessExpression extends Span {
  readonly kind: "conditionalAccess";
  readonly target: Expression;
  /** Has a `receiver` at its leftmost leaf. */
  readonly access: Expression;
}

export interface ReceiverExpression extends Span {
  readonly kind: "receiver";
}

/** `type` is null for the target-typed `new(…)`; `arguments` is null in `new T { … }`. */
export interface NewExpression extends Span {
  readonly kind: "new";
  readonly type: TypeNode | null;
  readonly arguments: readonly Argument[] | null;
  readonly initializer: Initializer | null;
}

export type Initializer = ObjectInitializer | CollectionInitializer;

/** `{ P = v, ["k"] = v }`; an empty `{ }` is one without members. */
export interface ObjectInitializer extends Span {
  readonly kind: "objectInitializer";
  readonly members: readonly (MemberInitializer | IndexInitializer)[];
}

export interface MemberInitializer extends Span {
  readonly kind: "memberInitializer";
  readonly name: string;
  readonly nameStart: number;
  readonly nameEnd: number;
  /** An `Initializer` fills the object that the member already holds. */
  readonly value: Expression | Initializer;
}

export interface IndexInitializer extends Span {
  readonly kind: "indexInitializer";
  readonly arguments: readonly Argument[];
  readonly value: Expression | Initializer;
}

/** `{ a, { k, v } }`: every element is one call of `Add`. */
export interface CollectionInitializer extends Span {
  readonly kind: "collectionInitializer";
  readonly elements: readonly ElementInitializer[];
}

export interface ElementInitializer extends Span {
  readonly arguments: readonly Expression[];
}

/**
 * `new T[a, b]`, `new T[n][]`, `new T[] { … }`. `elementType` is what one cell holds (`int[]` for `new int[3][]`);
 * `sizes` is empty when the initializer decides.
 */
export interface NewArrayExpression extends Span {
  readonly kind: "newArray";
  readonly elementType: TypeNode;
  readonly rank: number;
  readonly sizes: readonly Expression[];
  readonly initializer: ArrayInitializerExpression | null;
}

/** `new[] { … }`. */
export interface NewImplicitArrayExpression extends Span {
  readonly kind: "newImplicitArray";
  readonly rank: number;
  readonly initializer: ArrayInitializerExpression;
}

/** `{ a, b }`: in array creations, as initial value of a declared array, and nested for rank > 1. */
export interface ArrayInitializerExpression extends Span {
  readonly kind: "arrayInitializer";
  readonly elements: readonly Expression[];
}

export interface AnonymousObjectExpression extends Span {
  readonly kind: "anonymousObject";
  readonly members: readonly AnonymousMember[];
}

/** The name is the written one, or that of the last name in the expression. */
export interface AnonymousMember extends Span {
  readonly name: string;
  readonly expression: Expression;
}

export interface TypeofExpression extends Span {
  readonly kind: "typeof";
  readonly type: TypeNode;
}

/** `type` is null for the bare `default`. */
export interface DefaultExpression extends Span {
  readonly kind: "default";
  readonly type: TypeNode | null;
}

export interface NameofExpression extends Span {
  readonly kind: "nameof";
  readonly argument: Expression;
}

export interface CheckedExpression extends Span {
  readonly kind: "checked";
  /** False for `unchecked( … )`. */
  readonly checked: boolean;
  readonly expression: Expression;
}

export type UnaryOperator = "+" | "-" | "!" | "~" | "++" | "--";

export interface UnaryExpression extends Span {
  readonly kind: "unary";
  readonly operator: UnaryOperator;
  readonly operand: Expression;
}

export interface PostfixExpression extends Span {
  readonly kind: "postfix";
  readonly operator: "++" | "--";
  readonly operand: Expression;
}

export interface CastExpression extends Span {
  readonly kind: "cast";
  readonly type: TypeNode;
  readonly expression: Expression;
}

export type BinaryOperator =
  | "*"
  | "/"
  | "%"
  | "+"
  | "-"
  | "<<"
  | ">>"
  | "<"
  | ">"
  | "<="
  | ">="
  | "=="
  | "!="
  | "&"
  | "^"
  | "|"
  | "&&"
  | "||"
  | "??";

export interface BinaryExpression extends Span {
  readonly kind: "binary";
  readonly operator: BinaryOperator;
  readonly operatorStart: number;
  readonly left: Expression;
  readonly right: Expression;
}

export interface IsExpression extends Span {
  readonly kind: "is";
  readonly expression: Expression;
  readonly pattern: Pattern;
}

export interface AsExpression extends Span {
  readonly kind: "as";
  readonly expression: Expression;
  readonly type: TypeNode;
}

export interface ConditionalExpression extends Span {
  readonly kind: "conditional";
  readonly condition: Expression;
  readonly whenTrue: Expression;
  readonly whenFalse: Expression;
}

export type AssignmentOperator =
  | "="
  | "+="
  | "-="
  | "*="
  | "/="
  | "%="
  | "&="
  | "|="
  | "^="
  | "<<="
  | ">>="
  | "??=";

/** With `=`, a `tuple` or a `declaration` (`var (a, b)`) as target makes it a deconstruction. */
export interface AssignmentExpression extends Span {
  readonly kind: "assignment";
  readonly operator: AssignmentOperator;
  readonly operatorStart: number;
  readonly target: Expression;
  readonly value: Expression;
}

export interface ThrowExpression extends Span {
  readonly kind: "throw";
  readonly expression: Expression;
}

/** Either all parameters have a type or none has. */
export interface LambdaExpression extends Span {
  readonly kind: "lambda";
  readonly parameters: readonly LambdaParameter[];
  readonly body: Expression | BlockStatement;
}

export interface LambdaParameter extends Span {
  readonly type: TypeNode | null;
  readonly name: string;
}

export interface SwitchExpression extends Span {
  readonly kind: "switchExpression";
  readonly subject: Expression;
  readonly arms: readonly SwitchArm[];
}

export interface SwitchArm extends Span {
  readonly pattern: Pattern;
  readonly guard: Expression | null;
  readonly value: Expression;
}

/** `from..to`; an open end is null. */
export interface RangeExpression extends Span {
  readonly kind: "range";
  readonly from: Expression | null;
  readonly to: Expression | null;
}

/** `^n`. */
export interface FromEndExpression extends Span {
  readonly kind: "fromEnd";
  readonly operand: Expression;
}

/** `var x`, `int x`, `var (a, b)` inside `out` arguments and deconstructions. */
export interface DeclarationExpression extends Span {
  readonly kind: "declaration";
  readonly type: TypeNode;
  readonly designation: Designation;
}

/** Stands where an expression should be. A diagnostic has already been given. */
export interface MissingExpression extends Span {
  readonly kind: "missing";
}

// ── Queries ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** `from … select …`. */
export interface QueryExpression extends Span {
  readonly kind: "query";
  readonly from: FromClause;
  readonly body: QueryBody;
}

export interface QueryBody extends Span {
  readonly clauses: readonly QueryClause[];
  readonly final: SelectClause | GroupClause;
  /** `into name` and what follows. */
  readonly continuation: QueryContinuation | null;
}

export interface QueryContinuation extends Span {
  readonly name: string;
  readonly body: QueryBody;
}

export type QueryClause = FromClause | LetClause | WhereClause | JoinClause | OrderByClause;

export interface FromClause extends Span {
  readonly kind: "from";
  readonly type: TypeNode | null;
  readonly name: string;
  readonly source: Expression;
}

export interface LetClause extends Span {
  readonly kind: "let";
  readonly name: string;
  readonly value: Expression;
}

export interface WhereClause extends Span {
  readonly kind: "where";
  readonly condition: Expression;
}

export interface JoinClause extends Span {
  readonly kind: "join";
  readonly type: TypeNode | null;
  readonly name: string;
  readonly source: Expression;
  /** `on outer equals inner`. */
  readonly outerKey: Expression;
  readonly innerKey: Expression;
  readonly into: string | null;
}

export interface OrderByClause extends Span {
  readonly kind: "orderBy";
  readonly orderings: readonly Ordering[];
}

export interface Ordering extends Span {
  readonly expression: Expression;
  readonly descending: boolean;
}

export interface SelectClause extends Span {
  readonly kind: "select";
  readonly expression: Expression;
}

/** `group element by key`. */
export interface GroupClause extends Span {
  readonly kind: "group";
  readonly element: Expression;
  readonly key: Expression;
}

// ── Patterns ────────────────────────────────────────────────────────────────────────────────────────────────────────

export type Pattern =
  | TypePattern
  | TypeOrConstantPattern
  | ConstantPattern
  | DeclarationPattern
  | VarPattern
  | DiscardPattern
  | RelationalPattern
  | NotPattern
  | BinaryPattern
  | RecursivePattern;

/** Surely a type: a keyword, an array, a generic or a nullable one. */
export interface TypePattern extends Span {
  readonly kind: "typePattern";
  readonly type: TypeNode;
}

/** A plain or dotted name: a type or a constant. */
export interface TypeOrConstantPattern extends Span {
  readonly kind: "typeOrConstantPattern";
  readonly type: NamedTypeNode;
  readonly expression: Expression;
}

export interface ConstantPattern extends Span {
  readonly kind: "constantPattern";
  readonly expression: Expression;
}

/** `T x`. */
export interface DeclarationPattern extends Span {
  readonly kind: "declarationPattern";
  readonly type: TypeNode;
  readonly designation: Designation;
}

/** `var x`, `var (a, b)`. */
export interface VarPattern extends Span {
  readonly kind: "varPattern";
  readonly designation: Designation;
}

/** `_`, in switch expressions and inside other patterns. */
export interface DiscardPattern extends Span {
  readonly kind: "discardPattern";
}

export interface RelationalPattern extends Span {
  readonly kind: "relationalPattern";
  readonly operator: "<" | ">" | "<=" | ">=";
  readonly expression: Expression;
}

export interface NotPattern extends Span {
  readonly kind: "notPattern";
  readonly pattern: Pattern;
}

export interface BinaryPattern extends Span {
  readonly kind: "binaryPattern";
  readonly operator: "and" | "or";
  readonly left: Pattern;
  readonly right: Pattern;
}

/** `T (a, b) { P: p } x`: every part may be absent, but not all of type, positions and properties. */
export interface RecursivePattern extends Span {
  readonly kind: "recursivePattern";
  readonly type: TypeNode | null;
  readonly positions: readonly Subpattern[] | null;
  readonly properties: readonly Subpattern[] | null;
  readonly designation: Designation | null;
}

/** `path` is empty for an unnamed position; longer than one for `{ A.B: p }`. */
export interface Subpattern extends Span {
  readonly path: readonly string[];
  readonly pattern: Pattern;
}

export type Designation = SingleDesignation | DiscardDesignation | TupleDesignation;

export interface SingleDesignation extends Span {
  readonly kind: "singleDesignation";
  readonly name: string;
}

export interface DiscardDesignation extends Span {
  readonly kind: "discardDesignation";
}

export interface TupleDesignation extends Span {
  readonly kind: "tupleDesignation";
  readonly elements: readonly Designation[];
}

// ── Statements ──────────────────────────────────────────────────────────────────────────────────────────────────────

export type Statement =
  | BlockStatement
  | LocalDeclarationStatement
  | LocalFunctionStatement
  | ExpressionStatement
  | IfStatement
  | ForStatement
  | ForeachStatement
  | WhileStatement
  | DoStatement
  | SwitchStatement
  | TryStatement
  | UsingStatement
  | ReturnStatement
  | ThrowStatement
  | BreakStatement
  | ContinueStatement
  | GotoStatement
  | GotoCaseStatement
  | CheckedStatement
  | LabeledStatement
  | EmptyStatement;

export interface BlockStatement extends Span {
  readonly kind: "block";
  readonly statements: readonly Statement[];
}

export interface LocalDeclarationStatement extends Span {
  readonly kind: "localDeclaration";
  /** `using` is the C# 8 form without a block: disposed at the end of the enclosing block. */
  readonly modifier: "const" | "using" | null;
  readonly type: TypeNode;
  readonly declarators: readonly Declarator[];
}

/** `nameStart`..`nameEnd` is the name alone. */
export interface Declarator extends Span {
  readonly name: string;
  readonly nameStart: number;
  readonly nameEnd: number;
  /** May be an `arrayInitializer`. */
  readonly initializer: Expression | null;
}

export interface LocalFunctionStatement extends Span {
  readonly kind: "localFunction";
  readonly isStatic: boolean;
  readonly returnType: TypeNode;
  readonly name: string;
  readonly nameStart: number;
  readonly nameEnd: number;
  readonly typeParameters: readonly string[];
  readonly parameters: readonly Parameter[];
  readonly body: Expression | BlockStatement;
}

export interface Parameter extends Span {
  readonly modifier: "params" | "out" | "ref" | "in" | null;
  readonly type: TypeNode;
  readonly name: string;
  readonly defaultValue: Expression | null;
}

export interface ExpressionStatement extends Span {
  readonly kind: "expressionStatement";
  readonly expression: Expression;
}

export interface IfStatement extends Span {
  readonly kind: "if";
  readonly condition: Expression;
  readonly then: Statement;
  readonly else: Statement | null;
}

/** Has either a declaration or initializers, or neither. */
export interface ForStatement extends Span {
  readonly kind: "for";
  readonly declaration: LocalDeclarationStatement | null;
  readonly initializers: readonly Expression[];
  readonly condition: Expression | null;
  readonly incrementors: readonly Expression[];
  readonly body: Statement;
}

/** `foreach (T x in …)`, or with deconstruction: `foreach (var (k, v) in …)`, where `target` is a tuple or declaration. */
export interface ForeachStatement extends Span {
  readonly kind: "foreach";
  readonly target: DeclarationExpression | TupleExpression;
  readonly source: Expression;
  readonly body: Statement;
}

export interface WhileStatement extends Span {
  readonly kind: "while";
  readonly condition: Expression;
  readonly body: Statement;
}

export interface DoStatement extends Span {
  readonly kind: "do";
  readonly body: Statement;
  readonly condition: Expression;
}

export interface SwitchStatement extends Span {
  readonly kind: "switch";
  readonly subject: Expression;
  readonly sections: readonly SwitchSection[];
}

export interface SwitchSection extends Span {
  readonly labels: readonly SwitchLabel[];
  readonly statements: readonly Statement[];
}

/** `pattern` is null for `default:`. */
export interface SwitchLabel extends Span {
  readonly pattern: Pattern | null;
  readonly guard: Expression | null;
}

export interface TryStatement extends Span {
  readonly kind: "try";
  readonly block: BlockStatement;
  readonly catches: readonly CatchClause[];
  readonly finally: BlockStatement | null;
}

/** `type` is null for a bare `catch`. */
export interface CatchClause extends Span {
  readonly type: TypeNode | null;
  readonly name: string | null;
  readonly nameStart: number;
  readonly filter: Expression | null;
  readonly block: BlockStatement;
}

/** `using (resource) body`. */
export interface UsingStatement extends Span {
  readonly kind: "using";
  readonly resource: LocalDeclarationStatement | Expression;
  readonly body: Statement;
}

export interface ReturnStatement extends Span {
  readonly kind: "return";
  readonly expression: Expression | null;
}

/** Without an expression: rethrow, inside a catch. */
export interface ThrowStatement extends Span {
  readonly kind: "throwStatement";
  readonly expression: Expression | null;
}

export interface BreakStatement extends Span {
  readonly kind: "break";
}

export interface ContinueStatement extends Span {
  readonly kind: "continue";
}

export interface GotoStatement extends Span {
  readonly kind: "goto";
  readonly label: string;
}

/** `goto case v;`, or `goto default;` when `value` is null. */
export interface GotoCaseStatement extends Span {
  readonly kind: "gotoCase";
  readonly value: Expression | null;
}

/** `checked { … }` or `unchecked { … }`. */
export interface CheckedStatement extends Span {
  readonly kind: "checkedStatement";
  readonly checked: boolean;
  readonly block: BlockStatement;
}

export interface LabeledStatement extends Span {
  readonly kind: "labeled";
  readonly label: string;
  readonly statement: Statement;
}

export interface EmptyStatement extends Span {
  readonly kind: "empty";
}

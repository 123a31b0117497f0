/**
 * What scanner and parser can say, codes 3000 to 3099, merged into the one table of
 * `diagnostics.ts`. Texts are one sentence without a full stop. Wording never quotes names or literals of the source: a named
 * value put into an expression may be a secret. Marks and keywords are quoted, the place is shown by position.
 */

export interface SyntaxDiagnostic {
  /** `HG3001` … */
  readonly code: string;
  readonly severity: "error" | "warning";
  readonly message: string;
  /** UTF-16 units of the expression's source, half open; equal for something that is missing between two tokens. */
  readonly start: number;
  readonly end: number;
  readonly hint?: string;
}

/** `{0}`, `{1}` take the arguments in turn. `code` is stable for ever; order by code. */
export const SYNTAX_MESSAGES = {
  tooLong: { code: 3000, text: "the expression is longer than {0} KiB", hint: "move data to named values or split it" },
  tooDeep: {
    code: 3001,
    text: "the expression is nested too deeply",
    hint: "store parts of it in variables first",
  },
  strayCharacter: { code: 3002, text: "this character has no meaning in C#", hint: "delete it; texts take double quotes" },
  invisibleCharacter: { code: 3003, text: "there is an invisible character (U+{0}) here", hint: "delete it" },
  directive: {
    code: 3004,
    text: "preprocessor directives are not supported, except #region and #endregion",
    hint: "delete the line",
  },
  unterminatedComment: { code: 3005, text: "the comment is never closed", hint: "close it with */" },
  unterminatedString: {
    code: 3006,
    text: "the string is not closed on its line",
    hint: 'close it with ", or write @"…" for a string over several lines',
  },
  unterminatedVerbatim: { code: 3007, text: "the string is never closed", hint: "close it with a double quote; a quote inside is doubled" },
  unterminatedHole: {
    code: 3008,
    text: "a { in the interpolated string has no closing }",
    hint: "close it with }, or write {{ for a brace that is text",
  },
  strayBrace: {
    code: 3009,
    text: "a } in an interpolated string closes nothing",
    hint: "write }} for a brace that is text",
  },
  badEscape: {
    code: 3010,
    text: "C# does not know this escape sequence",
    hint: 'double the backslash, or write the string as @"…", where a backslash is text',
  },
  emptyChar: { code: 3011, text: "a character literal cannot be empty", hint: 'the empty string is ""' },
  longChar: {
    code: 3012,
    text: "single quotes hold exactly one character",
    hint: "strings take double quotes",
  },
  unterminatedChar: {
    code: 3013,
    text: "the character literal is not closed",
    hint: "strings take double quotes; a single character stands between two single quotes",
  },
  smartQuote: {
    code: 3014,
    text: "typographic quotes cannot delimit a string",
    hint: 'write straight double quotes: "…"',
  },
  backtick: {
    code: 3015,
    text: "backticks are JavaScript; C# has no template literals",
    hint: 'write $"…{value}…"',
  },
  badNumber: { code: 3016, text: "this is not a number C# can read", hint: "a name cannot start with a digit; texts take double quotes" },
  numberTooLarge: { code: 3017, text: "the number is too large for {0}", hint: "write it as text, or as a real number such as 1e20" },
  strictEquality: {
    code: 3018,
    text: "C# has no {0} operator",
    hint: "write {1}; values of different types never compare silently",
  },
  swappedOperator: { code: 3019, text: "C# has no {0} operator", hint: "write {1}" },
  doubleEncoded: {
    code: 3020,
    text: "there is an XML entity inside the C# code",
    hint: "the expression was encoded twice; write the character itself",
  },
  nestedAt: {
    code: 3021,
    text: "an @ cannot start another expression inside an expression",
    hint: "leave out the @ and its brackets",
  },
  rawString: { code: 3022, text: "the raw string literal is not well formed: {0}", hint: "write an ordinary string with escapes" },

  expectedExpression: { code: 3030, text: "a value is missing here", hint: "write the value, or delete the operator or comma before it" },
  unexpected: { code: 3031, text: "{0} is not expected here", hint: "delete it, or add what should stand before it" },
  expected: { code: 3032, text: "{0} is missing here", hint: "add {0}" },
  expectedInstead: { code: 3033, text: "{0} is expected here, not {1}", hint: "add {0}, or an operator" },
  unclosed: { code: 3034, text: "{0} is missing: a {1} before it is never closed", hint: "add {0}" },
  extraClosing: { code: 3035, text: "this {0} closes nothing", hint: "delete it, or add the bracket it should close" },
  trailing: { code: 3036, text: "the expression is complete before {0}", hint: "add an operator, or delete the rest" },
  trailingSemicolon: {
    code: 3037,
    text: "an expression in @( … ) has no semicolon",
    hint: "delete it, or use @{ … } with return",
  },
  statementInExpression: {
    code: 3038,
    text: "{0} starts a statement, but @( … ) holds a single expression",
    hint: "write @{ … } and return the value",
  },
  notAStatement: {
    code: 3039,
    text: "only an assignment, a call, ++, -- or new can stand as a statement",
    hint: "assign the value, or return it",
  },
  missingReturn: {
    code: 3040,
    text: "the value is computed and thrown away",
    hint: "in @{ … } a value is given back with return …;",
  },
  emptySource: { code: 3041, text: "the expression is empty", hint: "write what it should give" },
  expectedName: { code: 3042, text: "a name is missing here", hint: "write the name of the member or variable" },
  reservedName: { code: 3043, text: "\"{0}\" is a reserved word and cannot be a name", hint: "write @{0}, or choose another name" },
  expectedType: { code: 3044, text: "a type is missing here", hint: "write the type, such as string or JObject" },
  notAssignable: { code: 3045, text: "the left side of {0} must be a variable, a property or an indexer", hint: "equality is written ==" },
  wordOperator: { code: 3046, text: "C# writes this operator as {0}", hint: "write {0}" },
  arrowMisuse: { code: 3047, text: "=> makes a lambda; it does not compare", hint: 'write >= for "greater or equal"' },
  assignmentInCondition: {
    code: 3048,
    text: "= assigns; a condition compares",
    hint: "write ==",
  },
  conditionalInHole: {
    code: 3049,
    text: "a ? : inside an interpolated string needs parentheses, because the colon starts a format",
    hint: "write {(condition ? a : b)}",
  },
  missingPlus: {
    code: 3050,
    text: "two values stand side by side",
    hint: 'join texts with +; a quote inside a string is written \\"',
  },
  throwPlace: {
    code: 3051,
    text: "a throw expression can stand only after ??, in ? : or as the body of =>",
    hint: "write a throw statement",
  },
  lambdaPlace: { code: 3052, text: "a lambda cannot be an operand", hint: "put it in parentheses" },
  mixedParameters: { code: 3053, text: "some parameters of the lambda have a type and some have none", hint: "give all of them a type, or none" },
  anonymousName: {
    code: 3054,
    text: "this member of the anonymous object needs a name",
    hint: "write name = value",
  },
  mixedInitializer: { code: 3055, text: "an initializer holds either assignments or elements, not both", hint: "write [\"key\"] = value for all, or { key, value } for all" },
  arraySize: { code: 3056, text: "an array needs a size or an initializer", hint: "write new T[n] or new T[] { … }" },
  newWithoutArguments: {
    code: 3057,
    text: "new needs an argument list, a size or an initializer",
    hint: "write ()",
  },
  constWithoutValue: { code: 3058, text: "a constant needs a value", hint: "write = and the value" },
  varWithoutValue: { code: 3059, text: "var needs a value to take its type from", hint: "write the type instead of var, or give it a value" },
  tryAlone: { code: 3060, text: "try needs a catch or a finally", hint: "add catch (Exception e) { … }" },
  elseAlone: { code: 3061, text: "this {0} belongs to no {1}", hint: "delete it, or look for a brace or semicolon too many before it" },
  declarationAsBody: {
    code: 3062,
    text: "a declaration cannot be the body of {0}",
    hint: "put it in braces",
  },
  javascriptFor: {
    code: 3063,
    text: "C# walks through a collection with foreach",
    hint: "write foreach (var x in items)",
  },
  javascriptDeclaration: { code: 3064, text: "{0} is JavaScript", hint: "{1}" },
  objectLiteral: {
    code: 3065,
    text: "a { cannot start a value",
    hint: "write new { a = 1 } or new JObject { [\"a\"] = 1 }",
  },
  arrayLiteral: { code: 3066, text: "a [ cannot start a value", hint: "write new[] { a, b }" },
  sectionWithoutLabel: { code: 3067, text: "statements in a switch need a case or default before them", hint: "write case value: or default: first" },
  catchOrder: { code: 3068, text: "a catch without a type must be the last one", hint: "move it behind the others" },
  duplicateDefault: { code: 3069, text: "the switch already has a default", hint: "delete one of them" },
  queryEnd: { code: 3070, text: "query expressions end with select or group … by", hint: "add select and what each element gives" },
  emptyStatementBody: { code: 3071, text: "the body of this {0} is empty", hint: "delete the semicolon" },

  outOfScope: { code: 3080, text: "{0} cannot be used in policy expressions", hint: "expressions compute one value from context; leave it out" },
  newerSyntax: {
    code: 3081,
    text: "{0} is C# {1}; Azure API Management accepts C# 7 only",
    hint: "write it in C# 7 if the policy has to run there",
  },
} as const satisfies Record<string, { readonly code: number; readonly text: string; readonly hint: string | null }>;

export type SyntaxMessageId = keyof typeof SYNTAX_MESSAGES;

/** Makes one diagnostic. A `hint` given here replaces the table's. */
export function syntaxDiagnostic(
  id: SyntaxMessageId,
  start: number,
  end: number,
  args: readonly string[] = [],
  hint: string | null = SYNTAX_MESSAGES[id].hint,
  severity: "error" | "warning" = "error",
): SyntaxDiagnostic {
  const fill = (text: string): string => text.replace(/\{([0-3])\}/g, (_, i: string) => args[Number(i)] ?? "");
  const { code, text } = SYNTAX_MESSAGES[id];
  const base = { code: `HG${code}`, severity, message: fill(text), start, end } as const;
  return hint === null ? base : { ...base, hint: fill(hint) };
}

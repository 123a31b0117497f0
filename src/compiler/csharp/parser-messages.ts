/**
 * What scanner and parser can say, codes 3000 to 3099. Wording never quotes names or literals of the source: a named
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
  tooLong: { code: 3000, text: "The expression is longer than {0} KiB.", hint: "Move data to named values or split it." },
  tooDeep: {
    code: 3001,
    text: "The expression is nested too deeply.",
    hint: "Store parts of it in variables first.",
  },
  strayCharacter: { code: 3002, text: "This character has no meaning in C#.", hint: null },
  invisibleCharacter: { code: 3003, text: "There is an invisible character (U+{0}) here.", hint: "Delete it." },
  directive: {
    code: 3004,
    text: "Preprocessor directives are not supported, except #region and #endregion.",
    hint: null,
  },
  unterminatedComment: { code: 3005, text: "The comment is never closed.", hint: "Close it with */." },
  unterminatedString: {
    code: 3006,
    text: "The string is not closed on its line.",
    hint: 'Close it with ", or write @"…" for a string over several lines.',
  },
  unterminatedVerbatim: { code: 3007, text: "The string is never closed.", hint: null },
  unterminatedHole: {
    code: 3008,
    text: "A { in the interpolated string has no closing }.",
    hint: "Close it with }, or write {{ for a brace that is text.",
  },
  strayBrace: {
    code: 3009,
    text: "A } in an interpolated string closes nothing.",
    hint: "Write }} for a brace that is text.",
  },
  badEscape: {
    code: 3010,
    text: "C# does not know this escape sequence.",
    hint: 'Double the backslash, or write the string as @"…", where a backslash is text.',
  },
  emptyChar: { code: 3011, text: "A character literal cannot be empty.", hint: 'The empty string is "".' },
  longChar: {
    code: 3012,
    text: "Single quotes hold exactly one character.",
    hint: "Strings take double quotes.",
  },
  unterminatedChar: {
    code: 3013,
    text: "The character literal is not closed.",
    hint: "Strings take double quotes; a single character stands between two single quotes.",
  },
  smartQuote: {
    code: 3014,
    text: "Typographic quotes cannot delimit a string.",
    hint: 'Write straight double quotes: "…".',
  },
  backtick: {
    code: 3015,
    text: "Backticks are JavaScript; C# has no template literals.",
    hint: 'Write $"…{value}…".',
  },
  badNumber: { code: 3016, text: "This is not a number C# can read.", hint: null },
  numberTooLarge: { code: 3017, text: "The number is too large for {0}.", hint: null },
  strictEquality: {
    code: 3018,
    text: "C# has no {0} operator.",
    hint: "Write {1}; values of different types never compare silently.",
  },
  swappedOperator: { code: 3019, text: "C# has no {0} operator.", hint: "Write {1}." },
  doubleEncoded: {
    code: 3020,
    text: "There is an XML entity inside the C# code.",
    hint: "The expression was encoded twice; write the character itself.",
  },
  nestedAt: {
    code: 3021,
    text: "An @ cannot start another expression inside an expression.",
    hint: "Leave out the @ and its brackets.",
  },
  rawString: { code: 3022, text: "The raw string literal is not well formed: {0}.", hint: null },

  expectedExpression: { code: 3030, text: "An expression is missing here.", hint: null },
  unexpected: { code: 3031, text: "{0} is not expected here.", hint: null },
  expected: { code: 3032, text: "{0} is missing here.", hint: null },
  expectedInstead: { code: 3033, text: "{0} is expected here, not {1}.", hint: null },
  unclosed: { code: 3034, text: "{0} is missing: the {1} opened in line {2}, column {3} is never closed.", hint: null },
  extraClosing: { code: 3035, text: "This {0} closes nothing.", hint: "Delete it, or add the bracket it should close." },
  trailing: { code: 3036, text: "The expression ends before {0}.", hint: null },
  trailingSemicolon: {
    code: 3037,
    text: "An expression in @( … ) has no semicolon.",
    hint: "Delete it, or use @{ … } with return.",
  },
  statementInExpression: {
    code: 3038,
    text: "{0} starts a statement, but @( … ) holds a single expression.",
    hint: "Write @{ … } and return the value.",
  },
  notAStatement: {
    code: 3039,
    text: "Only an assignment, a call, ++, -- or new can stand as a statement.",
    hint: null,
  },
  missingReturn: {
    code: 3040,
    text: "The value is computed and thrown away.",
    hint: "In @{ … } a value is given back with return …;",
  },
  emptySource: { code: 3041, text: "The expression is empty.", hint: null },
  expectedName: { code: 3042, text: "A name is missing here.", hint: null },
  reservedName: { code: 3043, text: "{0} is a reserved word and cannot be a name.", hint: "Write @{0}, or choose another name." },
  expectedType: { code: 3044, text: "A type is missing here.", hint: null },
  notAssignable: { code: 3045, text: "The left side of {0} must be a variable, a property or an indexer.", hint: null },
  wordOperator: { code: 3046, text: "C# writes this operator as {0}.", hint: "Write {0}." },
  arrowMisuse: { code: 3047, text: "=> makes a lambda; it does not compare.", hint: 'Write >= for "greater or equal".' },
  assignmentInCondition: {
    code: 3048,
    text: "= assigns; a condition compares.",
    hint: "Write ==.",
  },
  conditionalInHole: {
    code: 3049,
    text: "A ? : inside an interpolated string needs parentheses, because the colon starts a format.",
    hint: "Write {(condition ? a : b)}.",
  },
  missingPlus: {
    code: 3050,
    text: "Two values stand side by side.",
    hint: 'Join texts with +; a quote inside a string is written \\".',
  },
  throwPlace: {
    code: 3051,
    text: "A throw expression can stand only after ??, in ? : or as the body of =>.",
    hint: "Write a throw statement.",
  },
  lambdaPlace: { code: 3052, text: "A lambda cannot be an operand.", hint: "Put it in parentheses." },
  mixedParameters: { code: 3053, text: "Give either all parameters of a lambda a type, or none.", hint: null },
  anonymousName: {
    code: 3054,
    text: "This member of the anonymous object needs a name.",
    hint: "Write name = value.",
  },
  mixedInitializer: { code: 3055, text: "An initializer holds either assignments or elements, not both.", hint: null },
  arraySize: { code: 3056, text: "An array needs a size or an initializer.", hint: "Write new T[n] or new T[] { … }." },
  newWithoutArguments: {
    code: 3057,
    text: "new needs an argument list, a size or an initializer.",
    hint: "Write ().",
  },
  constWithoutValue: { code: 3058, text: "A constant needs a value.", hint: null },
  varWithoutValue: { code: 3059, text: "var needs a value to take its type from.", hint: null },
  tryAlone: { code: 3060, text: "try needs a catch or a finally.", hint: null },
  elseAlone: { code: 3061, text: "This {0} belongs to no {1}.", hint: null },
  declarationAsBody: {
    code: 3062,
    text: "A declaration cannot be the body of {0}.",
    hint: "Put it in braces.",
  },
  javascriptFor: {
    code: 3063,
    text: "C# walks through a collection with foreach.",
    hint: "Write foreach (var x in items).",
  },
  javascriptDeclaration: { code: 3064, text: "{0} is JavaScript.", hint: "{1}" },
  objectLiteral: {
    code: 3065,
    text: "A { cannot start a value.",
    hint: "Write new { a = 1 } or new JObject { [\"a\"] = 1 }.",
  },
  arrayLiteral: { code: 3066, text: "A [ cannot start a value.", hint: "Write new[] { a, b }." },
  sectionWithoutLabel: { code: 3067, text: "Statements in a switch need a case or default before them.", hint: null },
  catchOrder: { code: 3068, text: "A catch without a type must be the last one.", hint: null },
  duplicateDefault: { code: 3069, text: "The switch already has a default.", hint: null },
  queryEnd: { code: 3070, text: "Query expressions end with select or group … by.", hint: null },
  emptyStatementBody: { code: 3071, text: "The body of this {0} is empty.", hint: "Delete the semicolon." },

  outOfScope: { code: 3080, text: "{0} cannot be used in policy expressions.", hint: null },
  newerSyntax: {
    code: 3081,
    text: "{0} is C# {1}; Azure API Management accepts C# 7 only.",
    hint: null,
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

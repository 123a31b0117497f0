/**
 * What scanner and parser can say, codes 3000 to 3099, merged into the one table of
 * `diagnostics.ts`. Texts are one sentence without a full stop. Wording never quotes names or literals of the source: a named
 * value put into an expression may be a secret. Marks and keywords are quoted, the place is shown by position.
 */

import type { Message } from "../diagnostics.ts";

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

interface Entry {
  readonly code: number;
  readonly text: string;
  readonly hint: string | null;
  readonly cause: string;
  readonly example: string;
}

/**
 * `{0}`, `{1}` take the arguments in turn. `code` is stable for ever; order by code. `cause` and `example` (which
 * compiles) are for `headgate explain`.
 */
export const SYNTAX_MESSAGES = {
  tooLong: {
    code: 3000,
    text: "the expression is longer than {0} KiB",
    hint: "move data to named values or split it",
    cause:
      "Expressions are compiled when the policy is saved; a limit keeps that quick. The longest one seen in public policies has 8 KB.",
    example: '@("{{long-text}}".Contains("x"))',
  },
  tooDeep: {
    code: 3001,
    text: "the expression is nested too deeply",
    hint: "store parts of it in variables first",
    cause:
      "Brackets, operators or statements stand inside each other deeper than 256 levels, or more than about 1,000 operators in a row.",
    example: '@{ var head = "a" + "b"; return head + "c"; }',
  },
  strayCharacter: {
    code: 3002,
    text: "this character has no meaning in C#",
    hint: "delete it; texts take double quotes",
    cause: "The character stands outside of strings and comments and is no operator of C#.",
    example: '@("price: $" + 5)',
  },
  invisibleCharacter: {
    code: 3003,
    text: "there is an invisible character (U+{0}) here",
    hint: "delete it",
    cause:
      "Zero-width and direction marks come in when code is copied from web pages or chats. C# does not know them.",
    example: "@(context.RequestId)",
  },
  directive: {
    code: 3004,
    text: "preprocessor directives are not supported, except #region and #endregion",
    hint: "delete the line",
    cause:
      "Lines that start with # speak to the C# compiler. Only the two that fold code in editors are read over.",
    example: "@{ #region answer\n return 42; }",
  },
  unterminatedComment: {
    code: 3005,
    text: "the comment is never closed",
    hint: "close it with */",
    cause: "A comment that starts with /* goes on to the next */, and there is none.",
    example: "@(1 /* one */ + 2)",
  },
  unterminatedString: {
    code: 3006,
    text: "the string is not closed on its line",
    hint: 'close it with ", or write @"…" for a string over several lines',
    cause:
      "A string in double quotes ends on the line it began on. The closing quote is missing, or a quote inside of it ended it earlier.",
    example: '@("say \\"hi\\"")',
  },
  unterminatedVerbatim: {
    code: 3007,
    text: "the string is never closed",
    hint: "close it with a double quote; a quote inside is doubled",
    cause:
      'A string that starts with @" (or three quotes) goes on over line ends to its closing quote, and there is none.',
    example: '@(@"C:\\logs, ""quoted""")',
  },
  unterminatedHole: {
    code: 3008,
    text: "a { in the interpolated string has no closing }",
    hint: "close it with }, or write {{ for a brace that is text",
    cause: 'In a string that starts with $", a { begins a piece of code that goes on to the matching }.',
    example: '@($"id: {context.RequestId}")',
  },
  strayBrace: {
    code: 3009,
    text: "a } in an interpolated string closes nothing",
    hint: "write }} for a brace that is text",
    cause:
      'In a string that starts with $", braces belong to the pieces of code. A } without a { before it has to be doubled.',
    example: '@($"{{ \\"id\\": {1} }}")',
  },
  badEscape: {
    code: 3010,
    text: "C# does not know this escape sequence",
    hint: 'double the backslash, or write the string as @"…", where a backslash is text',
    cause:
      "Behind a backslash C# knows ' \" \\ 0 a b f n r t v, u with four hex digits, U with eight and x with one to four. Regular expressions and Windows paths are full of others.",
    example: '@(Regex.IsMatch("a1", @"\\d+"))',
  },
  emptyChar: {
    code: 3011,
    text: "a character literal cannot be empty",
    hint: 'the empty string is ""',
    cause: "Single quotes enclose exactly one character.",
    example: '@("a b".Replace(" ", ""))',
  },
  longChar: {
    code: 3012,
    text: "single quotes hold exactly one character",
    hint: "strings take double quotes",
    cause:
      "In C# 'x' is a character, a type of its own; texts are written in double quotes. In XML attributes double quotes may stand as they are inside @( … ).",
    example: '@(context.Request.Method == "GET")',
  },
  unterminatedChar: {
    code: 3013,
    text: "the character literal is not closed",
    hint: "strings take double quotes; a single character stands between two single quotes",
    cause: "An apostrophe starts a character literal, and the closing one is missing on the line.",
    example: "@(\"it's\" + 'x')",
  },
  smartQuote: {
    code: 3014,
    text: "typographic quotes cannot delimit a string",
    hint: 'write straight double quotes: "…"',
    cause: "Word processors and web pages turn straight quotes into curly ones, which mean nothing to C#.",
    example: '@("text")',
  },
  backtick: {
    code: 3015,
    text: "backticks are JavaScript; C# has no template literals",
    hint: 'write $"…{value}…"',
    cause: 'Texts with pieces of code in them start with $" in C#, and the pieces stand in plain braces.',
    example: '@($"Bearer {context.Variables["token"]}")',
  },
  badNumber: {
    code: 3016,
    text: "this is not a number C# can read",
    hint: "a name cannot start with a digit; texts take double quotes",
    cause:
      "The letters or underscores do not make a number: only suffixes such as L, U, D, F and M may follow the digits, and _ may stand between digits.",
    example: "@(1_000 + 0xFF + 2.5m)",
  },
  numberTooLarge: {
    code: 3017,
    text: "the number is too large for {0}",
    hint: "write it as text, or as a real number such as 1e20",
    cause:
      "No whole number in C# is larger than 18,446,744,073,709,551,615, no decimal larger than 7.9e28, no double larger than 1.8e308.",
    example: "@(1e20)",
  },
  strictEquality: {
    code: 3018,
    text: "C# has no {0} operator",
    hint: "write {1}; values of different types never compare silently",
    cause:
      "That operator is JavaScript's. In C# types are checked when the policy is saved, so == is always strict.",
    example: "@(context.Response.StatusCode == 429)",
  },
  swappedOperator: {
    code: 3019,
    text: "C# has no {0} operator",
    hint: "write {1}",
    cause: "The operator belongs to another language.",
    example: "@(context.Response.StatusCode != 200)",
  },
  doubleEncoded: {
    code: 3020,
    text: "there is an XML entity inside the C# code",
    hint: "the expression was encoded twice; write the character itself",
    cause:
      "Entities such as &quot; are decoded before the code is read. One that is still there was encoded a second time.",
    example: '@(context.Request.Method == "GET" &amp;&amp; true)',
  },
  nestedAt: {
    code: 3021,
    text: "an @ cannot start another expression inside an expression",
    hint: "leave out the @ and its brackets",
    cause: "@( or @{ starts an expression in the document. Inside one, everything is C# already.",
    example: '@("a" + context.RequestId)',
  },
  rawString: {
    code: 3022,
    text: "the raw string literal is not well formed: {0}",
    hint: "write an ordinary string with escapes",
    cause:
      "A string in three or more quotes over several lines starts on the line behind the opening quotes, and no line may be indented less than the closing ones.",
    example: '@("a\\nb")',
  },
  expectedExpression: {
    code: 3030,
    text: "a value is missing here",
    hint: "write the value, or delete the operator or comma before it",
    cause: "An operator, a comma or an opening bracket asks for a value behind it.",
    example: "@(1 + 2)",
  },
  unexpected: {
    code: 3031,
    text: "{0} is not expected here",
    hint: "delete it, or add what should stand before it",
    cause: "What stands here fits nowhere into the statement or value before it.",
    example: "@{ return 1; }",
  },
  expected: {
    code: 3032,
    text: "{0} is missing here",
    hint: "add {0}",
    cause: "C# needs this mark at this place.",
    example: "@{ var x = 1; return x; }",
  },
  expectedInstead: {
    code: 3033,
    text: "{0} is expected here, not {1}",
    hint: "add {0}, or an operator",
    cause: "The statement or argument before it is complete, so what follows must be separated from it.",
    example: "@(Math.Max(1, 2))",
  },
  unclosed: {
    code: 3034,
    text: "{0} is missing: a {1} before it is never closed",
    hint: "add {0}",
    cause: "A bracket was opened and the code ended, or a statement went on, without closing it.",
    example: '@(string.Join(",", new[] { "a", "b" }))',
  },
  extraClosing: {
    code: 3035,
    text: "this {0} closes nothing",
    hint: "delete it, or add the bracket it should close",
    cause: "There is one closing bracket more than opening ones.",
    example: "@((1 + 2) * 3)",
  },
  trailing: {
    code: 3036,
    text: "the expression is complete before {0}",
    hint: "add an operator, or delete the rest",
    cause: "Behind a complete expression stands something that no operator connects with it.",
    example: '@("a" + context.RequestId)',
  },
  trailingSemicolon: {
    code: 3037,
    text: "an expression in @( … ) has no semicolon",
    hint: "delete it, or use @{ … } with return",
    cause: "@( … ) holds one expression, which is no statement; @{ … } holds statements.",
    example: "@(context.RequestId)",
  },
  statementInExpression: {
    code: 3038,
    text: "{0} starts a statement, but @( … ) holds a single expression",
    hint: "write @{ … } and return the value",
    cause: "Statements can only stand in @{ … }; @( … ) holds a single value.",
    example: '@{ if (context.User == null) { return "guest"; } return context.User.Id; }',
  },
  notAStatement: {
    code: 3039,
    text: "only an assignment, a call, ++, -- or new can stand as a statement",
    hint: "assign the value, or return it",
    cause:
      "A statement has to do something. A value that is neither stored, returned nor passed on would be lost.",
    example: "@{ var sum = 1 + 2; return sum; }",
  },
  missingReturn: {
    code: 3040,
    text: "the value is computed and thrown away",
    hint: "in @{ … } a value is given back with return …;",
    cause: "The last statement of @{ … } computes a value but does not return it.",
    example: "@{ return 1 + 2; }",
  },
  emptySource: {
    code: 3041,
    text: "the expression is empty",
    hint: "write what it should give",
    cause: "Between the brackets of @( ) or @{ } stands nothing.",
    example: "@(context.RequestId)",
  },
  expectedName: {
    code: 3042,
    text: "a name is missing here",
    hint: "write the name of the member or variable",
    cause: "Behind a dot, a type or a keyword the name of a member, variable or parameter has to follow.",
    example: "@(context.Request.Method)",
  },
  reservedName: {
    code: 3043,
    text: '"{0}" is a reserved word and cannot be a name',
    hint: "write @{0}, or choose another name",
    cause: "The word is part of the language and needs an @ in front to be a name.",
    example: '@{ var @class = "a"; return @class; }',
  },
  expectedType: {
    code: 3044,
    text: "a type is missing here",
    hint: "write the type, such as string or JObject",
    cause: "Variables, parameters and constants are declared with a type before the name.",
    example: '@{ foreach (var g in context.User.Groups) { return g.Name; } return ""; }',
  },
  notAssignable: {
    code: 3045,
    text: "the left side of {0} must be a variable, a property or an indexer",
    hint: "equality is written ==",
    cause:
      "A value can only be put into something that holds one: a variable, a property that can be set, an element.",
    example: "@{ var x = 1; x = 2; return x; }",
  },
  wordOperator: {
    code: 3046,
    text: "C# writes this operator as {0}",
    hint: "write {0}",
    cause:
      "C# writes logical operators with marks; the words belong to other languages (and, in newer C#, to patterns).",
    example: '@(context.User != null && context.User.Id == "1")',
  },
  arrowMisuse: {
    code: 3047,
    text: "=> makes a lambda; it does not compare",
    hint: 'write >= for "greater or equal"',
    cause: "=> separates the parameters of a lambda from its body. The comparison is written >=.",
    example: "@(context.Response.StatusCode >= 500)",
  },
  assignmentInCondition: {
    code: 3048,
    text: "= assigns; a condition compares",
    hint: "write ==",
    cause: "= stores a value; == compares two.",
    example: "@{ if (context.Response.StatusCode == 200) { return 1; } return 0; }",
  },
  conditionalInHole: {
    code: 3049,
    text: "a ? : inside an interpolated string needs parentheses, because the colon starts a format",
    hint: "write {(condition ? a : b)}",
    cause:
      "In a hole of an interpolated string a colon starts a format, as in {date:yyyy}. A conditional has a colon of its own.",
    example: '@($"{(true ? "a" : "b")}")',
  },
  missingPlus: {
    code: 3050,
    text: "two values stand side by side",
    hint: 'join texts with +; a quote inside a string is written \\"',
    cause:
      "Two texts, or a text and a value, follow each other without an operator. Often a quote inside a text ended it too early.",
    example: '@("a" + "b" + "say \\"hi\\"")',
  },
  throwPlace: {
    code: 3051,
    text: "a throw expression can stand only after ??, in ? : or as the body of =>",
    hint: "write a throw statement",
    cause: "As an expression throw has no value, so C# allows it only where another branch has one.",
    example: '@(context.User ?? throw new Exception("no user"))',
  },
  lambdaPlace: {
    code: 3052,
    text: "a lambda cannot be an operand",
    hint: "put it in parentheses",
    cause: "=> binds less tightly than any operator.",
    example: "@(new[] { 1, 2 }.Where(x => x > 1).Count())",
  },
  mixedParameters: {
    code: 3053,
    text: "some parameters of the lambda have a type and some have none",
    hint: "give all of them a type, or none",
    cause: "The types of lambda parameters are either all written or all inferred.",
    example: "@(new[] { 1, 2 }.Aggregate((a, b) => a + b))",
  },
  anonymousName: {
    code: 3054,
    text: "this member of the anonymous object needs a name",
    hint: "write name = value",
    cause:
      "A member without a name takes that of the variable or property it comes from; other values have none.",
    example: "@(JsonConvert.SerializeObject(new { id = 1, context.RequestId }))",
  },
  mixedInitializer: {
    code: 3055,
    text: "an initializer holds either assignments or elements, not both",
    hint: 'write ["key"] = value for all, or { key, value } for all',
    cause: "Braces behind new either set members and elements by name, or add values one after the other.",
    example: '@(new JObject { ["a"] = 1, ["b"] = 2 })',
  },
  arraySize: {
    code: 3056,
    text: "an array needs a size or an initializer",
    hint: "write new T[n] or new T[] { … }",
    cause: "Without a size or values nobody knows how long the array is.",
    example: '@(new string[] { "a", "b" })',
  },
  newWithoutArguments: {
    code: 3057,
    text: "new needs an argument list, a size or an initializer",
    hint: "write ()",
    cause: "new calls a constructor, with its arguments in parentheses.",
    example: "@(new JObject())",
  },
  constWithoutValue: {
    code: 3058,
    text: "a constant needs a value",
    hint: "write = and the value",
    cause: "A constant gets its value where it is declared and keeps it.",
    example: "@{ const int limit = 5; return limit; }",
  },
  varWithoutValue: {
    code: 3059,
    text: "var needs a value to take its type from",
    hint: "write the type instead of var, or give it a value",
    cause: "var stands for the type of the value behind =.",
    example: '@{ string s; s = "a"; return s; }',
  },
  tryAlone: {
    code: 3060,
    text: "try needs a catch or a finally",
    hint: "add catch (Exception e) { … }",
    cause: "try without catch or finally would do nothing.",
    example: '@{ try { return int.Parse("x"); } catch (Exception) { return 0; } }',
  },
  elseAlone: {
    code: 3061,
    text: "this {0} belongs to no {1}",
    hint: "delete it, or look for a brace or semicolon too many before it",
    cause: "The word continues a statement, and the statement before it is another one or has already ended.",
    example: "@{ if (true) { return 1; } else { return 2; } }",
  },
  declarationAsBody: {
    code: 3062,
    text: "a declaration cannot be the body of {0}",
    hint: "put it in braces",
    cause: "A variable declared as the only statement of an if or a loop could never be used.",
    example: "@{ if (true) { var x = 1; return x; } return 0; }",
  },
  javascriptFor: {
    code: 3063,
    text: "C# walks through a collection with foreach",
    hint: "write foreach (var x in items)",
    cause: "for (… in …) and for (… of …) are JavaScript.",
    example: '@{ foreach (var h in context.Request.Headers) { return h.Key; } return ""; }',
  },
  javascriptDeclaration: {
    code: 3064,
    text: "{0} is JavaScript",
    hint: "{1}",
    cause:
      "The keyword belongs to JavaScript. C# declares variables with var or a type, and functions with their return type.",
    example: "@{ var x = 1; int Twice(int n) => n * 2; return Twice(x); }",
  },
  objectLiteral: {
    code: 3065,
    text: "a { cannot start a value",
    hint: 'write new { a = 1 } or new JObject { ["a"] = 1 }',
    cause: "Objects are made with new and a type; braces alone are a block of statements.",
    example: '@(new JObject { ["a"] = 1 })',
  },
  arrayLiteral: {
    code: 3066,
    text: "a [ cannot start a value",
    hint: "write new[] { a, b }",
    cause: "Arrays are made with new[]. Collection expressions came with C# 12, which policies do not have.",
    example: '@(new[] { "a", "b" })',
  },
  sectionWithoutLabel: {
    code: 3067,
    text: "statements in a switch need a case or default before them",
    hint: "write case value: or default: first",
    cause: "In a switch every statement belongs to a case or to default.",
    example: '@{ switch (1) { case 1: return "a"; default: return "b"; } }',
  },
  catchOrder: {
    code: 3068,
    text: "a catch without a type must be the last one",
    hint: "move it behind the others",
    cause: "A catch without a type takes every exception, so those behind it would never run.",
    example: "@{ try { return 1; } catch (FormatException) { return 2; } catch { return 3; } }",
  },
  duplicateDefault: {
    code: 3069,
    text: "the switch already has a default",
    hint: "delete one of them",
    cause: "A switch has at most one default.",
    example: '@{ switch (1) { case 1: return "a"; default: return "b"; } }',
  },
  queryEnd: {
    code: 3070,
    text: "query expressions end with select or group … by",
    hint: "add select and what each element gives",
    cause: "A query says at its end what each element gives.",
    example: '@(from g in context.User.Groups where g.Id != "x" select g.Name)',
  },
  emptyStatementBody: {
    code: 3071,
    text: "the body of this {0} is empty",
    hint: "delete the semicolon",
    cause: "The semicolon is the whole body, so the block behind it always runs.",
    example: "@{ if (true) { return 1; } return 2; }",
  },
  outOfScope: {
    code: 3080,
    text: "{0} cannot be used in policy expressions",
    hint: "expressions compute one value from context; leave it out",
    cause:
      "The construct is C#, but it would reach outside of the one value that an expression computes, or it needs a class around it.",
    example: "@(context.Request.IpAddress)",
  },
  newerSyntax: {
    code: 3081,
    text: "{0} is C# {1}; Azure API Management accepts C# 7 only",
    hint: "write it in C# 7 if the policy has to run there",
    cause: "Headgate reads newer C#, but the same policy would be refused by Azure API Management.",
    example: '@{ string s = null; s = s ?? "a"; return s; }',
  },
} as const satisfies Record<string, Entry>;

/** For the table of `diagnostics.ts`. */
export const SYNTAX_PAGES: Readonly<Record<string, Message>> = Object.fromEntries(
  Object.entries<Entry>(SYNTAX_MESSAGES).map(([id, { code, text, hint, cause, example }]) => [
    `HG${code}`,
    {
      severity: id === "newerSyntax" ? "warning" : "error",
      text: readable(text),
      ...(hint === null ? {} : { hint: readable(hint) }),
      explain: {
        cause,
        expected: "C# 7 as policy expressions know it.",
        mend: sentence(readable(hint ?? text)),
        example,
      },
    },
  ]),
);

function readable(text: string): string {
  return text.replace(/\{\d\}/g, "…");
}

function sentence(text: string): string {
  return `${text[0]!.toUpperCase()}${text.slice(1)}.`;
}

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
  const fill = (text: string): string =>
    text.replace(/\{([0-3])\}/g, (_, i: string) => args[Number(i)] ?? "");
  const { code, text } = SYNTAX_MESSAGES[id];
  const base = { code: `HG${code}`, severity, message: fill(text), start, end } as const;
  return hint === null ? base : { ...base, hint: fill(hint) };
}

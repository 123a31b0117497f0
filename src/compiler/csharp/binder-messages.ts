/**
 * What the binder can say: codes HG3100 to HG3199, merged into the one table of `diagnostics.ts`. Texts are one
 * sentence without a full stop; `{placeholders}` are names and types, never literals of the source (a named value
 * put into an expression may be a secret).
 */
import type { Message } from "../diagnostics.ts";
import type { BinderDiagnostic } from "./binder-untyped.ts";

type Entry = readonly [text: string, hint: string | null, cause: string, mend: string, example: string];

const ERRORS = {
  HG3100: [
    "the name `{name}` does not exist here",
    null,
    "The name is neither a variable in scope, nor `context`, nor a type that expressions may use. C# names are case-sensitive.",
    "Correct the name, or declare the variable before it is used.",
    '@{ var id = context.Subscription?.Id; return id ?? "none"; }',
  ],
  HG3101: [
    "the type `{name}` does not exist",
    null,
    "No .NET type of this name is known to policy expressions. Type names are case-sensitive.",
    "Correct the name; `headgate explain types` lists what is allowed.",
    '@((JObject)context.Variables["body"])',
  ],
  HG3102: [
    "Usage of type '{type}' is not supported within expressions",
    null,
    "The type exists in .NET, but it is not on the list of types that policy expressions may use (APIM0001).",
    "Use one of the allowed types instead, or do the work in a policy such as send-request.",
    '@(Convert.ToBase64String(Encoding.UTF8.GetBytes("x")))',
  ],
  HG3103: [
    "Usage of member '{member}' of type '{type}' is not supported within expressions",
    null,
    "The member exists in .NET, but policy expressions may not use it: it would reach outside of the request (APIM0002).",
    "Use another member of the type.",
    '@(XDocument.Parse("<a/>").Root.Name.LocalName)',
  ],
  HG3104: [
    "`{type}` has no member `{member}`",
    null,
    "The type of the value to the left of the dot has no property or method of this name. C# names are case-sensitive.",
    "Correct the name, or cast the value to the type you mean.",
    '@(context.Request.Headers.GetValueOrDefault("X-Id", ""))',
  ],
  HG3105: [
    "Dynamic member invocation is not supported",
    "use a static type such as JObject",
    "`dynamic` decides at run time what a member means; policy expressions are checked when they are saved (APIM0006).",
    "Declare the variable with its type, or with `var`.",
    '@{ JObject body = context.Request.Body.As<JObject>(true); return (string)body["a"]; }',
  ],
  HG3106: [
    "a value of type `{from}` cannot stand where `{to}` is wanted",
    null,
    "C# converts silently only where nothing can be lost or fail: from int to long, from a type to its base.",
    "Write a cast, or convert with `Convert`, `int.Parse` or `ToString()`.",
    '@{ string s = (string)context.Variables["name"]; return s; }',
  ],
  HG3107: [
    "a value of type `{from}` cannot be cast to `{to}`",
    null,
    "No conversion leads from the one type to the other, so the cast could never succeed.",
    "Convert with `Convert`, `Parse` or `ToString()` instead.",
    '@(int.Parse((string)context.Variables["count"]))',
  ],
  HG3108: [
    "operator {operator} cannot be applied to `{left}` and `{right}`",
    null,
    "The operator is not defined for these two types, and no conversion makes it so.",
    "Cast one of the sides, so that both have the same type.",
    '@((string)context.Request.Body.As<JObject>(true)["kind"] == "a")',
  ],
  HG3109: [
    "operator {operator} cannot be applied to `{operand}`",
    null,
    "The operator is not defined for this type.",
    "Cast or compare, so that the operand has a type the operator knows.",
    '@(!(bool)context.Variables["done"])',
  ],
  HG3110: [
    "`{member}` cannot be called with ({arguments})",
    null,
    "The member exists, but none of its overloads takes arguments of these types.",
    "Give arguments of the types in one of the signatures; cast where needed.",
    '@("hello".Substring(1, 3))',
  ],
  HG3111: [
    "`{member}` cannot be called with {count} argument(s)",
    null,
    "The member exists, but none of its overloads takes this number of arguments.",
    "Give the arguments of one of the signatures.",
    '@(context.Variables.GetValueOrDefault("x", "none"))',
  ],
  HG3112: [
    "the call of `{member}` fits several overloads equally well",
    "cast an argument to the type you mean",
    "More than one overload takes these arguments and none is better than the others.",
    "Cast an argument, `null` for example, to the type of the overload you mean.",
    "@(Convert.ToInt32((string)null))",
  ],
  HG3113: [
    "the type arguments of `{member}` cannot be worked out from its arguments",
    "write them: `{member}<…>(…)`",
    "A generic method takes its types from its arguments; here they say nothing, or contradict each other.",
    "Write the type arguments in angle brackets.",
    '@(context.Variables.GetValueOrDefault<string>("x"))',
  ],
  HG3114: [
    "this is no method and cannot be called",
    null,
    "Round brackets after a value call it; only methods, local functions and delegates can be called.",
    "Remove the brackets, or name the method.",
    '@("abc".Length)',
  ],
  HG3115: [
    "`{name}` is a method and has to be called",
    "write `{name}(…)`",
    "A method's name alone is no value.",
    "Add brackets with the arguments.",
    "@(context.RequestId.ToString())",
  ],
  HG3116: [
    "`{member}` belongs to the type, not to a value of it",
    "write `{type}.{member}`",
    "A static member is reached through the name of its type.",
    "Write the type's name before the dot.",
    '@(string.IsNullOrEmpty(""))',
  ],
  HG3117: [
    "`{member}` belongs to a value of type `{type}`, not to the type itself",
    null,
    "The member is not static: it needs a value before the dot.",
    "Put a value before the dot.",
    "@(DateTime.UtcNow.AddDays(1))",
  ],
  HG3118: [
    "`{member}` can only be read: the context never changes inside an expression",
    "use a policy such as set-variable or set-header",
    "Expressions read the request; policies change it.",
    "Return the value, and let set-variable, set-header, set-body or rewrite-uri store it.",
    '<set-variable name="x" value="@(1)" />',
  ],
  HG3119: [
    "`{name}` cannot be assigned to",
    null,
    "Only variables, array elements and members with a setter can stand on the left of an assignment.",
    "Assign to a variable instead.",
    '@{ var s = "a"; s = "b"; return s; }',
  ],
  HG3120: [
    "the variable `{name}` may be read before it has a value",
    "give it a value where it is declared",
    "On some way through the code nothing has been assigned to the variable yet.",
    "Assign a value at the declaration or on every way.",
    "@{ int x = 0; return x; }",
  ],
  HG3121: [
    "not every way through this code ends with a return",
    "add a `return` at the end",
    "An expression in `@{ }` (and a function that gives a value) has to return on every path.",
    "Return a value after the last statement, or throw.",
    '@{ if (context.Response == null) { return "none"; } return "some"; }',
  ],
  HG3122: [
    "`return` needs a value here",
    "write `return …;`",
    "The expression has to give a value, `null` for example.",
    "Write the value after `return`.",
    '@{ return "x"; }',
  ],
  HG3123: [
    "`{name}` is already the name of a variable here",
    "choose another name",
    "C# does not allow two variables of one name in a block, nor one that hides another from an enclosing block.",
    "Rename one of them.",
    "@{ int a = 1; { int b = 2; a += b; } return a; }",
  ],
  HG3125: [
    "the constant does not fit `{type}`",
    "compute in a wider type, or write `unchecked(…)`",
    "Constants are computed when the policy is saved, and overflow is a mistake there.",
    "Use a wider type: a suffix `L` makes a long.",
    "@(int.MaxValue + 1L)",
  ],
  HG3126: [
    "this divides by the constant zero",
    null,
    "Integer and decimal division by zero always fails.",
    "Divide by something else.",
    "@(10 / 2)",
  ],
  HG3127: [
    "a condition has to be `bool`, not `{type}`",
    null,
    "C# has no truthy values: numbers, texts and objects are no conditions.",
    "Compare with something.",
    '@(context.Variables.GetValueOrDefault<int>("n") != 0)',
  ],
  HG3128: [
    "`var` cannot take a type from {what}",
    "write the type instead of `var`",
    "`var` takes the type of the value, and this one has none of its own.",
    "Write the type.",
    "@{ string x = null; return x; }",
  ],
  HG3129: [
    "the two results of `? :` have no common type: `{left}` and `{right}`",
    "cast one of them to the type of the other",
    "Both results of a conditional have to convert to one type.",
    "Cast one of them, to `object` if nothing else fits.",
    '@(true ? (object)1 : "a")',
  ],
  HG3130: [
    "`{type}` cannot be walked through with foreach",
    null,
    "foreach and query expressions need a sequence: an array, a list, a JArray, a string …",
    "Walk through a member that is a sequence.",
    '@{ foreach (var g in context.User.Groups) { return g.Name; } return ""; }',
  ],
  HG3131: [
    "`{type}` has no indexer: square brackets mean nothing here",
    null,
    "Only arrays, strings, lists, dictionaries and JSON tokens have elements by index or name.",
    "Cast the value to the type you mean.",
    '@(((JObject)context.Variables["o"])["a"].ToString())',
  ],
  HG3133: [
    "`{type}` is a type; a value is wanted here",
    null,
    "The name of a type is no value.",
    "Use a member of the type, or create one with `new`.",
    "@(Guid.NewGuid())",
  ],
  HG3134: [
    "`{member}` gives no value",
    null,
    "A `void` method does something and gives nothing back.",
    "Call it as a statement of its own.",
    '@{ context.Trace("x"); return true; }',
  ],
  HG3135: [
    "a lambda has no type of its own here",
    "store it in a `Func<…>` variable, or pass it to a method",
    "What a lambda is depends on the delegate type it is converted to, and here is none.",
    "Give it a delegate type.",
    "@{ Func<int, int> twice = x => x * 2; return twice(4); }",
  ],
  HG3136: [
    "argument {number} has to be passed with `{mode}`",
    null,
    "The parameter is an `out` parameter and the argument says something else (or the other way round).",
    "Write `out` where the signature has it, and only there.",
    '@{ int n; return int.TryParse("5", out n) ? n : 0; }',
  ],
  HG3137: [
    "`{member}` has no parameter named `{name}`",
    null,
    "Named arguments use the names of the parameters.",
    "Correct the name, or leave it out.",
    "@(context.Request.Body.As<string>(preserveContent: true))",
  ],
  HG3139: [
    "there is no loop{orSwitch} around this `{word}`",
    null,
    "`break` leaves a loop or switch, `continue` goes on with the next turn of a loop.",
    "Remove it, or write `return`.",
    "@{ foreach (var c in \"abc\") { if (c == 'b') { break; } } return 1; }",
  ],
  HG3140: [
    "this case runs on into the next one",
    "end it with `break;` or `return …;`",
    "C# does not fall through from one case to the next.",
    "End every case with break, return, throw or goto case.",
    '@{ switch (1) { case 1: return "a"; default: return "b"; } }',
  ],
  HG3141: [
    "this case can never be reached: an earlier one takes its values",
    "remove it or change the order",
    "The cases are tried in order, and this one's values are all taken before.",
    "Remove the case, or put it before the wider one.",
    "@{ object o = 1; switch (o) { case int n when n > 3: return 1; case int n: return 2; default: return 3; } }",
  ],
  HG3142: [
    "there is no label `{name}` here",
    null,
    "goto leads to a label in the same or an enclosing block of the same function.",
    "Correct the name, or use a loop.",
    "@{ goto end; end: return 4; }",
  ],
  HG3143: [
    "a constant is wanted here",
    null,
    "case labels, constants and default values of parameters are worked out when the policy is saved.",
    "Write a constant, or compare with `==` or `when`.",
    '@{ switch (1) { case 1: return "a"; default: return "b"; } }',
  ],
  HG3144: [
    "`typeof` can only be passed to a method that asks for it, such as Enum.Parse",
    null,
    "Policy expressions have no reflection.",
    "Test types with `is` and patterns.",
    '@(context.Variables["x"] is JObject)',
  ],
  HG3145: [
    "`{type}` cannot be filled with a list of elements: it has no matching `Add`",
    null,
    "A collection initializer calls `Add` for each element.",
    "Create the object first, then fill it.",
    "@(new List<int> { 1, 2 }.Count)",
  ],
  HG3146: [
    "`?.` is of no use here: `{type}` is never null",
    "write `.`",
    "The null-conditional operator works on references and nullable values.",
    "Write a plain dot.",
    "@(context.User?.Email)",
  ],
  HG3147: [
    "this has to be {wanted}, but the expression gives `{type}`",
    null,
    "The place where the expression stands decides which type it must have.",
    "Convert the result: compare for a condition, `int.Parse` or a cast for a number.",
    '<when condition="@(context.Response.StatusCode == 200)">',
  ],
  HG3148: [
    "{feature} cannot be used in policy expressions",
    null,
    "This part of C# is left out of policy expressions.",
    "Write it in another way.",
    "@(new[] { 1, 2 }.Length)",
  ],
  HG3149: [
    "the expression is too complicated to check",
    "split it into several set-variable policies",
    "Checking this expression takes more steps than are allowed.",
    "Split it.",
    "@(1)",
  ],
  HG3150: [
    "{problem}",
    null,
    "A constant argument is checked when the policy is saved: patterns, formats and names.",
    "Correct the argument.",
    '@(Regex.IsMatch("a", "^[a-z]+$"))',
  ],
  HG3153: [
    "`{type}` is no exception",
    null,
    "Only exceptions can be thrown and caught.",
    "Use Exception or a type derived from it.",
    '@{ try { return int.Parse("x"); } catch (FormatException) { return 0; } }',
  ],
  HG3154: [
    "the array has {given} elements, but its size says {size}",
    null,
    "Size and number of elements have to agree.",
    "Leave the size out.",
    "@(new[] { 1, 2, 3 }.Length)",
  ],
  HG3155: [
    "this returns a value, but nothing is wanted",
    "write `return;`",
    "The function or lambda returns nothing.",
    "Remove the value.",
    "@{ Action<int> f = x => { return; }; f(1); return 1; }",
  ],
  HG3156: [
    "`{type}` cannot be created with `new`",
    null,
    "Interfaces, static classes and some other types have no constructor that expressions may use.",
    "Create a class that implements it, or call a factory method.",
    "@(new Dictionary<string, string>().Count)",
  ],
  HG3157: [
    "`{type}` needs {count} type argument(s)",
    null,
    "Generic types need a fixed number of type arguments.",
    "Write them in angle brackets.",
    "@(new List<string>().Count)",
  ],
  HG3158: [
    "a tuple of {right} cannot be taken apart into {left} variables",
    null,
    "Both sides of a deconstruction need the same number of elements.",
    "Add or remove elements; `_` skips one.",
    "@{ (int q, int r) = (7 / 2, 7 % 2); return q + r; }",
  ],
  HG3159: [
    "`{name}` is given twice",
    null,
    "The same argument or member is given a second time.",
    "Remove one of them.",
    "@(new { a = 1, b = 2 }.a)",
  ],
  HG3160: [
    "there is nothing here to take the type from",
    "write the type",
    "`default`, `new()`, an array or a switch expression without a type of its own needs a place that has one.",
    "Write the type.",
    "@(default(string) == null)",
  ],
  HG3161: [
    "`throw;` can only stand inside a catch block",
    "write `throw new Exception(…);`",
    "Without a value, throw passes on the exception being handled.",
    "Throw a new exception.",
    '@{ throw new Exception("failed"); }',
  ],
  HG3162: [
    "a value of type `{type}` can never be `{target}`",
    null,
    "The test can be decided when the policy is saved: it never holds.",
    "Test for another type.",
    '@(context.Variables["x"] is string)',
  ],
} as const satisfies Record<string, Entry>;

const WARNINGS = {
  HG3180: [
    "this code can never be reached",
    "remove it",
    "Every way to it ends before: by return, throw, break, continue or an endless loop.",
    "Remove it, or correct what stands before it.",
    "@{ return 1; }",
  ],
  HG3181: [
    "comparing `object` with `string` compares references in C#",
    "cast: `(string)…`",
    "`==` between an object and a string asks whether both are the same object. Headgate compares the texts when both " +
      "are strings, as the policies that do this mean it.",
    "Cast the object to string.",
    '@((string)context.Variables["x"] == "a")',
  ],
  HG3182: [
    "{warning}",
    null,
    "The library says something about this member that is worth knowing.",
    "See the message.",
    "@(1)",
  ],
  HG3183: [
    "{feature} is C# {version}; Azure API Management accepts C# 7 only",
    null,
    "Headgate reads newer C#, but the same policy would be refused by Azure API Management.",
    "Write it in C# 7 if the policy has to run there.",
    "@(1)",
  ],
  HG3184: [
    "this is always {value}: `{type}` is never null",
    null,
    "A value type is never null, so the comparison is decided.",
    "Remove the comparison, or compare with another value.",
    "@(context.Response == null)",
  ],
} as const satisfies Record<string, Entry>;

export type BinderErrorCode = keyof typeof ERRORS;
export type BinderWarningCode = keyof typeof WARNINGS;
export type BinderCode = BinderErrorCode | BinderWarningCode;

function message(severity: "error" | "warning", [text, hint, cause, mend, example]: Entry): Message {
  const expected = mend.split(/[;.]/)[0]!;
  return {
    severity,
    text,
    ...(hint === null ? {} : { hint }),
    explain: { cause, expected: `${expected}.`, mend, example },
  };
}

/** For the table of `diagnostics.ts`. */
export const BINDER_MESSAGES = Object.fromEntries([
  ...Object.entries(ERRORS).map(([code, entry]) => [code, message("error", entry)]),
  ...Object.entries(WARNINGS).map(([code, entry]) => [code, message("warning", entry)]),
]) as Readonly<Record<BinderCode, Message>>;

/** Makes a diagnostic. `{name}` in text and hint take the values; a `hint` given here replaces the table's. */
export function binderDiagnostic(
  code: BinderCode,
  span: { readonly start: number; readonly end: number },
  values: Readonly<Record<string, string | number>> = {},
  hint: string | null = BINDER_MESSAGES[code].hint ?? null,
): BinderDiagnostic {
  const fill = (text: string): string =>
    text.replace(/\{(\w+)\}/g, (all, name: string) =>
      Object.hasOwn(values, name) ? String(values[name]) : all,
    );
  const { severity, text } = BINDER_MESSAGES[code];
  const base = { code, severity, message: fill(text), start: span.start, end: span.end };
  return hint === null ? base : { ...base, hint: fill(hint) };
}

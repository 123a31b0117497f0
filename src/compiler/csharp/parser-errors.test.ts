import { expect, test } from "vitest";
import { MAX_NESTING } from "./parser-cursor.ts";
import { SYNTAX_MESSAGES } from "./parser-messages.ts";
import { MAX_SOURCE_LENGTH, parseExpression } from "./parser.ts";

function parse(text: string, languageVersion: "7" | "latest" = "latest") {
  const kind = text[1] === "{" ? ("block" as const) : ("expression" as const);
  const source = text.slice(2, -1);
  return { source, ...parseExpression(source, { kind, languageVersion }) };
}

/** Code, line:column inside the brackets, and the text under the squiggle (nothing where something is missing). */
function complaints(text: string, languageVersion: "7" | "latest" = "latest"): string[] {
  const { source, diagnostics } = parse(text, languageVersion);
  return diagnostics.map(({ code, start, end }) => {
    const lines = source.slice(0, start).split("\n");
    return `${code} ${lines.length}:${lines.at(-1)!.length + 1} ${source.slice(start, end)}`.trim();
  });
}

const MISTAKES: readonly (readonly [string, readonly string[]])[] = [
  ['@("abc)', ['HG3006 1:1 "abc']],
  ['@(a.b("x)', ['HG3006 1:5 "x']],
  ["@('abc')", ["HG3012 1:1 'abc'"]],
  ["@(a === b)", ["HG3018 1:3 ==="]],
  ["@(a !== b)", ["HG3018 1:3 !=="]],
  ["@(`x ${y}`)", ["HG3015 1:1 `x ${y}`"]],
  ["@(a and b)", ["HG3046 1:3 and"]],
  ["@(a == 1 or b == 2)", ["HG3046 1:8 or"]],
  ["@(not a)", ["HG3046 1:1 not"]],
  ["@(“abc”)", ["HG3014 1:1 “"]],
  ["@(a =< b)", ["HG3019 1:3 =<"]],
  ["@(a.b => 5)", ["HG3047 1:5 =>"]],
  ["@(f(a)", ["HG3034 1:4"]],
  ["@(f(a, b])", ["HG3034 1:7"]],
  ["@(f(a b))", ["HG3033 1:5 b"]],
  ["@(f(a,))", ["HG3030 1:5"]],
  ["@(a + )", ["HG3030 1:4"]],
  ["@(a..b)", ["HG3081 1:2 .."]],
  ["@(a ** b)", ["HG3019 1:3 **"]],
  ["@(a <> b)", ["HG3019 1:3 <>"]],
  ["@(a = = b)", ["HG3033 1:5 ="]],
  ["@(a;)", ["HG3037 1:2 ;"]],
  ["@(return a;)", ["HG3038 1:1 return"]],
  ["@(if (a) { return 1; })", ["HG3038 1:1 if"]],
  ["@(var x = 1)", ["HG3038 1:1 var"]],
  ["@(a b)", ["HG3036 1:3 b"]],
  ['@("a" "b")', ['HG3050 1:5 "b"']],
  ['@("a"b"c")', ["HG3050 1:4 b"]],
  ["@(a))", ["HG3035 1:2 )"]],
  ["@(a ? b)", ["HG3032 1:6"]],
  ["@(a ? b : )", ["HG3030 1:8"]],
  ['@($"{a ? b : c}")', ["HG3049 1:10 : c"]],
  ['@($"{a")', ['HG3008 1:1 $"']],
  ['@($"{a} }")', ["HG3009 1:7 }"]],
  ['@($"{}")', ["HG3030 1:4"]],
  ['@($"{f(a}")', ["HG3034 1:7"]],
  ['@({ "a": 1 })', ["HG3065 1:1 {"]],
  ["@([1, 2])", ["HG3066 1:1 ["]],
  ['@(new { "a": 1 })', ['HG3054 1:7 "a"']],
  ["@(new { a: 1 })", ["HG3033 1:8 :"]],
  ["@(new { 1 })", ["HG3054 1:7 1"]],
  ["@(new T)", ["HG3057 1:6"]],
  ["@(new int[])", ["HG3056 1:10"]],
  ["@(new)", ["HG3044 1:4"]],
  ["@(1abc)", ["HG3016 1:1 1abc"]],
  ["@(99999999999999999999999)", ["HG3017 1:1 99999999999999999999999"]],
  ['@("\\d+")', ["HG3010 1:2 \\d"]],
  ["@(function (x) { return x; })", ["HG3064 1:1 function"]],
  ["@(typeof x)", ["HG3064 1:1 typeof"]],
  ["@(this.x)", ["HG3080 1:1 this"]],
  ["@(await f())", ["HG3080 1:1 await"]],
  ["@(async x => x)", ["HG3080 1:1 async"]],
  ["@(delegate (int x) { return x; })", ["HG3080 1:1 delegate"]],
  ["@(f(ref x))", ["HG3080 1:3 ref"]],
  ["@(x is not null)", ["HG3081 1:6 not"]],
  ["@(x!)", ["HG3081 1:2 !"]],
  ["@(a[^1])", ["HG3081 1:3 ^"]],
  ["@(a[1..2])", ["HG3081 1:4 .."]],
  ["@(x.class)", ["HG3043 1:3 class"]],
  ["@(x.)", ["HG3042 1:3"]],
  ["@(x?.)", ["HG3042 1:4"]],
  ["@(.5.)", ["HG3042 1:4"]],
  ["@(string)", ["HG3032 1:7"]],
  ["@(string.)", ["HG3042 1:8"]],
  ["@((int)", ["HG3032 1:5"]],
  ["@(a &quot;b&quot;)", ["HG3020 1:3 &quot;b&quot;", "HG3050 1:3 &quot;b&quot;"]],
  ["@(a &amp;&amp; b)", ["HG3020 1:3 &amp;&amp;"]],
  ["@(a &lt; b)", ["HG3020 1:3 &lt;"]],
  ["@(@(x))", ["HG3021 1:1 @"]],
  ["@(a /* x)", ["HG3005 1:3 /*"]],
  ["@(1 + throw e)", ["HG3051 1:5 throw"]],
  ["@(1 + x => 2)", ["HG3052 1:5 x"]],
  ["@((x, int y) => 1)", ["HG3053 1:1 (x, int y)"]],
  ["@(a++ = 3)", ["HG3045 1:1 a++"]],
  ["@(1 = 2)", ["HG3045 1:1 1"]],
  ["@(a?.b = 3)", ["HG3045 1:1 a?.b"]],
  ["@(from x in xs)", ["HG3070 1:13"]],
  ["@(nameof())", ["HG3032 1:9"]],
  ["@()", ["HG3041 1:1"]],
  ["@(#if x)", ["HG3004 1:1 #if x"]],
  ["@(x​)", ["HG3003 1:2 ​"]],
  ["@((dynamic)x)", ["HG3080 1:2 dynamic"]],
  ["@(new List<int)", ["HG3032 1:13"]],
  ['@(context.Variables["a"]["b")', ["HG3034 1:27"]],
  ['@(context.Variables.GetValueOrDefault<string>("a", "b")', ["HG3034 1:53"]],
  ["@(\"it's\" + 'it's')", ["HG3012 1:10 'it'", "HG3050 1:14 s", "HG3013 1:15 '"]],
  ["@(a -> b)", ["HG3080 1:3 ->"]],
  ["@(x switch { 1 => 2 })", ["HG3081 1:3 switch"]],
  ["@(a >>> b)", ["HG3033 1:5 >"]],
  ["@(sizeof(int))", ["HG3080 1:1 sizeof"]],
  ["@(stackalloc int[3])", ["HG3080 1:1 stackalloc"]],
  ["@(x with { a = 1 })", ["HG3080 1:3 with"]],
  ["@(a?b:c:d)", ["HG3036 1:6 :"]],
  ["@(a!b)", ["HG3036 1:2 !"]],
  ["@(-)", ["HG3030 1:2"]],
  ["@(!)", ["HG3030 1:2"]],
  ['@{ "a" }', ['HG3040 1:2 "a"']],
  ["@{ a + b; }", ["HG3040 1:2 a + b"]],
  ["@{ a == b }", ["HG3040 1:2 a == b"]],
  ["@{ return a }", ["HG3032 1:10"]],
  ["@{ return a b; }", ["HG3033 1:11 b"]],
  ["@{ var x = 1 return x; }", ["HG3032 1:11"]],
  ["@{\n var x = 1\n return x;\n}", ["HG3032 2:11"]],
  ["@{ int = 5; return 1; }", ["HG3042 1:5"]],
  ['@{ string class = "x"; return 1; }', ["HG3043 1:9 class"]],
  ["@{ let x = 1; return x; }", ["HG3064 1:2 let"]],
  ["@{ const x = 1; return x; }", ["HG3044 1:8"]],
  ["@{ const int x; }", ["HG3058 1:12 x"]],
  ["@{ var x; return x; }", ["HG3059 1:6 x"]],
  ["@{ if a == b { return 1; } }", ["HG3032 1:4"]],
  ["@{ if (a = 5) { return 1; } return 2; }", ["HG3048 1:8 ="]],
  ["@{ if (a => 5) { return 1; } return 2; }", ["HG3047 1:6 a => 5"]],
  ["@{ if (a) then { return 1; } }", ["HG3031 1:9 then"]],
  ["@{ if (a); { return 1; } }", ["HG3071 1:8 ;"]],
  ["@{ if (a == (b) { return 1; } return 2; }", ["HG3034 1:14"]],
  ["@{ if (a)) { return 1; } return 2; }", ["HG3035 1:8 )"]],
  ["@{ if (a) { return 1; return 2; }", ["HG3034 1:30"]],
  ["@{ return 1; } }", ["HG3035 1:12 }"]],
  ["@{ for (var x in xs) { } return 1; }", ["HG3063 1:2 for"]],
  ["@{ for (let x of xs) { } return 1; }", ["HG3063 1:2 for"]],
  ["@{ foreach (x in xs) { } return 1; }", ["HG3044 1:11"]],
  ["@{ foreach (var x of xs) { } return 1; }", ["HG3033 1:17 of"]],
  ["@{ foreach var x in xs { } return 1; }", ["HG3032 1:9"]],
  ["@{ for (int i = 0, i < 5, i++) { } return 1; }", ["HG3032 1:19", "HG3032 1:23"]],
  ["@{ for (int i = 0; i < 5) { } return 1; }", ["HG3032 1:23"]],
  ["@{ while (true { } return 1; }", ["HG3034 1:13"]],
  ["@{ else { } return 1; }", ["HG3061 1:2 else"]],
  ["@{ try { } return 1; }", ["HG3060 1:2 try"]],
  ["@{ try { } catch Exception e { } return 1; }", ["HG3032 1:15"]],
  ["@{ switch (a) { case 1; return 1; } }", ["HG3033 1:21 ;"]],
  ["@{ switch (a) { return 1; } }", ["HG3067 1:15 return"]],
  ["@{ switch (a) { default: default: return 1; } }", ["HG3069 1:24 default:"]],
  ["@{ lock (a) { } return 1; }", ["HG3080 1:2 lock"]],
  ["@{ yield return 1; }", ["HG3080 1:2 yield"]],
  ["@{ using System; return 1; }", ["HG3080 1:2 using"]],
  ["@{ class X { } return 1; }", ["HG3080 1:2 class"]],
  ["@{ public int F() { return 1; } return F(); }", ["HG3080 1:2 public"]],
  ["@{ function f(x) { return x; } return f(1); }", ["HG3064 1:2 function"]],
  ["@{ ref int x = ref y; return x; }", ["HG3080 1:2 ref"]],
  ["@{ async Task f() { } return 1; }", ["HG3080 1:2 async"]],
  ["@{ int f(x) { return 1; } return f(1); }", ["HG3042 1:9"]],
  ["@{ int f(int x) return 1; }", ["HG3032 1:14"]],
  ["@{ goto; }", ["HG3042 1:6"]],
  ["@{ T f<T>(T x) => x; return f(1); }", ["HG3080 1:5 <"]],
  ["@{ [Obsolete] int f() => 1; return f(); }", ["HG3080 1:2 ["]],
  ["@{ var x = foo(a;\n return x; }", ["HG3034 1:15"]],
  ["@{ var a = b.c(d; var e = f(g; return 1; }", ["HG3034 1:15", "HG3034 1:28"]],
  ['@{ x.y("a" + b "c"); return 1; }', ['HG3050 1:14 "c"']],
  ['@{ var s = "abc;\n return s; }', ['HG3006 1:10 "abc;']],
  ["@{ foo() bar(); return 1; }", ["HG3033 1:8 bar"]],
  ['@{ return $"{a"; }', ['HG3008 1:9 $"']],
  ["@{ if (a) var x = 1; return 1;}", ["HG3062 1:9 var x = 1;"]],
  ['@{ var x = new JObject { "a" = 1 }; return x; }', ['HG3033 1:24 "a"']],
  ['@{ var x = new JObject { ["a"] : 1 }; return x; }', ["HG3032 1:29"]],
  ["@{ elseif (x) { } return 1;}", ["HG3033 1:13 {"]],
  ["@{ if (a) { return 1; } elseif (b) { return 2; } return 3; }", ["HG3046 1:23 elseif"]],
  ["@{ if (a) { return 1; } elif (b) { return 2; } return 3; }", ["HG3046 1:23 elif"]],
  ['@{ string[] x = ["a", "b"]; return x; }', ["HG3066 1:15 ["]],
  ["@{ var x = 'hello'; return x; }", ["HG3012 1:10 'hello'"]],
  ['@{ console.log("a") return 1; }', ["HG3032 1:18"]],
  ["@{ do { } return 1; }", ["HG3032 1:8"]],
  ["@{ unsafe { } }", ["HG3080 1:2 unsafe"]],
  ["@{ catch (Exception e) { } return 1; }", ["HG3061 1:2 catch"]],
  ["@{ return a\n}", ["HG3032 1:10"]],
  ['@{ string s = "a" + ; return s; }', ["HG3030 1:18"]],
  ["@{ int[] a = new int[3; return a; }", ["HG3034 1:21"]],
  ["@{ a.b(); c.d( }", ["HG3034 1:13"]],
  ["@{ @{ return 1; } }", ["HG3021 1:2 @"]],
  ["@{ return @(x); }", ["HG3021 1:9 @"]],
];

test.each(MISTAKES)("%s", (text, expected) => {
  expect(complaints(text)).toEqual(expected);
});

test("every mistake comes with a hint", () => {
  for (const [text] of MISTAKES)
    for (const { code, hint } of parse(text).diagnostics) expect([code, hint]).not.toEqual([code, undefined]);
});

test.each([
  ["@(f('ab') + 'cd' + 1ab)", ["HG3012 1:3 'ab'", "HG3012 1:11 'cd'", "HG3016 1:18 1ab"]],
  ["@{\n  var a = f(1;\n  var b = g[2;\n  return a + ;\n}", ["HG3034 2:14", "HG3034 3:14", "HG3030 4:13"]],
  [
    "@{ if (a = 1) { x === y; }\n  for (var q in w) { return }\n  return 'abc'; }",
    [
      "HG3048 1:8 =",
      "HG3018 1:17 ===",
      "HG3039 1:15 x === y",
      "HG3063 2:3 for",
      "HG3032 2:28",
      "HG3012 3:10 'abc'",
    ],
  ],
])("several mistakes in one expression: %s", (text, expected) => {
  expect(complaints(text).toSorted()).toEqual(expected.toSorted());
});

test.each([
  "@(a is not null)",
  "@(a switch { _ => 1 })",
  "@{ a ??= b; return a; }",
  "@{ List<int> x = new(); return x; }",
  '@("""raw""")',
  "@(a[^1])",
  "@(a[1..])",
  "@(a!.b)",
  "@{ using var x = f(); return x; }",
  "@{ static int f() => 1; return f(); }",
  '@(@$"{a}")',
  "@(a is { b: 1 })",
  "@(a is > 1)",
  '@($"{a\n}")',
])("newer than C# 7, a warning by default and an error in strict mode: %s", (text) => {
  const lenient = parse(text).diagnostics;
  const strict = parse(text, "7").diagnostics;
  expect(lenient.map((d) => [d.code, d.severity])).toContainEqual(["HG3081", "warning"]);
  expect(lenient.filter((d) => d.severity === "error")).toEqual([]);
  expect(strict.map((d) => [d.code, d.severity])).toContainEqual(["HG3081", "error"]);
});

test("nothing newer is seen in plain C# 7", () => {
  const text =
    '@{ if (a is int n && n > 3 || a?.b is string) { f(out var x); var (p, q) = (1, x); } return $@"{a}" + default(int); }';
  expect(complaints(text, "7")).toEqual([]);
});

/** What could make a parser slow or overflow its stack, repeated up to the largest source. */
const HOSTILE = (
  "( ) [ ] { } (( ([ ()( a< a<( (a, (a) a? a?b: a+ a. a?. a?[ a[ ! - -- (int) x=> (x)=> {{ }} if(a) if(a)b();else a; " +
  '$"{ " \' @" ` # new[]{ new@T{ new@T{a={ case@ switch(a){case@1: x@switch{ x@is@( is@ not@ and@ from@x@in@ ' +
  "from@x@in@y@select@ List< int[] a?? a= try{ (a,b)= var( f(a, x=>{ $$$ a<b> a<b, (a<b,( a>> using(a) lock@ class@a{ & && " +
  "&amp; === goto@case@ a: throw@ foreach( for(;; do@ T@f( T@f(){ .. ^ a.. nameof( delegate typeof( ?. ?? => -> :: 'a \\ \\x @ @( $ \u2018 , ;"
)
  .split(" ")
  .map((part) => part.replaceAll("@", " "));

test.each(HOSTILE)("any amount of %j gives a tree and at most 50 complaints", (part) => {
  const source = part.repeat(Math.floor(MAX_SOURCE_LENGTH / part.length));
  for (const kind of ["expression", "block"] as const) {
    const { tree, diagnostics } = parseExpression(source, { kind });
    expect(tree.kind === "block").toBe(kind === "block");
    expect(diagnostics.length).toBeLessThanOrEqual(51);
  }
});

test.each([
  ["parentheses", (n: number) => "(".repeat(n) + "a" + ")".repeat(n)],
  ["unary operators", (n: number) => "!".repeat(n) + "a"],
  ["lambdas", (n: number) => "x => ".repeat(n) + "x"],
  ["conditionals", (n: number) => "a ? b : ".repeat(n) + "c"],
])("nesting of %s is bounded", (_, make) => {
  expect(parseExpression(make(50), { kind: "expression" }).diagnostics).toEqual([]);
  const { diagnostics } = parseExpression(make(MAX_NESTING * 4), { kind: "expression" });
  expect(diagnostics.map((d) => d.code)).toEqual(["HG3001"]);
});

test("a chain of 500 concatenations is no nesting, one of 5,000 is too deep a tree", () => {
  const chain = (n: number): string => Array.from({ length: n }, (_, i) => `"${i}"`).join(" + ");
  expect(parseExpression(chain(500), { kind: "expression" }).diagnostics).toEqual([]);
  expect(parseExpression(chain(5000), { kind: "expression" }).diagnostics.map((d) => d.code)).toEqual([
    "HG3001",
  ]);
});

test("a source over 64 KiB is refused unread", () => {
  const { diagnostics } = parseExpression("a".repeat(MAX_SOURCE_LENGTH + 1), { kind: "expression" });
  expect(diagnostics.map((d) => d.code)).toEqual(["HG3000"]);
});

test("messages have codes of their own and quote no names or literals of the source", () => {
  const codes = Object.values(SYNTAX_MESSAGES).map(({ code }) => code);
  expect(new Set(codes).size).toBe(codes.length);
  for (const [text] of MISTAKES) {
    const secret = text.replace(/\b(?!(?:if|is|as|in|of)\b)[a-z]\b/g, "s3cr3t");
    for (const { message, hint } of parse(secret).diagnostics)
      expect(message + (hint ?? "")).not.toContain("s3cr3t");
  }
});

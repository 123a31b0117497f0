/** What C# code gives when it runs: source → text of the value, `!Exception`, or `!!limit` for a spent budget. */
import { beforeEach, expect, test } from "vitest";
import { compileDetailed } from "../csharp/compile-expression.ts";
import { configureBudget } from "../runtime/budget.ts";
import { BudgetError, NetException } from "../runtime/errors.ts";
import type { HostContext } from "../runtime/host.ts";
import { textOf, typeOf } from "../runtime/values.ts";

beforeEach(() => configureBudget(() => 0));

const context = {
  variables: new Map<string, unknown>([
    ["s", "text"],
    ["n", 7],
    ["null", null],
  ]),
} as unknown as HostContext;

function outcome(code: string, form: "expression" | "block"): string {
  const { value, diagnostics } = compileDetailed(code, form, "any");
  if (value === null) return diagnostics.map((d) => `${d.code} ${d.message}`).join("; ");
  try {
    const result = value(context);
    if (result === null) return "null";
    return `${typeOf(result).name.replace(/^System\./, "")} ${textOf(result)}`;
  } catch (error) {
    if (error instanceof NetException) return `!${error.typeName.replace(/^.*\./, "")}`;
    if (error instanceof BudgetError) return `!!${error.limit}`;
    throw error;
  }
}

const EXPRESSIONS: readonly (readonly [string, string])[] = [
  // numbers
  ["7 / 2", "Int32 3"],
  ["-7 / 2", "Int32 -3"],
  ["-7 % 3", "Int32 -1"],
  ["7 / 2.0", "Double 3.5"],
  ["1 + 2L", "Int64 3"],
  ['(byte)(int)context.Variables["n"]', "Byte 7"],
  ["(short)1 + (short)2", "Int32 3"],
  ["'a' + 'b'", "Int32 195"],
  ["'a' + 1", "Int32 98"],
  ["\"a\" + 'b'", "String ab"],
  ["(char)('a' + 1)", "Char b"],
  ["1 << 33", "Int32 2"],
  ["-8 >> 1", "Int32 -4"],
  ["0xFFu & 0x0F", "UInt32 15"],
  ["~0", "Int32 -1"],
  ["true ^ true", "Boolean False"],
  ["unchecked(int.MaxValue + 1)", "Int32 -2147483648"],
  ["unchecked((byte)300)", "Byte 44"],
  ['checked(int.MaxValue + (int)context.Variables["n"])', "!OverflowException"],
  ['int.MaxValue + (int)context.Variables["n"]', "Int32 -2147483642"],
  ['1 / ((int)context.Variables["n"] - 7)', "!DivideByZeroException"],
  ["1.0 / 0 > 5", "Boolean True"],
  ["0.1m + 0.20m", "Decimal 0.30"],
  ["10m / 4", "Decimal 2.5"],
  ["(int)3.99", "Int32 3"],
  ["(int)-3.99m", "Int32 -3"],
  ["true ? 1 : 2.5", "Double 1"],
  ["1 == 1L", "Boolean True"],
  ["1.Equals(1L)", "Boolean False"],
  ["(object)1 == (object)1", "Boolean False"],
  ["long.MaxValue", "Int64 9223372036854775807"],
  ["-9223372036854775808", "Int64 -9223372036854775808"],
  ["-2147483648", "Int32 -2147483648"],
  ["1_000 + 0b11", "Int32 1003"],
  // nullable values
  ["(int?)null + 1", "null"],
  ["(int?)2 + 1", "Int32 3"],
  ["(int?)null < 1", "Boolean False"],
  ["(int?)null == null", "Boolean True"],
  ["((int?)null) ?? 5", "Int32 5"],
  ["((int?)3).Value", "Int32 3"],
  ["((int?)null).Value", "!InvalidOperationException"],
  ["((int?)null).HasValue", "Boolean False"],
  ["(bool?)null & false", "Boolean False"],
  ["(bool?)null | true", "Boolean True"],
  ["(bool?)null & true", "null"],
  // texts
  ['"a" + null + 1 + true + 1.5', "String a1True1.5"],
  ['$"{1,3}|{2,-3}|{3:000}"', "String   1|2  |003"],
  ['$"{{{(string)context.Variables["s"]}}}"', "String {text}"],
  ['"abc"[1]', "Char b"],
  ['"abc"[3]', "!IndexOutOfRangeException"],
  ['(string)null + "x"', "String x"],
  ['((string)context.Variables["null"]).Length', "!NullReferenceException"],
  ['(string)context.Variables["n"]', "!InvalidCastException"],
  ['(int)context.Variables["null"]', "!NullReferenceException"],
  ['(int?)context.Variables["null"]', "null"],
  ["nameof(context.Variables)", "String Variables"],
  // choosing
  ['context.Variables["null"] ?? "d"', "String d"],
  ['(string)context.Variables["missing"] ?? (string)context.Variables["s"]', "String text"],
  ['((string)context.Variables["null"])?.Length', "null"],
  ['((string)context.Variables["s"])?.Length', "Int32 4"],
  ['((string)context.Variables["s"])?.Length + 1', "Int32 5"],
  ['((string)context.Variables["null"])?.Substring(1).Length.ToString() ?? "none"', "String none"],
  ['(string)context.Variables["null"] ?? throw new Exception("x")', "!Exception"],
  ['context.Variables["n"] is int', "Boolean True"],
  ['context.Variables["n"] is int n && n > 5', "Boolean True"],
  ['context.Variables["n"] is string s ? s : "no"', "String no"],
  ['context.Variables["n"] is 7', "Boolean True"],
  ['context.Variables["null"] is null', "Boolean True"],
  ['context.Variables["null"] is object', "Boolean False"],
  ['context.Variables["n"] as string', "null"],
  ['context.Variables["n"] as int? ?? 0', "Int32 7"],
  ['context.Variables["s"] is not null and not "x"', "Boolean True"],
  ['(int)context.Variables["n"] switch { < 5 => "low", 7 => "seven", _ => "high" }', "String seven"],
  [
    'context.Variables["n"] switch { string t => t, int i when i > 7 => "big", int => "int", _ => "?" }',
    "String int",
  ],
  ['context.Variables["s"] switch { int i => 1 }', "!InvalidOperationException"],
  ['context.Variables["s"] is string { Length: 4 }', "Boolean True"],
  // objects, arrays, tuples
  ["new[] { 1, 2, 3 }[2]", "Int32 3"],
  ["new[] { 1, 2, 3 }[3]", "!IndexOutOfRangeException"],
  ["new[] { 1, 2, 3 }[-1]", "!IndexOutOfRangeException"],
  ['new int[-(int)context.Variables["n"]]', "!OverflowException"],
  ["new int[3].Length", "Int32 3"],
  ["new int[3][]", "Int32[][] System.Int32[][]"],
  ["new byte[] { 1, 255 }[1]", "Byte 255"],
  ["new[] { 1, 2.5 }[0]", "Double 1"],
  ['(1, "a").Item2', "String a"],
  ["(a: 1, b: 2).b", "Int32 2"],
  ["(1, 2) == (1, 2)", "Boolean True"],
  ['new { a = 1, b = "x" }.ToString()', "String { a = 1, b = x }"],
  ["new { a = 1 }.Equals(new { a = 1 })", "Boolean True"],
  ["new List<int> { 3, 1, 2 }.OrderBy(x => x).First()", "Int32 1"],
  ['new Dictionary<string, int> { ["a"] = 1, ["b"] = 2 }["b"]', "Int32 2"],
  ['new Dictionary<string, int> { { "a", 1 } }["b"]', "!KeyNotFoundException"],
  ["new[] { 1, 2, 3 }[^1]", "Int32 3"],
  ["default(int)", "Int32 0"],
  ["default(string)", "null"],
  // lambdas and queries
  ["new[] { 1, 2, 3 }.Where(x => x > 1).Select(x => x * 10).Sum()", "Int32 50"],
  ["new[] { 1, 2, 3 }.Aggregate((a, b) => a * 10 + b)", "Int32 123"],
  ["new Func<int, int>(x => x + 1)(4)", "Int32 5"],
  ["((Func<int, Func<int, int>>)(x => y => x - y))(5)(3)", "Int32 2"],
  [
    'string.Join(",", from x in new[] { 3, 1, 2 } where x > 1 orderby x descending select x * 2)',
    "String 6,4",
  ],
  [
    'string.Join(";", from w in new[] { "ab", "a", "bc" } group w by w.Length into g orderby g.Key select g.Key + ":" + g.Count())',
    "String 1:1;2:2",
  ],
  ["(from x in new[] { 1, 2 } from y in new[] { 10, 20 } let z = x * y select z).Sum()", "Int32 90"],
  [
    'string.Join(",", from x in new[] { 1, 2 } join y in new[] { 2, 3 } on x equals y select x + y)',
    "String 4",
  ],
  ['new[] { "a", "b" }.Select((x, i) => x + i).Last()', "String b1"],
  ["\"a,b\".Split(',').Select(string.IsNullOrEmpty).Any(x => x)", "Boolean False"],
];

test.each(EXPRESSIONS)("@(%s) → %s", (code, expected) => {
  expect(outcome(code, "expression")).toBe(expected);
});

const BLOCKS: readonly (readonly [string, string])[] = [
  // variables and assignment
  ["int x = 1, y = 2; x += y; y -= x; return x * 10 + y;", "Int32 29"],
  ["byte b = 250; b += 10; return b;", "Byte 4"],
  ["int i = 5; int j = i++ + ++i; return j * 10 + i;", "Int32 127"],
  ["int i = 0; var a = new int[3]; a[i++] = i; a[i++] += 5; return a[0] * 100 + a[1] * 10 + i;", "Int32 152"],
  ['string s = null; s ??= "x"; s ??= "y"; return s;', "String x"],
  ["string s = \"a\"; s += 1; s += 'c'; return s;", "String a1c"],
  ["char c = 'a'; c++; return c;", "Char b"],
  ["var (a, b) = (1, 2); (a, b) = (b, a); return a * 10 + b;", "Int32 21"],
  ['int a; string b; (a, b) = (5, "x"); return b + a;', "String x5"],
  ['if (int.TryParse("12", out var n)) { return n + 1; } return -1;', "Int32 13"],
  ['int n; int.TryParse("x", out n); return n;', "Int32 0"],
  ['int.TryParse("5", out _); return 1;', "Int32 1"],
  ["const int k = 4; return k * k;", "Int32 16"],
  ['object o = 5; o = "s"; return o;', "String s"],
  ['var d = new Dictionary<string, int>(); d["a"] = 1; d["a"] += 4; d["a"]++; return d["a"];', "Int32 6"],
  ["object[] a = new string[1]; a[0] = 5; return 1;", "!ArrayTypeMismatchException"],
  ["checked { int x = int.MaxValue; x++; return x; }", "!OverflowException"],
  ["unchecked { int x = int.MaxValue; x++; return x; }", "Int32 -2147483648"],
  // loops
  ["int s = 0; for (int i = 0, j = 10; i < j; i++, j--) s += j - i; return s;", "Int32 30"],
  ["int n = 0; while (true) { if (++n == 5) continue; if (n > 7) break; } return n;", "Int32 8"],
  ["int n = 0; do n++; while (n < 3); return n;", "Int32 3"],
  ['string s = ""; foreach (var c in "abc") s = c + s; return s;', "String cba"],
  ["int s = 0; foreach (var b in new byte[] { 1, 2, 3 }) s += b; return s;", "Int32 6"],
  ["int s = 0; foreach (long x in new[] { 1, 2 }) s += (int)x; return s;", "Int32 3"],
  [
    'string s = ""; foreach (var p in new Dictionary<string, int> { { "a", 1 }, { "b", 2 } }) s += p.Key + p.Value; return s;',
    "String a1b2",
  ],
  [
    'string s = ""; foreach (var (a, b) in new[] { (1, "x"), (2, "y") }) s += a + b; return s;',
    "String 1x2y",
  ],
  [
    "foreach (var x in new[] { 1, 2, 3 }) foreach (var y in new[] { 1, 2, 3 }) if (x * y == 6) return x * 10 + y; return 0;",
    "Int32 23",
  ],
  ["var l = new List<int> { 1, 2 }; foreach (var x in l) l.Add(x); return 1;", "!InvalidOperationException"],
  ["string[] a = null; foreach (var x in a) { } return 1;", "!NullReferenceException"],
  // jumps
  ["int n = 0; again: n++; if (n < 5) goto again; return n;", "Int32 5"],
  [
    "for (int i = 0; ; i++) for (int j = 0; j < 5; j++) if (i * j == 12) goto done; done: return 1;",
    "Int32 1",
  ],
  ['int n = 2; switch (n) { case 1: return "a"; case 2: goto case 1; default: return "d"; }', "String a"],
  ['switch ("x") { case "y": return 1; default: break; case null: return 2; } return 3;', "Int32 3"],
  [
    'object o = 5; switch (o) { case string s: return s; case int i when i > 5: return "big"; case int i: return "int" + i; default: return "?"; }',
    "String int5",
  ],
  [
    "int r = 0; for (int i = 0; i < 4; i++) { switch (i) { case 1: continue; case 3: break; default: r += 10; break; } r++; } return r;",
    "Int32 23",
  ],
  ['string s = "b"; switch (s) { case "a": case "b": s += "!"; break; } return s;', "String b!"],
  // closures
  [
    "var l = new List<Func<int>>(); for (int i = 0; i < 3; i++) l.Add(() => i); return l.Sum(f => f());",
    "Int32 9",
  ],
  [
    "var l = new List<Func<int>>(); for (int i = 0; i < 3; i++) { int j = i; l.Add(() => j); } return l.Sum(f => f());",
    "Int32 3",
  ],
  [
    "var l = new List<Func<int>>(); foreach (var i in new[] { 1, 2, 3 }) l.Add(() => i * i); return l.Sum(f => f());",
    "Int32 14",
  ],
  ["int n = 0; Action inc = () => n++; inc(); inc(); return n;", "Int32 2"],
  ["int n = 1; Func<int> f = () => n; n = 5; return f();", "Int32 5"],
  [
    "var q = new[] { 1, 2, 3 }.Where(x => x > 1); int c = 0; var r = q.Select(x => { c++; return x; }); r.ToList(); r.ToList(); return c;",
    "Int32 4",
  ],
  ["int k = 1; var q = new[] { 1, 2, 3 }.Where(x => x > k); k = 2; return q.Count();", "Int32 1"],
  ["Func<int, int> fib = null; fib = n => n < 2 ? n : fib(n - 1) + fib(n - 2); return fib(10);", "Int32 55"],
  [
    "Func<int, Func<int>> counter = start => { int c = start; return () => ++c; }; var a = counter(0); var b = counter(10); a(); a(); return a() * 100 + b();",
    "Int32 311",
  ],
  ["Func<int> f = null; return f();", "!NullReferenceException"],
  // local functions
  ["return F(5); int F(int n) => n <= 1 ? 1 : n * F(n - 1);", "Int32 120"],
  [
    "bool Even(int n) => n == 0 || Odd(n - 1); bool Odd(int n) => n != 0 && Even(n - 1); return Even(10);",
    "Boolean True",
  ],
  ["int total = 0; void Add(int n) { total += n; } Add(2); Add(3); return total;", "Int32 5"],
  [
    "int F(int a, int b = 2, params int[] rest) => a * 100 + b * 10 + rest.Length; return F(1) + F(1, 3, 9, 9);",
    "Int32 252",
  ],
  ["int F(int a, int b) => a - b; int i = 0; return F(b: i++, a: i++);", "Int32 1"],
  [
    'string F(string s) { if (s == null) return "none"; return s; } return new[] { "a", null }.Select(F).Last();',
    "String none",
  ],
  // exceptions
  ['try { int.Parse("x"); return 1; } catch (FormatException) { return 2; }', "Int32 2"],
  [
    'try { throw new InvalidOperationException("m"); } catch (ArgumentException) { return "a"; } catch (Exception e) { return e.Message; }',
    "String m",
  ],
  [
    'try { throw new Exception("b"); } catch (Exception e) when (e.Message == "a") { return 1; } catch { return 2; }',
    "Int32 2",
  ],
  [
    'string s = ""; try { s += "t"; try { throw new Exception(); } finally { s += "f"; } } catch { s += "c"; } return s;',
    "String tfc",
  ],
  ["int F() { try { return 1; } finally { int x = 2; } } return F();", "Int32 1"],
  [
    "int n = 0; for (int i = 0; i < 3; i++) { try { if (i == 1) continue; n += 10; } finally { n++; } } return n;",
    "Int32 23",
  ],
  [
    'try { try { int.Parse("x"); } catch { throw; } } catch (FormatException) { return 1; } return 2;',
    "Int32 1",
  ],
  ['try { object o = "s"; return (int)o; } catch (InvalidCastException) { return -1; }', "Int32 -1"],
  [
    "string s = null; try { return s.Length; } catch (NullReferenceException e) { return e.Message; }",
    "String Object reference not set to an instance of an object.",
  ],
  ['throw new ArgumentException("x");', "!ArgumentException"],
  ["throw null;", "!NullReferenceException"],
  ['using (var r = new StringReader("ab")) { return r.ReadToEnd(); }', "String ab"],
  ['using var r = new StringReader("ab"); return r.ReadToEnd();', "String ab"],
  // order of evaluation
  ['string s = ""; int F(int n) { s += n; return n; } var x = F(1) + F(2) * F(3); return s;', "String 123"],
  [
    'string s = ""; int F(int n) { s += n; return n; } var a = new int[5]; a[F(1)] = F(2); a[F(3)] += F(4); return s;',
    "String 1234",
  ],
  [
    'string s = ""; bool F(bool r, string n) { s += n; return r; } var x = F(false, "a") && F(true, "b") || F(true, "c") | F(true, "d"); return s;',
    "String acd",
  ],
  // budgets
  ["while (true) { }", "!!steps"],
  ["for (;;) { }", "!!steps"],
  ["a: goto a;", "!!steps"],
  ["try { while (true) { } } catch (Exception) { return 1; } finally { while (true) { } }", "!!steps"],
  ["int F(int n) => F(n + 1); return F(0);", "!!depth"],
  ["Func<int, int> f = null; f = n => f(n + 1) + 1; return f(0);", "!!depth"],
  ["try { int F(int n) => F(n + 1); return F(0); } catch { return 1; }", "!!depth"],
  ['var s = "0123456789"; while (true) s += s;', "!!memory"],
  ['var s = "0123456789"; while (true) s = $"{s}{s}";', "!!memory"],
  ["var l = new List<int>(); while (true) l.Add(1);", "!!steps"],
  ["return new int[2000000].Length;", "!!memory"],
  ["return new byte[20000000].Length;", "!!memory"],
  ["return Enumerable.Range(0, int.MaxValue).Select(x => x).Count();", "!!steps"],
  ['return string.Join(",", Enumerable.Repeat("x", int.MaxValue));', "!!"],
  ["int n = 0; foreach (var i in Enumerable.Range(0, 2000000)) n++; return n;", "!!steps"],
];

test.each(BLOCKS)("@{ %s } → %s", (code, expected) => {
  const found = outcome(code, "block");
  if (expected === "!!") expect(found).toMatch(/^!!/);
  else expect(found).toBe(expected);
});

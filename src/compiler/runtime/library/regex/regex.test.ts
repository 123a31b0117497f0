/** Regular expressions (`expressions.md` §5.10): .NET's dialect, and no pattern that holds the thread. */
import { expect, test } from "vitest";
import { configureBudget, beginEvaluation } from "../../budget.ts";
import { BudgetError, NetException } from "../../errors.ts";
import { type Row, check } from "../testing.ts";
import { Engine, Search, engineFor } from "./engine.ts";
import { Machine } from "./machine.ts";

const message = (pattern: string): string =>
  `string p = ${JSON.stringify(pattern)}; try { return Regex.IsMatch("", p); } catch (ArgumentException e) { return e.Message; }`;
const each = (input: string, pattern: string, rest = ""): string =>
  `string.Join("|", Regex.Matches(@"${input}", @"${pattern}"${rest}).Cast<Match>().Select(m => m.Value))`;

const DIALECT: readonly Row[] = [
  [each("foo bar baz", "\\bba."), "bar|baz"],
  [each("aXbxc", "x", ", RegexOptions.IgnoreCase"), "X|x"],
  [each("ab12", "[^a-z]+"), "12"],
  [each("a]b", "[]a]"), "a|]"],
  [each("a-b", "[a-]"), "a|-"],
  [each("abc123xyz", "[a-z-[bx]]+"), "a|c|yz"],
  [each("Ωmega Straße", "\\p{Lu}\\w*"), "Ωmega|Straße"],
  [each("αβγ abc", "\\p{IsGreek}+"), "αβγ"],
  [each("a  b", "(?x) a \\s+ b # comment"), "a  b"],
  [each("aBAb", "(?i:a)b"), "Ab"],
  [each("abAB", "a(?i)b|A"), "ab|A"],
  [each("aab", "(a+?)(a*)b"), "aab"],
  [each("aaa", "a{2}"), "aa"],
  [each("a{2}", "a\\{2}"), "a{2}"],
  [each("x{,3}", "x{,3}"), "x{,3}"],
  [each("foobar foobaz", "foo(?=bar)"), "foo"],
  [each("foobar foobaz", "foo(?!bar)..."), "foobaz"],
  [each("$1 €2", "(?<=\\$|€)\\d"), "1|2"],
  [each("ab cb", "(?<!a)b"), "b"],
  [each("abab abac", "(?:(\\w)(\\w))\\1\\2"), "abab"],
  [each("aa bb ab", "(?<c>.)\\k<c>"), "aa|bb"],
  [each("<b>x</b><i>y</b>", "<(\\w)>.*?</\\1>"), "<b>x</b>"],
  [each("aXaaXX", "(?<n>a)?X(?(n)|X)"), "aX|aX"],
  [each("(a(b)c)(d", "\\((?>[^()]+|\\((?<d>)|\\)(?<-d>))*(?(d)(?!))\\)"), "(a(b)c)"],
  [each("a.b", "\\x61\\u002e\\142"), "a.b"],
  [`Regex.Match("aaa", "(a)+").Groups[1].Captures.Count`, "Int32 3"],
  [
    `Regex.Match("abc", "(?<x>a)(b)(?<y>c)").Groups[1].Value + Regex.Match("abc", "(?<x>a)(b)(?<y>c)").Groups[2].Value`,
    "ba",
  ],
  [`string.Join(",", new Regex("(?<x>a)(b)(?<7>c)").GetGroupNames())`, "0,1,x,7"],
  [`Regex.Match("ab", "(?n)(a)(?<k>b)").Groups.Count`, "Int32 2"],
  [
    `Regex.IsMatch("ab\\n", "b$") + " " + Regex.IsMatch("ab\\n", "b\\\\z") + " " + Regex.IsMatch("ab\\n", "b\\\\Z")`,
    "True False True",
  ],
  [`Regex.Matches("a\\nb\\n", "$", RegexOptions.Multiline).Count`, "Int32 3"],
  [`Regex.Matches("a1 b2", @"\\G\\w\\d ?").Count`, "Int32 2"],
  [`Regex.IsMatch("K", "k", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)`, "Boolean True"],
  [`Regex.IsMatch("é1", @"^\\w\\d$", RegexOptions.ECMAScript)`, "Boolean False"],
  [`Regex.IsMatch("👍", "^..$")`, "Boolean True"],
  [
    `Regex.Match("abc", "x").Success + Regex.Match("abc", "x").Value + Regex.Match("abc", "x").Index`,
    "False0",
  ],
  [
    `var m = Regex.Match("a1b2", @"\\d"); m = m.NextMatch(); return m.Value + m.Index + m.NextMatch().Success;`,
    "23False",
  ],
];

const REPLACING: readonly Row[] = [
  [`Regex.Replace("baaac", "a*", "-")`, "-b--c-"],
  [
    `Regex.Replace("abc", "(?<x>b)", "[$1|\${x}|$&|$0|$$|$\`|$'|$_|$+|$2|\${zz}]")`,
    "a[b|b|b|b|$|a|c|abc|b|$2|${zz}]c",
  ],
  [`Regex.Replace("a1b22", @"\\d+", m => "<" + (int.Parse(m.Value) + 1) + ">")`, "a<2>b<23>"],
  [`new Regex("a").Replace("aaaa", "b", 2)`, "bbaa"],
  [`new Regex("a").Replace("aaaa", "b", 2, 1)`, "abba"],
  [`string.Join("|", Regex.Split("abc", ""))`, "|a|b|c|"],
  [`string.Join("|", Regex.Split("a1b2c", "([12])|x"))`, "a|1|b|2|c"],
  [`string.Join("|", new Regex(",").Split("a,b,c", 2))`, "a|b,c"],
  [`Regex.Escape("a.b*c d#[x]")`, "a\\.b\\*c\\ d\\#\\[x]"],
  [`Regex.Unescape(@"a\\.b\\ \\x41\\101")`, "a.b AA"],
];

const REFUSED: readonly Row[] = [
  [message("("), `parsing "(" - Not enough )'s.`],
  [message("a)"), `parsing "a)" - Too many )'s.`],
  [message("*a"), `parsing "*a" - Quantifier {x,y} following nothing.`],
  [message("a**"), `parsing "a**" - Nested quantifier *.`],
  [message("[b-a]"), `parsing "[b-a]" - [x-y] range in reverse order.`],
  [message("[a"), `parsing "[a" - Unterminated [] set.`],
  [message("\\1"), `parsing "\\1" - Reference to undefined group number 1.`],
  [message("\\p{Foo}"), `parsing "\\p{Foo}" - Unknown property 'Foo'.`],
  [message("\\y"), `parsing "\\y" - Unrecognized escape sequence \\y.`],
  [message("a{3,2}"), `parsing "a{3,2}" - Illegal {x,y} with x > y.`],
  [
    message("(?<1a>b)"),
    `parsing "(?<1a>b)" - Invalid group name: Group names must begin with a word character.`,
  ],
  [`Regex.IsMatch("a", null)`, "!ArgumentNullException"],
  [`Regex.IsMatch("a", "a", RegexOptions.None, TimeSpan.Zero)`, "!ArgumentOutOfRangeException"],
];

const AT_SAVE: readonly Row[] = [
  [`Regex.IsMatch("a", "(")`, `HG3150 parsing "(" - Not enough )'s.`],
  [`new Regex("[a").IsMatch("a")`, `HG3150 parsing "[a" - Unterminated [] set.`],
];

check([...AT_SAVE, ...DIALECT, ...REPLACING, ...REFUSED]);

/** A clock that moves as the engine asks for it: no test depends on how fast the machine is. */
function ticking(stepMs: number): () => number {
  let now = 1;
  return () => (now += stepMs);
}

const HOSTILE: readonly (readonly [pattern: string, text: string])[] = [
  ["(a+)+$", `${"a".repeat(50)}!`],
  ["^(a|a)*$", `${"a".repeat(50)}!`],
  ["(.*)*x", "y".repeat(100)],
  ["(\\w+\\s?)*:", "word ".repeat(50)],
  ["\\s+$", `${" ".repeat(500_000)}x`],
  ["(x+x+)+y", "x".repeat(60)],
  ["(a|b|ab)*c", `${"ab".repeat(40)}d`],
  ["(?:a*)*(?:a*)*b", "a".repeat(200)],
];

test.each(HOSTILE)("%s ends", (pattern, text) => {
  configureBudget(ticking(1));
  beginEvaluation();
  expect(() => engineFor(pattern, 0).over(text, Infinity).test(0)).toThrow(BudgetError);
});

test("a pattern's own timeout is an exception that policies can catch", () => {
  configureBudget(ticking(1));
  beginEvaluation();
  const run = (): boolean =>
    engineFor("(a+)+$", 0)
      .over(`${"a".repeat(50)}!`, 5)
      .test(0);
  expect(run).toThrow(NetException);
});

test("a long run on the machine needs no stack of ours", () => {
  configureBudget(() => 0);
  beginEvaluation();
  expect(engineFor("^(?:ab|é)*$", 0).over("ab".repeat(50_000), Infinity).test(0)).toBe(true);
});

test("longer texts than a mebibyte are refused", () => {
  expect(() => engineFor("a", 0).over("x".repeat(1024 * 1024 + 1), Infinity)).toThrow(BudgetError);
});

// --- Where V8's engine is used, it must find what the machine finds. Random patterns from a fixed seed.

const ATOMS = ["a", "b", ".", "\\d", "\\w", "[ab]", "[^a]", "\\s", "(b|c)", "(?:ab)", "(?<n>c)", "(?i:A)"];
const ASSERTIONS = ["^", "$", "\\b", "\\B", "(?=a)", "(?!b)", "(?<=a)", "(?<!b)", "\\Z", "\\z", "\\A"];
const QUANTIFIERS = ["", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{0,3}?", "{2,}"];
const LETTERS = "abcA1 \n_";

function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
}

function randomPattern(random: (below: number) => number, depth: number): string {
  let pattern = "";
  for (let n = 1 + random(4); n > 0; n--) {
    const kind = random(8);
    if (kind < 2) pattern += ASSERTIONS[random(ASSERTIONS.length)]!;
    else if (kind < 4 && depth > 0) {
      pattern += `${random(2) === 0 ? "(" : "(?:"}${randomPattern(random, depth - 1)}|${randomPattern(random, depth - 1)})`;
    } else pattern += ATOMS[random(ATOMS.length)]! + QUANTIFIERS[random(QUANTIFIERS.length)]!;
  }
  return pattern;
}

test("both engines find the same", () => {
  configureBudget(() => 0);
  const random = generator(20240305);
  const differences: string[] = [];
  let compared = 0;
  for (let i = 0; i < 4000; i++) {
    const pattern = randomPattern(random, 2);
    const engine = new Engine(pattern, [0, 0, 1, 2, 16][random(5)]!);
    const text = Array.from({ length: random(12) }, () => LETTERS[random(LETTERS.length)]!).join("");
    if (engine.native === null) continue;
    compared++;
    beginEvaluation();
    const machine = new Machine(engine.program, text, Infinity).find(0, 0);
    const native = new Search(engine, text, Infinity).find(0);
    const groups = engine.pattern.numbers.slice(1);
    const span = (capture: { start: number; end: number } | null): string =>
      capture === null ? "-" : `${capture.start}-${capture.end}`;
    const a = `${span(machine)} ${groups.map((group) => span(machine?.captures[group] ?? null)).join(" ")}`;
    const b = `${span(native)} ${groups.map((group) => span(native?.capture(group) ?? null)).join(" ")}`;
    if (a !== b) differences.push(`${pattern} on ${JSON.stringify(text)}: machine ${a}, V8 ${b}`);
  }
  expect(differences).toEqual([]);
  expect(compared).toBeGreaterThan(1000);
});

test("many matches in a long text cost what one pass costs", () => {
  configureBudget(() => 0);
  beginEvaluation();
  const search = engineFor("\\d", 0).over("a1".repeat(100_000), Infinity);
  let count = 0;
  for (let found = search.find(0); found !== null; found = search.find(found.end)) count++;
  expect(count).toBe(100_000);
});

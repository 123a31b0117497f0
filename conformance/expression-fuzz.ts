/**
 * Expressions without end, for the fuzz test and `scripts/fuzz-expressions.ts`: programs made from a grammar, mostly well
 * typed, and the conformance cases with tokens taken out, doubled, swapped and put in. The same seed number always gives
 * the same text.
 */
import { randomFrom } from "../src/compiler/fuzz-documents.ts";

type Type =
  | "int"
  | "long"
  | "double"
  | "decimal"
  | "string"
  | "bool"
  | "char"
  | "object"
  | "DateTime"
  | "JToken"
  | "string[]"
  | "List<int>";

const TYPES: readonly Type[] = [
  "int",
  "long",
  "double",
  "decimal",
  "string",
  "bool",
  "char",
  "object",
  "DateTime",
  "JToken",
  "string[]",
  "List<int>",
];

/** What a value of a type can be made from; `#int` stands for an expression of that type. */
const PRODUCTIONS: Readonly<Record<Type, readonly string[]>> = {
  int: [
    "0",
    "1",
    "-1",
    "7",
    "2147483647",
    "0x7f",
    "1_000",
    "#int + #int",
    "#int - #int",
    "#int * #int",
    "#int / #int",
    "#int % #int",
    "#int << #int",
    "#int & #int",
    "-#int",
    "~#int",
    "(int)#long",
    "(int)#double",
    "(int)#decimal",
    "(int)#char",
    "(#bool ? #int : #int)",
    "#string.Length",
    "#string.IndexOf(#string)",
    "#string.CompareTo(#string)",
    "int.Parse(#string)",
    "Convert.ToInt32(#object)",
    "Convert.ToInt32(#double)",
    "Math.Max(#int, #int)",
    "Math.Abs(#int)",
    "#string[].Length",
    "#List<int>.Count",
    "#List<int>.Sum()",
    "#List<int>.Aggregate((a, b) => a + b)",
    "#List<int>.First()",
    "#List<int>[#int]",
    "#DateTime.Year",
    "context.Response.StatusCode",
    "(int?)null ?? #int",
    "checked(#int + #int)",
    "(int)#JToken",
    "#string[].Count(s => s.Length > #int)",
    "#DateTime.CompareTo(#DateTime)",
    "#object.GetHashCode() * 0",
    "((Func<int, int>)(x => x + #int))(#int)",
  ],
  long: [
    "1L",
    "9223372036854775807",
    "#int * 1L",
    "#long + #long",
    "(long)#double",
    "long.Parse(#string)",
    "#DateTime.Ticks",
    "#long / #long",
    "-#long",
    "Convert.ToInt64(#string, 16)",
  ],
  double: [
    "0.5",
    "1e308",
    "double.NaN",
    "#double * #double",
    "#double / #int",
    "Math.Sqrt(#double)",
    "Math.Round(#double, #int)",
    "Math.Pow(#double, #int)",
    "double.Parse(#string)",
    "(double)#decimal",
    "#List<int>.Average()",
  ],
  decimal: [
    "1.5m",
    "79228162514264337593543950335m",
    "#decimal + #decimal",
    "#decimal / #decimal",
    "(decimal)#int",
    "Math.Round(#decimal, 2)",
    "decimal.Parse(#string)",
    "#decimal % 3m",
  ],
  string: [
    '""',
    '"a"',
    '"a,b,,c"',
    '"GET"',
    '@"c:\\x"',
    '"\\u00e9\\t"',
    '$"{#int}-{#string,5}{#double:N2}"',
    "#string + #object",
    "#string + #int",
    "#object.ToString()",
    "#int.ToString(#string)",
    "#string.Substring(#int)",
    "#string.Substring(#int, #int)",
    "#string.Replace(#string, #string)",
    "#string.ToUpper()",
    "#string.Trim()",
    "#string.PadLeft(#int & 255)",
    "string.Join(#string, #string[])",
    'string.Format("{0}{1,4}", #object, #int)',
    "#string[][#int]",
    "#bool ? #string : #string",
    "context.Request.Method",
    "context.Variables.GetValueOrDefault<string>(#string, #string)",
    "context.Request.Headers.GetValueOrDefault(#string, #string)",
    "(string)context.Variables[#string]",
    "context.Request.Url.Path",
    "Regex.Replace(#string, #string, #string)",
    'Regex.Match(#string, "[a-z]+").Value',
    "Convert.ToBase64String(Encoding.UTF8.GetBytes(#string))",
    "Encoding.UTF8.GetString(Convert.FromBase64String(#string))",
    "#DateTime.ToString(#string)",
    "JsonConvert.SerializeObject(#object)",
    "#JToken.ToString()",
    "(string)#JToken",
    "new string('x', #int)",
    "string.Concat(#string[])",
    "#string.Insert(#int, #string)",
    "#string.Remove(#int)",
    "Uri.EscapeDataString(#string)",
    "nameof(context)",
    "#string ?? #string",
    "#string?.ToLower()",
    "new StringBuilder(#string).Append(#int).Append(#object).ToString()",
    'string.Join(",", #List<int>.Select(x => x * #int).OrderBy(x => x))',
    '#decimal.ToString("C")',
    "XElement.Parse(#string).Value",
    'Guid.Parse(#string).ToString("N")',
    "#string.Split(#char)[0]",
    "typeof(#T).ToString()",
    "#object is string s ? s : #string",
    "#object as string",
    "context.Request.Body.As<string>(preserveContent: true)",
    "BitConverter.ToString(SHA256.Create().ComputeHash(Encoding.UTF8.GetBytes(#string)))",
  ],
  bool: [
    "true",
    "false",
    "#int == #int",
    "#int < #int",
    "#string == #string",
    "#string.Contains(#string)",
    "#string.StartsWith(#string, StringComparison.OrdinalIgnoreCase)",
    "!#bool",
    "#bool && #bool",
    "#bool || #bool",
    "#object == null",
    "#object is #T",
    "string.IsNullOrEmpty(#string)",
    "#List<int>.Any(x => x > #int)",
    "#string[].Contains(#string)",
    "Regex.IsMatch(#string, #string)",
    "context.Variables.ContainsKey(#string)",
    "int.TryParse(#string, out var n) && n > #int",
    "#DateTime > #DateTime",
    "#bool ^ #bool",
    "#object.Equals(#object)",
    "#char == #char",
    "char.IsDigit(#char)",
    "#JToken == null",
  ],
  char: [
    "'a'",
    "'\\n'",
    "'\\''",
    "#string[0]",
    "(char)#int",
    "#string[#int]",
    "char.ToUpper(#char)",
    "#string.First()",
    "#string.Max()",
  ],
  object: [
    "null",
    "(object)#int",
    "(object)#string",
    "context.Variables[#string]",
    'context.Variables["json"]',
    "new { a = #int, b = #string }",
    "(object)#DateTime",
    "(object)#JToken",
    "context",
    "context.Request.Headers",
    "(object)#bool",
    "#List<int>",
    "#string[]",
    "context.LastError",
    "new Dictionary<string, int> { [#string] = #int }",
    "(#int, #string)",
    "(object)#decimal",
  ],
  DateTime: [
    "DateTime.UtcNow",
    "new DateTime(2024, 2, 29)",
    "#DateTime.AddDays(#double)",
    "#DateTime.AddMonths(#int)",
    "DateTime.Parse(#string)",
    "DateTime.MinValue",
    "DateTimeOffset.FromUnixTimeSeconds(#long).UtcDateTime",
    "#DateTime - TimeSpan.FromHours(#double)",
  ],
  JToken: [
    'new JObject(new JProperty("a", #int))',
    'JObject.Parse("{\\"a\\":[1,{\\"b\\":2.50}]}")',
    "JToken.Parse(#string)",
    '((JObject)context.Variables["json"])[#string]',
    "new JArray(#int, #string)",
    "#JToken[#string]",
    "#JToken[#int]",
    "#JToken.SelectToken(#string)",
    "JToken.FromObject(#object)",
    "#JToken.DeepClone()",
    '#JToken?["a"]?[0]',
    "context.Request.Body.As<JObject>(true)",
  ],
  "string[]": [
    "new[] { #string, #string }",
    "#string.Split(',')",
    "new string[0]",
    "#string[].Where(s => s != #string).ToArray()",
    "#string[].Select(s => s + #string).ToArray()",
    "#string[].OrderBy(s => s.Length).ToArray()",
    "#string[].Reverse().ToArray()",
    'context.Request.Headers["Accept"]',
    "#string[].Concat(#string[]).Distinct().ToArray()",
  ],
  "List<int>": [
    "new List<int> { 3, 1, 2 }",
    "new List<int> { #int, #int }",
    "Enumerable.Range(#int, #int & 63).ToList()",
    "#List<int>.Select(x => x + #int).ToList()",
    "#List<int>.Where(x => x % 2 == 0).ToList()",
    "#string.Select(c => (int)c).ToList()",
    "#List<int>.Take(#int).ToList()",
    "(from x in #List<int> where x > #int select x * 2).ToList()",
    "#List<int>.GroupBy(x => x % 3).Select(g => g.Count()).ToList()",
  ],
};

const STATEMENTS = [
  "var v% = #T;",
  "#T% v% = #T%;",
  "if (#bool) { S }",
  "if (#bool) { S } else { S }",
  "for (var i% = 0; i% < (#int & 7); i%++) { S }",
  "foreach (var e% in #List<int>) { S }",
  "foreach (var e% in #string[]) { S }",
  "while (#bool) { S break; }",
  "try { S } catch (Exception e%) { S }",
  "try { S } finally { S }",
  'switch (#string) { case "a": S break; default: S break; }',
  "switch (#int) { case 1: return #object; default: break; }",
  "return #object;",
  "int F%(int n) => n <= 0 ? #int : F%(n - 1);",
  "{ S }",
  ";",
  "throw new Exception(#string);",
  "do { S } while (false);",
  "while (true) { }",
  "for (;;) { S }",
  "var l% = new List<object>(); while (true) { l%.Add(#string); }",
  'string s% = "ab"; while (true) { s% += s%; }',
];

const TOKENS = (
  "context . Request Response Variables [ ] ( ) { } \" ' \"a\" 'a' , ; : ? ?. ?? => = == != < > <= >= + - * / % ! && || & | ^ ~ ++ -- += << >> 0 1 2.5 1.5m 0x 1e9 null true false var new return if else for foreach in while do switch case " +
  "default break continue try catch finally throw is as typeof nameof out ref int string bool object char long double decimal List<int> Dictionary<string,object> JObject JArray JToken As<JObject>(true) As<string>() .ToString() .Length " +
  '$"{ }" @" $@" """ // /* */ \\ @ # ` constructor __proto__ prototype toString valueOf hasOwnProperty System.Math Regex Convert DateTime Guid Uri let const async await dynamic unchecked checked stackalloc <!-- &quot; \u00a0 \u2028 \ud800 \u0000 é'
).split(" ");

class Generator {
  readonly #random: () => number;
  #left = 60;
  #names = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)]!;
  }

  /** An expression that is meant to have the type; one time in forty it has another. */
  value(type: Type, depth: number): string {
    const wanted = this.#random() < 0.025 ? this.pick(TYPES) : type;
    const all = PRODUCTIONS[wanted];
    const leaves = all.filter((text) => !text.includes("#"));
    const text = depth <= 0 || --this.#left <= 0 ? this.pick(leaves) : this.pick(all);
    const filled = this.#fill(text, depth - 1);
    return filled === text && !/[ ?]/.test(text) ? filled : `(${filled})`;
  }

  statements(depth: number): string {
    const count = 1 + Math.floor(this.#random() * 3);
    return Array.from({ length: count }, () => this.#statement(depth)).join(" ");
  }

  #statement(depth: number): string {
    const text = depth <= 0 ? "return #object;" : this.pick(STATEMENTS);
    const name = `${this.#names++}`;
    const type = this.pick(TYPES);
    return this.#fill(
      text.replaceAll("#T%", `#${type}`).replace(`#${type} v%`, `${type} v%`).replaceAll("%", name),
      2,
    ).replace(/\bS\b/g, () => this.statements(depth - 1));
  }

  #fill(text: string, depth: number): string {
    return text.replace(
      /#(T|int|long|double|decimal|string\[\]|string|bool|char|object|DateTime|JToken|List<int>)/g,
      (_, type: string) => (type === "T" ? this.pick(TYPES) : this.value(type as Type, depth)),
    );
  }
}

const FORMS = ["expression", "block"] as const;

export interface FuzzInput {
  /** What stands between the brackets. */
  readonly code: string;
  readonly form: (typeof FORMS)[number];
}

/** @param cases expressions with `@( )` or `@{ }`, to be mutated */
export function fuzzExpression(seed: number, cases: readonly string[]): FuzzInput {
  const random = randomFrom(seed);
  const generator = new Generator(random);
  const kind = random();
  if (kind < 0.3) return { form: "expression", code: generator.value(generator.pick(TYPES), 4) };
  if (kind < 0.5)
    return { form: "block", code: `${generator.statements(2)} return ${generator.value("object", 2)};` };
  const from = generator.pick(cases).trim();
  const form = from.startsWith("@{") ? "block" : "expression";
  return { form, code: mutate(from.slice(2, -1), generator, random, cases) };
}

function mutate(code: string, generator: Generator, random: () => number, cases: readonly string[]): string {
  let pieces: string[] = code.match(/\w+|\s+|"(?:[^"\\]|\\.)*"|[^\w\s]/g) ?? [];
  for (let changes = 1 + Math.floor(random() * 4); changes > 0; changes--) {
    const at = Math.floor(random() * (pieces.length + 1));
    const kind = Math.floor(random() * 6);
    if (kind === 0) pieces.splice(at, 1 + Math.floor(random() * 3));
    else if (kind === 1) pieces.splice(at, 0, generator.pick(TOKENS));
    else if (kind === 2) pieces[at] = generator.pick(TOKENS);
    else if (kind === 3) pieces.splice(at, 0, ...pieces.slice(at, at + 1 + Math.floor(random() * 6)));
    else if (kind === 4) pieces.splice(at, 1, generator.value(generator.pick(TYPES), 1));
    else {
      const other = generator.pick(cases).trim().slice(2, -1);
      const start = Math.floor(random() * other.length);
      pieces.splice(at, 0, other.slice(start, start + Math.floor(random() * 30)));
    }
    pieces = pieces.slice(0, 2000);
  }
  return pieces.join("");
}

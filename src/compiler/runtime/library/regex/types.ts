/** `System.Text.RegularExpressions` (`expressions.md` §5.10). */
import { checkLength, checkSize, spend } from "../../budget.ts";
import { replaceStepwise } from "../string-search.ts";
import { defineType, withFacts } from "../../define.ts";
import { NetException, argumentError, argumentNull, argumentOutOfRange } from "../../errors.ts";
import type { Type } from "../../type.ts";
import {
  EnumValue,
  NetArray,
  type NetObject,
  type OutCell,
  TYPE,
  enumValue,
  typeNamed,
} from "../../values.ts";
import { enumeratorOf } from "../collections.ts";
import { late } from "../late.ts";
import { type Engine, type Found, type Search, engineFor } from "./engine.ts";
import type { Capture } from "./machine.ts";
import { type Replacement, expand, parseReplacement } from "./replacement.ts";
import { parsePattern } from "./parser.ts";

const NS = "System.Text.RegularExpressions";

const OPTIONS = defineType(
  `enum ${NS}.RegexOptions`,
  {},
  {
    values: {
      None: 0,
      IgnoreCase: 1,
      Multiline: 2,
      ExplicitCapture: 4,
      Compiled: 8,
      Singleline: 16,
      IgnorePatternWhitespace: 32,
      RightToLeft: 64,
      ECMAScript: 256,
      CultureInvariant: 512,
    },
  },
);

/** Compiled and CultureInvariant change nothing here. */
const MEANINGFUL = ~(8 | 512);
const totalMilliseconds = late("System.TimeSpan", "TotalMilliseconds", []);

class NetRegex implements NetObject {
  readonly engine: Engine;
  readonly options: number;
  readonly timeoutMs: number;
  readonly timeout: unknown;

  /** @param timeout a `TimeSpan`, or null for none */
  constructor(pattern: string | null, options: EnumValue | null, timeout: unknown = null) {
    if (pattern === null) throw argumentNull("pattern");
    this.options = options?.number ?? 0;
    if ((this.options & ~0x37f) !== 0) throw argumentOutOfRange("options");
    this.timeout = timeout;
    this.timeoutMs = timeout === null ? Infinity : milliseconds(timeout);
    this.engine = engineFor(pattern, this.options & MEANINGFUL);
  }

  get [TYPE](): Type {
    return typeNamed(`${NS}.Regex`);
  }

  netToString(): string {
    return this.engine.source;
  }

  search(input: string | null): Search {
    if (input === null) throw argumentNull("input");
    return this.engine.over(input, this.timeoutMs);
  }
}

/** A match timeout: positive, or -1 ms for none. */
function milliseconds(timeout: unknown): number {
  const ms = totalMilliseconds(timeout) as number;
  if (ms === -1) return Infinity;
  if (ms <= 0 || ms > 0x7fffffff) throw argumentOutOfRange("matchTimeout");
  return ms;
}

/** `Capture`, `Group` and `Match` in one family; a group that did not match has no captures. */
class NetCapture implements NetObject {
  readonly input: string;
  readonly start: number;
  readonly end: number;

  constructor(input: string, start: number, end: number) {
    this.input = input;
    this.start = start;
    this.end = end;
  }

  get [TYPE](): Type {
    return typeNamed(`${NS}.Capture`);
  }

  get value(): string {
    return this.input.slice(this.start, this.end);
  }

  netToString(): string {
    return this.value;
  }
}

class NetGroup extends NetCapture {
  readonly name: string;
  readonly #capture: Capture | null;

  constructor(input: string, name: string, capture: Capture | null) {
    super(input, capture?.start ?? 0, capture?.end ?? 0);
    this.name = name;
    this.#capture = capture;
  }

  override get [TYPE](): Type {
    return typeNamed(`${NS}.Group`);
  }

  get success(): boolean {
    return this.#capture !== null;
  }

  captures(): NetArray {
    const items: NetCapture[] = [];
    for (let capture = this.#capture; capture !== null; capture = capture.before) {
      spend();
      items.push(new NetCapture(this.input, capture.start, capture.end));
    }
    return new Captures(items.toReversed());
  }
}

class NetMatch extends NetGroup {
  readonly #search: Search | null;
  readonly found: Found | null;
  #groups: Groups | null = null;

  constructor(search: Search | null, found: Found | null) {
    super(
      search?.text ?? "",
      "0",
      found === null ? null : { start: found.start, end: found.end, before: null },
    );
    this.#search = search;
    this.found = found;
  }

  override get [TYPE](): Type {
    return typeNamed(`${NS}.Match`);
  }

  groups(): Groups {
    if (this.#groups !== null) return this.#groups;
    if (this.#search === null || this.found === null)
      return (this.#groups = new Groups([this], new Map([["0", 0]])));
    const { names, numbers } = this.#search.engine.pattern;
    const nameOf = new Map([...names].map(([name, number]) => [number, name]));
    const found = this.found;
    const items = numbers.map((number) =>
      number === 0
        ? this
        : new NetGroup(this.input, nameOf.get(number) ?? String(number), found.capture(number)),
    );
    const positions = new Map<string, number>();
    for (const [name, number] of names) positions.set(name, numbers.indexOf(number));
    for (const number of numbers) positions.set(String(number), numbers.indexOf(number));
    return (this.#groups = new Groups(items, positions));
  }

  next(): NetMatch {
    if (this.#search === null || this.found === null) return this;
    const following = findNext(this.#search, this.found);
    return following === null ? NO_MATCH : new NetMatch(this.#search, following);
  }

  result(replacement: string | null): string {
    if (replacement === null) throw argumentNull("replacement");
    if (this.#search === null || this.found === null) {
      throw new NetException("System.NotSupportedException", "Result cannot be called on a failed Match.");
    }
    const { pattern } = this.#search.engine;
    return expand(parseReplacement(replacement, pattern), this.input, this.found, pattern.numbers);
  }
}

const NO_MATCH = new NetMatch(null, null);

/** The match after another one: an empty match is never found twice. */
function findNext(search: Search, found: Found): Found | null {
  if (found.end > found.start) return search.find(found.end);
  return found.end >= search.text.length ? null : search.find(found.end + 1, found.end);
}

class Captures extends NetArray {
  constructor(items: NetCapture[]) {
    super(typeNamed(`${NS}.Capture`), items);
  }
  override get [TYPE](): Type {
    return typeNamed(`${NS}.CaptureCollection`);
  }
  get size(): number {
    return this.items.length;
  }
}

class Groups extends NetArray {
  /** Name or number as text → position. */
  readonly positions: ReadonlyMap<string, number>;

  constructor(items: NetGroup[], positions: ReadonlyMap<string, number>) {
    super(typeNamed(`${NS}.Group`), items);
    this.positions = positions;
  }

  override get [TYPE](): Type {
    return typeNamed(`${NS}.GroupCollection`);
  }

  get size(): number {
    return this.items.length;
  }

  /** Never null: an unknown name gives a group that did not match. */
  named(name: string): NetGroup {
    const position = this.positions.get(name);
    return position === undefined ? new NetGroup("", name, null) : (this.items[position] as NetGroup);
  }
}

class Matches extends NetArray {
  constructor(items: NetMatch[]) {
    super(typeNamed(`${NS}.Match`), items);
  }
  override get [TYPE](): Type {
    return typeNamed(`${NS}.MatchCollection`);
  }
  get size(): number {
    return this.items.length;
  }
}

function* eachMatch(search: Search, from: number): Generator<Found> {
  for (let found = search.find(from); found !== null; found = findNext(search, found)) {
    spend();
    yield found;
  }
}

function checkStart(search: Search, start: number): number {
  if (start < 0 || start > search.text.length)
    throw argumentOutOfRange("startat", "Start index cannot be less than 0 or greater than input length.");
  return start;
}

function isMatch(regex: NetRegex, input: string | null, start = 0): boolean {
  const search = regex.search(input);
  return search.test(checkStart(search, start));
}

function match(regex: NetRegex, input: string | null, start = 0): NetMatch {
  const search = regex.search(input);
  const found = search.find(checkStart(search, start));
  return found === null ? NO_MATCH : new NetMatch(search, found);
}

function matches(regex: NetRegex, input: string | null, start = 0): Matches {
  const search = regex.search(input);
  const items: NetMatch[] = [];
  for (const found of eachMatch(search, checkStart(search, start))) {
    items.push(new NetMatch(search, found));
    checkSize(items.length);
  }
  return new Matches(items);
}

type Evaluator = (match: NetMatch) => string | null;

function replace(
  regex: NetRegex,
  input: string | null,
  by: string | Evaluator | null,
  count = -1,
  start = 0,
): string {
  if (by === null) throw argumentNull(typeof by === "function" ? "evaluator" : "replacement");
  const search = regex.search(input);
  if (count < -1) throw argumentOutOfRange("count", "Count cannot be less than -1.");
  checkStart(search, start);
  if (count === 0) return search.text;
  const { pattern } = search.engine;
  const pieces: Replacement | null = typeof by === "string" ? parseReplacement(by, pattern) : null;
  let result = "";
  let from = 0;
  let left = count;
  for (const found of eachMatch(search, start)) {
    result += search.text.slice(from, found.start);
    result +=
      pieces === null
        ? ((by as Evaluator)(new NetMatch(search, found)) ?? "")
        : expand(pieces, search.text, found, pattern.numbers);
    checkLength(result.length);
    from = found.end;
    if (--left === 0) break;
  }
  return result + search.text.slice(from);
}

/** Captured groups stand between the parts; those that did not match are left out. */
function split(regex: NetRegex, input: string | null, count = 0, start = 0): NetArray {
  const search = regex.search(input);
  if (count < 0) throw argumentOutOfRange("count", "Count cannot be less than -1.");
  checkStart(search, start);
  const parts: string[] = [];
  if (count === 1) return strings([search.text]);
  const { numbers } = search.engine.pattern;
  let from = 0;
  let left = count - 1;
  for (const found of eachMatch(search, start)) {
    parts.push(search.text.slice(from, found.start));
    from = found.end;
    for (const number of numbers) {
      const capture = number === 0 ? null : found.capture(number);
      if (capture !== null) parts.push(search.text.slice(capture.start, capture.end));
    }
    checkSize(parts.length);
    if (--left === 0) break;
  }
  parts.push(search.text.slice(from));
  return strings(parts);
}

const strings = (items: string[]): NetArray => new NetArray(typeNamed("System.String"), items);

const METACHARACTERS = /[\\*+?|{[()^$.# \t\n\f\r]/g;
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["\t", "t"],
  ["\n", "n"],
  ["\f", "f"],
  ["\r", "r"],
]);

function escape(text: string | null): string {
  if (text === null) throw argumentNull("str");
  checkLength(text.length * 2);
  return text.replace(METACHARACTERS, (c) => `\\${ESCAPES.get(c) ?? c}`);
}

const UNESCAPES: ReadonlyMap<string, string> = new Map([
  ["a", "\x07"],
  ["b", "\b"],
  ["e", "\x1b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["v", "\v"],
]);

const ESCAPE = /\\(?:x([0-9a-fA-F]{0,2})|u([0-9a-fA-F]{0,4})|c(.?)|([0-7]{1,3})|(.?))/gsu;

/** `\t \x41 \u0041 \cA \012 \.` back to what they stand for. @throws ArgumentException */
function unescape(text: string | null): string {
  if (text === null) throw argumentNull("str");
  const bad = (what: string): NetException => argumentError(`parsing "${text}" - ${what}`);
  return replaceStepwise(text, ESCAPE, ([whole, x, u, c, octal, other]) => {
    if (x !== undefined || u !== undefined) {
      const digits = (x ?? u) as string;
      if (digits.length !== (x === undefined ? 4 : 2)) throw bad("Insufficient hexadecimal digits.");
      return String.fromCharCode(parseInt(digits, 16));
    }
    if (c !== undefined) {
      const code = c.toUpperCase().charCodeAt(0) - 64;
      if (!(code >= 0 && code < 32))
        throw bad(c === "" ? "Missing control character." : "Unrecognized control character.");
      return String.fromCharCode(code);
    }
    if (octal !== undefined) return String.fromCharCode(parseInt(octal, 8) & 0xff);
    if (other === "") throw bad("Illegal \\ at end of pattern.");
    const known = UNESCAPES.get(other!);
    if (known !== undefined) return known;
    if (/\w/u.test(other!)) throw bad(`Unrecognized escape sequence ${whole}.`);
    return other!;
  });
}

// --- Declarations. Constant patterns are checked when the document is saved.

/** @param position of the pattern among the arguments; options follow it after `gap` others */
function checked<T extends (...args: any[]) => unknown>(
  call: T,
  position: number,
  options: number,
): ReturnType<typeof withFacts> {
  return withFacts(call, {
    verify: (args) => {
      const pattern = args[position];
      if (typeof pattern !== "string") return null;
      const flags = args[options];
      try {
        parsePattern(pattern, flags instanceof EnumValue ? flags.number & MEANINGFUL : 0);
        return null;
      } catch (error) {
        if (error instanceof NetException) return error.message;
        throw error;
      }
    },
  });
}

const of = (pattern: string | null, options: EnumValue | null = null, timeout: unknown = null): NetRegex =>
  new NetRegex(pattern, options, timeout);

const O = "RegexOptions options";
const T = "TimeSpan matchTimeout";
const statics: Record<string, any> = {};
for (const extra of ["", `, ${O}`, `, ${O}, ${T}`]) {
  statics[`static bool IsMatch(string input, string pattern${extra})`] = checked(
    (input, pattern, options, timeout) => isMatch(of(pattern, options, timeout), input),
    1,
    2,
  );
  statics[`static Match Match(string input, string pattern${extra})`] = checked(
    (input, pattern, options, timeout) => match(of(pattern, options, timeout), input),
    1,
    2,
  );
  statics[`static MatchCollection Matches(string input, string pattern${extra})`] = checked(
    (input, pattern, options, timeout) => matches(of(pattern, options, timeout), input),
    1,
    2,
  );
  statics[`static string[] Split(string input, string pattern${extra})`] = checked(
    (input, pattern, options, timeout) => split(of(pattern, options, timeout), input),
    1,
    2,
  );
  statics[`static string Replace(string input, string pattern, string replacement${extra})`] = checked(
    (input, pattern, by, options, timeout) => replace(of(pattern, options, timeout), input, by),
    1,
    3,
  );
  statics[`static string Replace(string input, string pattern, MatchEvaluator evaluator${extra})`] = checked(
    (input, pattern, by, options, timeout) => replace(of(pattern, options, timeout), input, by),
    1,
    3,
  );
  statics[`Regex(string pattern${extra})`] = checked(of, 0, 1);
}

defineType(`delegate ${NS}.MatchEvaluator`, {
  "string Invoke(Match match)": (evaluator: Evaluator, found: NetMatch) => evaluator(found),
});

function groupNames(regex: NetRegex): NetArray {
  const { names, numbers } = regex.engine.pattern;
  const nameOf = new Map([...names].map(([name, number]) => [number, name]));
  return strings(numbers.map((number) => nameOf.get(number) ?? String(number)));
}

defineType(`class ${NS}.Regex`, {
  ...statics,
  "static string Escape(string str)": escape,
  "static string Unescape(string str)": unescape,
  "RegexOptions Options { get; }": (regex: NetRegex) => enumValue(OPTIONS, regex.options),
  "bool RightToLeft { get; }": () => false,
  "TimeSpan MatchTimeout { get; }": (regex: NetRegex) =>
    regex.timeout ?? late("System.TimeSpan", "FromMilliseconds", ["System.Double"])(-1),
  "bool IsMatch(string input)": (regex: NetRegex, input: string | null) => isMatch(regex, input),
  "bool IsMatch(string input, int startat)": isMatch,
  "Match Match(string input)": (regex: NetRegex, input: string | null) => match(regex, input),
  "Match Match(string input, int startat)": match,
  "MatchCollection Matches(string input)": (regex: NetRegex, input: string | null) => matches(regex, input),
  "MatchCollection Matches(string input, int startat)": matches,
  "string Replace(string input, string replacement)": (
    regex: NetRegex,
    input: string | null,
    by: string | null,
  ) => replace(regex, input, by),
  "string Replace(string input, string replacement, int count)": (
    regex: NetRegex,
    input: string | null,
    by: string | null,
    count: number,
  ) => replace(regex, input, by, count),
  "string Replace(string input, string replacement, int count, int startat)": replace,
  "string Replace(string input, MatchEvaluator evaluator)": (
    regex: NetRegex,
    input: string | null,
    by: Evaluator | null,
  ) => replace(regex, input, by),
  "string Replace(string input, MatchEvaluator evaluator, int count)": (
    regex: NetRegex,
    input: string | null,
    by: Evaluator | null,
    count: number,
  ) => replace(regex, input, by, count),
  "string Replace(string input, MatchEvaluator evaluator, int count, int startat)": replace,
  "string[] Split(string input)": (regex: NetRegex, input: string | null) => split(regex, input),
  "string[] Split(string input, int count)": (regex: NetRegex, input: string | null, count: number) =>
    split(regex, input, count),
  "string[] Split(string input, int count, int startat)": split,
  "string[] GetGroupNames()": groupNames,
  "int[] GetGroupNumbers()": (regex: NetRegex) =>
    new NetArray(typeNamed("System.Int32"), [...regex.engine.pattern.numbers]),
  "string GroupNameFromNumber(int i)": (regex: NetRegex, number: number) => {
    const { names, numbers } = regex.engine.pattern;
    if (!numbers.includes(number)) return "";
    return [...names].find(([, n]) => n === number)?.[0] ?? String(number);
  },
  "int GroupNumberFromName(string name)": (regex: NetRegex, name: string | null) => {
    if (name === null) throw argumentNull("name");
    const { names, numbers } = regex.engine.pattern;
    return names.get(name) ?? (/^\d+$/.test(name) && numbers.includes(Number(name)) ? Number(name) : -1);
  },
  "string ToString()": (regex: NetRegex) => regex.engine.source,
});

defineType(`class ${NS}.Capture`, {
  "int Index { get; }": (capture: NetCapture) => capture.start,
  "int Length { get; }": (capture: NetCapture) => capture.end - capture.start,
  "string Value { get; }": (capture: NetCapture) => capture.value,
  "string ToString()": (capture: NetCapture) => capture.value,
});
defineType(`class ${NS}.Group : Capture`, {
  "bool Success { get; }": (group: NetGroup) => group.success,
  "string Name { get; }": (group: NetGroup) => group.name,
  "CaptureCollection Captures { get; }": (group: NetGroup) => group.captures(),
});
defineType(`class ${NS}.Match : Group`, {
  "static Match Empty { get; }": () => NO_MATCH,
  "GroupCollection Groups { get; }": (found: NetMatch) => found.groups(),
  "Match NextMatch()": (found: NetMatch) => found.next(),
  "string Result(string replacement)": (found: NetMatch, replacement: string | null) =>
    found.result(replacement),
});

function itemOf(collection: NetArray, index: number): unknown {
  if (index < 0 || index >= collection.items.length) throw argumentOutOfRange("i");
  return collection.items[index];
}

for (const [name, item] of [
  ["CaptureCollection", "Capture"],
  ["MatchCollection", "Match"],
] as const) {
  defineType(`class ${NS}.${name} : IReadOnlyList<${item}>`, {
    "int Count { get; }": (collection: NetArray) => collection.items.length,
    [`${item} this[int i] { get; }`]: itemOf,
    [`IEnumerator<${item}> GetEnumerator()`]: (collection: NetArray) =>
      enumeratorOf(collection.elementType, collection),
  });
}
defineType(`class ${NS}.GroupCollection : IReadOnlyList<Group>`, {
  "int Count { get; }": (groups: Groups) => groups.items.length,
  "Group this[int groupnum] { get; }": (groups: Groups, number: number) => groups.named(String(number)),
  "Group this[string groupname] { get; }": (groups: Groups, name: string | null) => {
    if (name === null) throw argumentNull("groupname");
    return groups.named(name);
  },
  "bool ContainsKey(string key)": (groups: Groups, name: string) => groups.positions.has(name),
  "bool TryGetValue(string key, out Group value)": (groups: Groups, name: string, cell: OutCell) => {
    cell.value = groups.positions.has(name) ? groups.named(name) : null;
    return cell.value !== null;
  },
  "IEnumerator<Group> GetEnumerator()": (groups: Groups) => enumeratorOf(groups.elementType, groups),
});

/**
 * JSON with positions. `JSON.parse` decides what is valid and makes the value; the scanner below
 * exists for people: it says where things stand, and for invalid text what is wrong, in words. It
 * reads on after the usual slips (trailing comma, comment, missing comma, single quotes, unquoted
 * names) so that one pass reports them all.
 */
import type { Problem, SourceLocation } from "../../base/problem.ts";
import type { PropertyPath } from "../kinds/shape.ts";
import { problem } from "../messages.ts";
import { judgeSize, MAX_DEPTH, SourceText, type ParsedFile } from "./source.ts";

/** Above this size positions are worked out only when a problem asks for them. */
const EAGER_CHARS = 256 * 1024;
const MAX_PROBLEMS = 20;

export function parseJson(file: string, text: string): ParsedFile {
  const source = new SourceText(file, text);
  let value: unknown;
  let valid = true;
  try {
    value = JSON.parse(text);
  } catch {
    valid = false;
  }
  if (valid && text.length > EAGER_CHARS) {
    const problems = judgeSize(value) === "fine" ? [] : [problem("HG5104", { limit: MAX_DEPTH }, { file })];
    return parsed(source, problems.length === 0 ? value : undefined, problems);
  }
  const scanner = new JsonScanner(source);
  scanner.scan();
  if (!valid && scanner.problems.length === 0) {
    scanner.problems.push(problem("HG5101", { reason: "this is not valid JSON" }, { file }));
  }
  const broken = scanner.problems.length > 0;
  // Most files are never asked for a position: their tree is not kept.
  return parsed(source, broken ? undefined : value, scanner.problems);
}

function parsed(source: SourceText, value: unknown, problems: readonly Problem[]): ParsedFile {
  return new JsonFile(source, value, problems.length === 0 ? NO_PROBLEMS : problems);
}

const NO_PROBLEMS: readonly Problem[] = [];

class JsonFile implements ParsedFile {
  readonly source: SourceText;
  readonly value: unknown;
  readonly problems: readonly Problem[];
  #root: JsonNode | undefined;

  constructor(source: SourceText, value: unknown, problems: readonly Problem[]) {
    this.source = source;
    this.value = value;
    this.problems = problems;
  }

  locate(path: PropertyPath, options?: { key?: boolean }): SourceLocation {
    this.#root ??= new JsonScanner(this.source).scan();
    return locateIn(this.source, this.#root, path, options?.key === true);
  }
}

interface JsonNode {
  start: number;
  end: number;
  members?: Map<string | number, JsonMember>;
}
interface JsonMember {
  keyStart: number;
  keyEnd: number;
  node: JsonNode;
}

function locateIn(source: SourceText, root: JsonNode, path: PropertyPath, key: boolean) {
  let node = root;
  let member: JsonMember | undefined;
  let depth = 0;
  for (; depth < path.length; depth++) {
    const next = node.members?.get(path[depth]!);
    if (!next) break;
    member = next;
    node = next.node;
  }
  if (member && key && depth === path.length) return source.at(member.keyStart, member.keyEnd);
  // A whole object as a range helps nobody: point at its opening bracket.
  return source.at(node.start, node.members ? node.start + 1 : node.end);
}

class JsonScanner {
  readonly problems: Problem[] = [];
  readonly #source: SourceText;
  readonly #text: string;
  #at = 0;
  #stopped = false;

  constructor(source: SourceText) {
    this.#source = source;
    this.#text = source.text;
  }

  scan(): JsonNode {
    this.#skipSpace();
    if (this.#at >= this.#text.length) {
      this.problems.push(problem("HG5105", {}, this.#source.at(0, 0), "write `{}`, or the resource"));
      return { start: 0, end: 0 };
    }
    const root = this.#value(0);
    this.#skipSpace();
    if (!this.#stopped && this.#at < this.#text.length)
      this.#fail("nothing may follow the end of the value", 1);
    return root;
  }

  #value(depth: number): JsonNode {
    if (depth > MAX_DEPTH) {
      this.problems.push(problem("HG5104", { limit: MAX_DEPTH }, this.#source.at(this.#at, this.#at + 1)));
      return this.#stop();
    }
    const start = this.#at;
    const char = this.#text[start];
    if (char === "{") return this.#object(depth);
    if (char === "[") return this.#array(depth);
    if (char === '"') {
      this.#string();
      return { start, end: this.#at };
    }
    if (char === "'") {
      this.#quotedWrongly();
      return { start, end: this.#at };
    }
    return this.#literal(start);
  }

  #object(depth: number): JsonNode {
    const start = this.#at++;
    const members = new Map<string | number, JsonMember>();
    for (let first = true; !this.#stopped; first = false) {
      if (this.#closes("}", first, start)) break;
      const keyStart = this.#at;
      const key = this.#key();
      if (key === undefined) break;
      const keyEnd = this.#at;
      this.#skipSpace();
      if (this.#text[this.#at] !== ":") {
        this.#fail(`expected \`:\` after the name \`${key}\`, but found ${this.#found()}`, 1);
        break;
      }
      this.#at++;
      this.#skipSpace();
      const node = this.#value(depth + 1);
      if (members.has(key)) this.#note("HG5103", { key }, keyStart, keyEnd, "remove one of the two");
      members.set(key, { keyStart, keyEnd, node });
    }
    return { start, end: this.#at, members };
  }

  #array(depth: number): JsonNode {
    const start = this.#at++;
    const members = new Map<string | number, JsonMember>();
    for (let first = true; !this.#stopped; first = false) {
      if (this.#closes("]", first, start)) break;
      const keyStart = this.#at;
      const node = this.#value(depth + 1);
      members.set(members.size, { keyStart, keyEnd: this.#at, node });
    }
    return { start, end: this.#at, members };
  }

  /** Before each member: the end, or the comma that must separate it from the last. */
  #closes(bracket: "}" | "]", first: boolean, opened: number): boolean {
    this.#skipSpace();
    const char = this.#text[this.#at];
    if (char === bracket) {
      this.#at++;
      return true;
    }
    if (this.#at >= this.#text.length) {
      const { line } = this.#source.positionAt(opened);
      this.#fail(
        `the file ends before the \`${bracket === "}" ? "{" : "["}\` of line ${line} is closed`,
        0,
        `add the closing \`${bracket}\``,
      );
      return true;
    }
    if (first) return false;
    if (char !== ",") {
      if (char === "}" || char === "]") {
        this.#fail(`expected \`,\` or \`${bracket}\`, but found ${this.#found()}`, 1);
        return true;
      }
      this.#note(
        "HG5101",
        { reason: "a comma is missing before this" },
        this.#at,
        this.#at + 1,
        "write `,` after the value before",
      );
      return false;
    }
    const comma = this.#at++;
    this.#skipSpace();
    if (this.#text[this.#at] !== bracket) return false;
    this.#note("HG5101", { reason: "JSON has no trailing commas" }, comma, comma + 1, "remove the comma");
    this.#at++;
    return true;
  }

  #key(): string | undefined {
    const start = this.#at;
    const char = this.#text[start];
    if (char === '"') return this.#string();
    if (char === "'") return this.#quotedWrongly();
    const bare = /[\w$-]+/y;
    bare.lastIndex = start;
    const word = bare.exec(this.#text)?.[0];
    if (word === undefined) {
      this.#fail(`expected a name in quotes, but found ${this.#found()}`, 1);
      return undefined;
    }
    this.#at += word.length;
    this.#note(
      "HG5101",
      { reason: "names must be in double quotes" },
      start,
      this.#at,
      `write \`"${word}"\``,
    );
    return word;
  }

  #string(): string {
    const start = this.#at++;
    for (; this.#at < this.#text.length; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === 0x22) {
        this.#at++;
        return this.#unescape(start);
      }
      if (code === 0x5c) this.#at++;
      else if (code < 0x20) {
        const what =
          code === 10 || code === 13 ? "a line break" : code === 9 ? "a tab" : "a control character";
        const escape =
          code === 10 || code === 13
            ? "\\n"
            : code === 9
              ? "\\t"
              : "\\u00" + code.toString(16).padStart(2, "0");
        this.#fail(`${what} inside a text`, 1, `close the quote, or write \`${escape}\``);
        return "";
      }
    }
    this.#at = start;
    this.#fail("this text is never closed", 1, 'add the closing `"`');
    return "";
  }

  #unescape(start: number): string {
    const raw = this.#text.slice(start, this.#at);
    if (!raw.includes("\\")) return raw.slice(1, -1);
    try {
      return JSON.parse(raw) as string;
    } catch {
      const bad = /\\(?!["\\/bfnrt]|u[0-9a-fA-F]{4})./s.exec(raw.replace(/\\\\/g, "  "));
      const at = start + (bad?.index ?? 0);
      this.#note(
        "HG5101",
        { reason: `\`${bad?.[0] ?? "\\"}\` is not an escape` },
        at,
        at + 2,
        "write `\\\\` for a backslash",
      );
      return raw.slice(1, -1);
    }
  }

  #quotedWrongly(): string {
    const start = this.#at;
    const end = /'(?:[^'\\\n\r]|\\.)*'/y;
    end.lastIndex = start;
    const raw = end.exec(this.#text)?.[0];
    if (raw === undefined) {
      this.#fail("this text is never closed", 1);
      return "";
    }
    this.#at += raw.length;
    this.#note(
      "HG5101",
      { reason: "JSON texts are in double quotes" },
      start,
      this.#at,
      "write `\"` instead of `'`",
    );
    return raw.slice(1, -1);
  }

  #literal(start: number): JsonNode {
    const token = /[^\s,:[\]{}"']+/y;
    token.lastIndex = start;
    const word = token.exec(this.#text)?.[0];
    if (word === undefined) {
      this.#fail(`expected a value, but found ${this.#found()}`, 1);
      return { start, end: start };
    }
    this.#at += word.length;
    if (!/^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/.test(word)) {
      const folded = word.toLowerCase();
      const hint = ["true", "false", "null"].includes(folded)
        ? `write \`${folded}\``
        : folded === "none" || folded === "undefined"
          ? "write `null`"
          : "texts need double quotes";
      this.#note("HG5101", { reason: `\`${shorten(word)}\` is not a JSON value` }, start, this.#at, hint);
    }
    return { start, end: this.#at };
  }

  #skipSpace(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === 32 || code === 10 || code === 13 || code === 9) this.#at++;
      else if (code === 0x2f || code === 0x23) {
        const comment = /\/\/[^\n\r]*|#[^\n\r]*|\/\*[\s\S]*?\*\//y;
        comment.lastIndex = this.#at;
        const found = comment.exec(this.#text)?.[0];
        if (found === undefined) return;
        this.#note(
          "HG5101",
          { reason: "JSON has no comments" },
          this.#at,
          this.#at + Math.min(found.length, 80),
          "remove it",
        );
        this.#at += found.length;
      } else return;
    }
  }

  #found(): string {
    return this.#at < this.#text.length ? `\`${this.#text[this.#at]}\`` : "the end of the file";
  }

  #note(
    code: "HG5101" | "HG5103",
    parameters: Record<string, string>,
    start: number,
    end: number,
    hint?: string,
  ): void {
    this.problems.push(problem(code, parameters, this.#source.at(start, end), hint));
    if (this.problems.length >= MAX_PROBLEMS) this.#stop();
  }

  #fail(reason: string, length: number, hint?: string): void {
    this.#note("HG5101", { reason }, this.#at, this.#at + length, hint);
    this.#stop();
  }

  #stop(): JsonNode {
    this.#stopped = true;
    const start = this.#at;
    this.#at = this.#text.length;
    return { start, end: start };
  }
}

function shorten(text: string): string {
  return text.length > 40 ? text.slice(0, 40) + "…" : text;
}

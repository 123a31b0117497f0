/** YAML 1.2 with positions, and with the doors closed that let a small file become a huge value. */
import {
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  parseDocument,
  visit,
  type Document,
  type Node,
  type YAMLError,
} from "yaml";
import type { Problem } from "../../base/problem.ts";
import type { PropertyPath } from "../kinds/shape.ts";
import { problem } from "../messages.ts";
import { judgeSize, MAX_DEPTH, SourceText, type ParsedFile } from "./source.ts";

const MAX_PROBLEMS = 20;
/** Reading YAML is slow, about a second per MB; specifications of 5 MB must pass. */
const MAX_CHARS = 6 * 1024 * 1024;
/** The library looks for each alias's anchor from the start: what that may cost, in nodes looked at. */
const MAX_ALIAS_WORK = 50_000_000;

export interface YamlOptions {
  /**
   * Keep a number as text when reading it would change how it looks: `apiVersion: 1.0` must not
   * become "1". Right where texts are expected, wrong for JSON Schema.
   */
  readonly numbersAsWritten?: boolean;
}

export function parseYaml(file: string, text: string, options: YamlOptions = {}): ParsedFile {
  const source = new SourceText(file, text);
  const problems: Problem[] = [];
  if (text.length > MAX_CHARS) {
    problems.push(problem("HG5002", { limit: "6 MB" }, { file }, "JSON may be larger"));
    return { value: undefined, problems, source, locate: () => ({ file }) };
  }
  const tree = parseTree(text);
  let value: unknown;
  if (tree.errors.length > 0) {
    // What the library says behind the first error of a place mostly follows from it.
    const first = tree.errors.filter((error, i) => i === 0 || isElsewhere(error, tree.errors[i - 1]!, text));
    problems.push(...first.slice(0, MAX_PROBLEMS).map((error) => syntaxProblem(error, source)));
  } else if (tree.contents === null) {
    problems.push(problem("HG5105", {}, source.at(0, 0)));
  } else {
    if (options.numbersAsWritten) keepNumbersAsWritten(tree);
    checkTree(tree, problems, source);
    if (problems.length === 0) value = toValue(tree, problems, source);
  }
  // Most files are never asked for a position: their tree is not kept.
  let kept: Document | undefined;
  return {
    value: problems.length > 0 ? undefined : value,
    problems,
    source,
    locate: (path, options) => locateIn(source, (kept ??= parseTree(text)), path, options?.key === true),
  };
}

function parseTree(text: string): Document {
  // Without `uniqueKeys`, whose cost is quadratic: 40,000 names in one map take seven seconds.
  const options = {
    logLevel: "silent",
    merge: true,
    stringKeys: true,
    prettyErrors: false,
    uniqueKeys: false,
  } as const;
  return parseDocument(text, options) as Document;
}

function toValue(tree: Document, problems: Problem[], source: SourceText): unknown {
  try {
    // Aliases become shared values here, so nothing multiplies yet: it is judged before it can.
    const value: unknown = tree.toJS({ maxAliasCount: -1 });
    const size = judgeSize(value);
    if (size === "deep") problems.push(problem("HG5104", { limit: MAX_DEPTH }, { file: source.file }));
    if (size === "huge") problems.push(problem("HG5107", {}, { file: source.file }));
    return value;
  } catch (error) {
    if (error instanceof ReferenceError) {
      problems.push(problem("HG5102", { reason: lowerFirst(error.message) }, { file: source.file }));
    } else if (error instanceof RangeError) {
      problems.push(problem("HG5104", { limit: MAX_DEPTH }, { file: source.file }));
    } else throw error;
    return undefined;
  }
}

/** Shapes that want a number read it back from its text. */
function keepNumbersAsWritten(tree: Document): void {
  visit(tree, {
    Scalar(_, node) {
      if (typeof node.value === "number" && node.source !== undefined && String(node.value) !== node.source) {
        node.value = node.source;
      }
    },
  });
}

/** Names written twice, and aliases that would take for ever to look up. */
function checkTree(tree: Document, problems: Problem[], source: SourceText): void {
  let nodes = 0;
  let aliases = 0;
  visit(tree, {
    Node: () => void nodes++,
    Alias: () => void aliases++,
    Map(_, map) {
      nodes++;
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        const name = isScalar(key) ? key.value : undefined;
        if (name === undefined || name === "<<") continue;
        if (seen.has(name) && problems.length < MAX_PROBLEMS) {
          const [start, end] = (key as Node).range ?? [0, 0];
          problems.push(
            problem("HG5103", { key: String(name) }, source.at(start, end), "remove one of the two"),
          );
        }
        seen.add(name);
      }
    },
  });
  if (nodes * aliases > MAX_ALIAS_WORK) problems.push(problem("HG5107", {}, { file: source.file }));
}

function syntaxProblem(error: YAMLError, source: SourceText): Problem {
  const [start, end] = error.pos;
  if (error.code === "RESOURCE_EXHAUSTION") {
    return problem("HG5104", { limit: MAX_DEPTH }, source.at(start, start + 1));
  }
  const deeper = overIndented(error, source.text);
  if (deeper !== null) {
    const reason = "this line is indented deeper than the one before, which has its value already";
    return problem("HG5102", { reason }, source.at(deeper, deeper + 1), "indent it like the line before");
  }
  const quote = /^Missing closing (["'])/.exec(error.message)?.[1];
  const opened = quote === undefined ? -1 : source.text.lastIndexOf(quote, start);
  if (opened !== -1) {
    return problem(
      "HG5102",
      { reason: "this text is never closed" },
      source.at(opened, opened + 1),
      `add the closing ${quote}`,
    );
  }
  return problem("HG5102", { reason: lowerFirst(error.message) }, source.at(start, end), yamlHint(error));
}

/** Whether an error stands at least some lines behind the one before. */
function isElsewhere(error: YAMLError, before: YAMLError, text: string): boolean {
  return text.slice(before.pos[1], error.pos[0]).split("\n").length > 3;
}

/** `key: value` and then a line that is indented deeper: the library blames the value. The start of that line. */
function overIndented(error: YAMLError, text: string): number | null {
  if (error.code !== "BLOCK_AS_IMPLICIT_KEY" && error.code !== "MULTILINE_IMPLICIT_KEY") return null;
  const lineStart = text.lastIndexOf("\n", error.pos[0] - 1) + 1;
  const next = /\n([ ]*)(?=[^\s#])/.exec(text.slice(error.pos[0]));
  if (next === null) return null;
  const indent = /^ */.exec(text.slice(lineStart))![0].length;
  return next[1]!.length > indent ? error.pos[0] + next.index + next[0].length : null;
}

function yamlHint(error: YAMLError): string | undefined {
  if (error.code === "TAB_AS_INDENT") return "indent with spaces";
  if (error.code === "BAD_INDENT" || error.code === "MISSING_CHAR")
    return "check indentation, quotes and brackets here";
  return undefined;
}

function lowerFirst(message: string): string {
  const first = message.split("\n", 1)[0]!.replace(/[.:]$/, "");
  return first.charAt(0).toLowerCase() + first.slice(1);
}

function locateIn(source: SourceText, tree: Document, path: PropertyPath, key: boolean) {
  let node = resolveAlias(tree.contents, tree);
  let found: { range?: readonly number[] | null } | null = node;
  for (let depth = 0; depth < path.length; depth++) {
    const step = path[depth]!;
    let next: unknown;
    let nextFound: typeof found = null;
    if (isMap(node)) {
      const pair = node.items.find(
        (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(step),
      );
      next = pair?.value;
      nextFound =
        key && depth === path.length - 1 ? (pair?.key as Node) : ((pair?.value ?? pair?.key) as Node);
    } else if (isSeq(node)) {
      next = node.items[Number(step)];
      nextFound = next as Node;
    }
    if (!nextFound) break;
    found = nextFound;
    node = resolveAlias(next as Node | null, tree);
  }
  const range = found?.range;
  if (!range) return { file: source.file };
  const whole = isMap(found) || isSeq(found);
  return source.at(range[0]!, whole ? range[0]! + 1 : range[1]!);
}

function resolveAlias(node: Node | null | undefined, tree: Document): Node | null {
  if (node && isAlias(node)) return node.resolve(tree) ?? null;
  return node ?? null;
}

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
import { isTooDeep, MAX_DEPTH, SourceText, type ParsedFile } from "./source.ts";

const MAX_PROBLEMS = 20;
/** How many values aliases may multiply into, per alias; the limit of the library. */
const MAX_ALIASES = 100;

export interface YamlOptions {
  /**
   * Keep a number as text when reading it would change how it looks: `apiVersion: 1.0` must not
   * become "1". Right where texts are expected, wrong for JSON Schema.
   */
  readonly numbersAsWritten?: boolean;
}

export function parseYaml(file: string, text: string, options: YamlOptions = {}): ParsedFile {
  const source = new SourceText(file, text);
  const tree = parseTree(text);
  const problems: Problem[] = [];
  let value: unknown;
  if (tree.errors.length > 0) {
    problems.push(...tree.errors.slice(0, MAX_PROBLEMS).map((error) => syntaxProblem(error, source)));
  } else if (tree.contents === null) {
    problems.push(problem("HG5105", {}, source.at(0, 0)));
  } else {
    if (options.numbersAsWritten) keepNumbersAsWritten(tree);
    value = toValue(tree, problems, source);
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
  return parseDocument(text, { logLevel: "silent", merge: true, stringKeys: true, prettyErrors: false }) as Document;
}

function toValue(tree: Document, problems: Problem[], source: SourceText): unknown {
  try {
    const value: unknown = tree.toJS({ maxAliasCount: MAX_ALIASES });
    if (isTooDeep(value)) problems.push(problem("HG5104", { limit: MAX_DEPTH }, { file: source.file }));
    return value;
  } catch (error) {
    if (error instanceof ReferenceError) {
      problems.push(problem("HG5107", {}, { file: source.file }));
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

function syntaxProblem(error: YAMLError, source: SourceText): Problem {
  const [start, end] = error.pos;
  if (error.code === "DUPLICATE_KEY") {
    const key = /^[^\s:]+/.exec(source.text.slice(start, start + 80))?.[0] ?? "";
    return problem("HG5103", { key: key.replace(/["']/g, "") }, source.at(start, end), "remove one of the two");
  }
  if (error.code === "RESOURCE_EXHAUSTION") {
    return problem("HG5104", { limit: MAX_DEPTH }, source.at(start, start + 1));
  }
  return problem("HG5102", { reason: lowerFirst(error.message) }, source.at(start, end), yamlHint(error));
}

function yamlHint(error: YAMLError): string | undefined {
  if (error.code === "TAB_AS_INDENT") return "indent with spaces";
  if (error.code === "BAD_INDENT" || error.code === "MISSING_CHAR") return "check indentation, quotes and brackets here";
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
      const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(step));
      next = pair?.value;
      nextFound = key && depth === path.length - 1 ? (pair?.key as Node) : ((pair?.value ?? pair?.key) as Node);
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

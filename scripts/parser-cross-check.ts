/**
 * Holds the expression parser against an independent C# grammar, tree-sitter's: both must accept or refuse the same texts, and
 * see the same operators, calls, casts, lambdas and conditionals in the same places. Development only: the two packages
 * (`web-tree-sitter`, `tree-sitter-c-sharp`) are not dependencies; install them anywhere else and name that folder.
 *
 *     npm i --prefix /tmp/grammar --ignore-scripts web-tree-sitter@0.27.1 tree-sitter-c-sharp@0.23.5
 *     node scripts/parser-cross-check.ts /tmp/grammar [generated expressions, 20000] [first seed]
 *
 * Where the two differ for a reason that is known, `KNOWN` says so; every other difference is printed and ends with 1.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { fuzzExpression } from "../conformance/expression-fuzz.ts";
import { readCases } from "../conformance/expression-runner.ts";
import { parseExpression } from "../src/compiler/csharp/parser.ts";

/** What we use of a tree-sitter node. */
interface SyntaxNode {
  readonly type: string;
  readonly startIndex: number;
  readonly endIndex: number;
  readonly hasError: boolean;
  readonly namedChildren: readonly SyntaxNode[];
}
interface ForeignParser {
  parse(text: string): { readonly rootNode: SyntaxNode; delete(): void };
}

/** Kinds of ours → kinds of theirs that mean the same piece of text. */
const SHAPES: Readonly<Record<string, readonly string[]>> = {
  binary: ["binary_expression"],
  call: ["invocation_expression"],
  cast: ["cast_expression"],
  conditional: ["conditional_expression"],
  lambda: ["lambda_expression"],
  assignment: ["assignment_expression"],
  unary: ["prefix_unary_expression"],
  postfix: ["postfix_unary_expression"],
  new: ["object_creation_expression", "implicit_object_creation_expression"],
  anonymousObject: ["anonymous_object_creation_expression"],
  tuple: ["tuple_expression"],
  interpolated: ["interpolated_string_expression"],
};
const THEIRS = new Map(
  Object.entries(SHAPES).flatMap(([ours, theirs]) => theirs.map((kind) => [kind, ours] as const)),
);

const KEYWORDS =
  "break|case|catch|char|const|continue|default|do|else|false|finally|for|foreach|if|in|int|is|long|new|null|out|ref|return|string|bool|double|decimal|object|switch|throw|true|try|typeof|while|as|checked|unchecked|stackalloc";
/** Behind a dot, in front of what no such word may be in front of, or beside a name. */
const KEYWORD_AS_NAME = new RegExp(
  `\\.\\s*(?:${KEYWORDS})\\b|\\b(?:${KEYWORDS})\\s*(?:[.,)\\]=]|$)|\\w\\s+(?:${KEYWORDS})\\b|[(,=<>+*/|-]\\s*(?:${KEYWORDS})\\b|^\\W*(?:${KEYWORDS})\\W`,
);

/** Differences that are meant, or that are the other grammar's. The first that fits names it. */
const KNOWN: readonly (readonly [
  why: string,
  test: (code: string, codes: readonly string[], shapes: string) => boolean,
])[] = [
  [
    "they take `(a.b) + c` for a cast of `+c`",
    (_, codes, shapes) => codes.length === 0 && /theirs .*\bcast\b/.test(shapes),
  ],
  [
    "they take `(a)0` for a cast, whatever stands between the brackets",
    (code, codes) => codes.includes("HG3036") && /\)\s*[\w"'$@]/.test(code),
  ],
  ["they take reserved words for names", (code, codes) => codes.length > 0 && KEYWORD_AS_NAME.test(code)],
  ["an empty text: `return ;` to them", (_, codes) => codes.includes("HG3041")],
  ["`new T` without arguments", (_, codes) => codes.includes("HG3057")],
  ["they take `@( a; b )` for two statements", (code, codes) => codes.length > 0 && code.includes(";")],
  [
    "they keep a node for `x!`",
    (_, codes, shapes) => codes.length === 0 && /theirs .*\bpostfix\b/.test(shapes),
  ],
  [
    "they take `&x` for an address and `Cast<>` for a type",
    (code, codes) => codes.length > 0 && /&|<\s*>/.test(code),
  ],
  ["raw strings: how many quotes end one", (code) => code.includes('"""')],
  ["`await`, `async` and `goto` as names or operators", (code) => /\b(?:await|async|goto)\b/.test(code)],
  ["`[0]` is a list to them (C# 12)", (_, codes) => codes.includes("HG3066")],
  [
    "members of anonymous objects need names (a check behind the grammar)",
    (_, codes) => codes.includes("HG3054"),
  ],
  [
    "a type's word is a value to them: `List<int>/ 2`",
    (code, codes) =>
      codes.length > 0 &&
      /<\s*(?:int|string|object|bool)\s*>|\b(?:int|string|object|bool)\s*[-+*/<>?:&|]/.test(code),
  ],
  ["white space beyond ASCII", (code) => /[\u00a0\u2028]/.test(code)],
  // Theirs.
  [
    "they read quotes behind an interpolated string, and in verbatim ones, as their own",
    (code) => /\$@"|@\$"|\$".*""/.test(code),
  ],
  [
    "they put `a % b?.c` together as `(a % b)?.c`",
    (code, codes, shapes) => codes.length === 0 && shapes !== "" && code.includes("?."),
  ],
  ["ranges at odd places", (code) => code.includes("..")],
  [
    "they read a cast of a generic call, or one with an indexer behind it, as comparisons",
    (code) => /\w<[\w.,<>[\] ]+>\s*\(/.test(code),
  ],
  [
    "they read what follows `is T` and `as T` as part of a pattern",
    (code) => /\b(?:is|as)\s+[\w.<>[\]]+/.test(code),
  ],
  // We refuse, they accept.
  [
    "C# that parses but is not for policy expressions",
    (_, codes) => codes.some((code) => ["HG3080", "HG3081"].includes(code)),
  ],
  ["directives", (_, codes) => codes.includes("HG3005")],
  [
    "not a statement; a value thrown away (their grammar takes any expression)",
    (_, codes) => codes.some((code) => ["HG3039", "HG3040"].includes(code)),
  ],
  ["left side of an assignment (a check behind the grammar)", (_, codes) => codes.includes("HG3045")],
  [
    "numbers, characters and escapes (their scanner is lenient)",
    (_, codes) =>
      codes.some((code) => ["HG3010", "HG3011", "HG3012", "HG3013", "HG3016", "HG3017"].includes(code)),
  ],
];

async function loadGrammar(folder: string): Promise<ForeignParser> {
  const require = createRequire(join(resolve(folder), "package.json"));
  const { Parser, Language } = await import(pathToFileURL(require.resolve("web-tree-sitter")).href);
  await Parser.init();
  const wasm = join(require.resolve("tree-sitter-c-sharp/package.json"), "..", "tree-sitter-c_sharp.wasm");
  const parser = new Parser();
  parser.setLanguage(await Language.load(readFileSync(wasm)));
  return parser as ForeignParser;
}

const PREFIX = { expression: "class C { object F() { return ", block: "class C { object F() {" };
const SUFFIX = { expression: "\n; } }", block: "\n} }" };

interface Judged {
  readonly accepted: boolean;
  /** `binary 3..9`, sorted. */
  readonly shapes: readonly string[];
}

/** In `a?.b()` the call begins at `a` for them and behind the `?` for us, so only its end counts. */
function shapeOf(kind: string, start: number, end: number): string {
  return kind === "call" ? `call ..${end}` : `${kind} ${start}..${end}`;
}

function theirs(parser: ForeignParser, code: string, form: "expression" | "block"): Judged {
  const tree = parser.parse(PREFIX[form] + code + SUFFIX[form]);
  try {
    const shapes: string[] = [];
    const offset = PREFIX[form].length;
    // A text that closes our frame and opens another is no expression, though the whole parses.
    const method = tree.rootNode.namedChildren;
    const visit = (node: SyntaxNode, parent: string): void => {
      const kind = THEIRS.get(node.type);
      // `new X { A = 1 }` is an assignment to them and an initializer to us.
      const isInitializer = kind === "assignment" && parent === "initializer_expression";
      if (kind !== undefined && !isInitializer)
        shapes.push(shapeOf(kind, node.startIndex - offset, node.endIndex - offset));
      for (const child of node.namedChildren) visit(child, node.type);
    };
    visit(tree.rootNode, "");
    return { accepted: !tree.rootNode.hasError && method.length === 1, shapes: shapes.sort() };
  } finally {
    tree.delete();
  }
}

function ours(code: string, form: "expression" | "block"): Judged & { readonly codes: readonly string[] } {
  const { tree, diagnostics } = parseExpression(code, { kind: form });
  const codes = diagnostics
    .filter(({ severity }) => severity === "error")
    .map((diagnostic) => diagnostic.code);
  const shapes: string[] = [];
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) return node.forEach(visit);
    if (node === null || typeof node !== "object") return;
    const { kind, start, end } = node as { kind?: string; start?: number; end?: number };
    const named = kind === "nameof" ? "call" : kind === "fromEnd" ? "unary" : kind;
    if (named !== undefined && Object.hasOwn(SHAPES, named) && start !== undefined)
      shapes.push(shapeOf(named, start, end!));
    Object.values(node).forEach(visit);
  };
  visit(tree);
  return { accepted: codes.length === 0, shapes: shapes.sort(), codes };
}

function difference(mine: readonly string[], other: readonly string[]): string {
  const only = (list: readonly string[], rest: readonly string[]): string =>
    list.filter((one) => !rest.includes(one)).join(", ");
  return `\n  ours   ${only(mine, other)}\n  theirs ${only(other, mine)}`;
}

const [folder, count = "20000", first = "0"] = process.argv.slice(2);
if (folder === undefined) {
  console.error("usage: node scripts/parser-cross-check.ts FOLDER [count] [first seed]");
  process.exit(2);
}
const parser = await loadGrammar(folder);
const cases = readCases("conformance/expression-cases.json").cases.map(({ expression }) => expression.trim());
const inputs = [
  ...cases.map((text) => ({
    code: text.slice(2, -1),
    form: text.startsWith("@{") ? ("block" as const) : ("expression" as const),
  })),
  ...Array.from({ length: Number(count) }, (_, i) => fuzzExpression(Number(first) + i, cases)),
];
const reasons = new Map<string, number>();
let agreed = 0;
let differ = 0;
for (const { code, form } of inputs) {
  const mine = ours(code, form);
  const other = theirs(parser, code, form);
  const sameShapes =
    !mine.accepted || !other.accepted || JSON.stringify(mine.shapes) === JSON.stringify(other.shapes);
  if (mine.accepted === other.accepted && sameShapes) {
    agreed++;
    continue;
  }
  const shapes = mine.accepted && other.accepted ? difference(mine.shapes, other.shapes) : "";
  const why = KNOWN.find(([, test]) => test(code, mine.codes, shapes))?.[0];
  if (why !== undefined) {
    reasons.set(why, (reasons.get(why) ?? 0) + 1);
    continue;
  }
  differ++;
  if (differ > 60) continue;
  const verdicts = `ours ${mine.accepted ? "accepts" : `refuses (${mine.codes.join(" ")})`}, theirs ${other.accepted ? "accepts" : "refuses"}`;
  console.log(`${verdicts}: ${form} ${JSON.stringify(code)}${shapes}`);
}
console.log(`${inputs.length} texts: ${agreed} agree, ${differ} differ`);
for (const [why, times] of reasons) console.log(`  known: ${times} × ${why}`);
if (differ > 0) process.exitCode = 1;

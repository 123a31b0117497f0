/**
 * Broken documents without end, for the fuzz test and `scripts/fuzz-documents.ts`: seeds that are cut, doubled, swapped
 * and sprinkled with the tokens that matter, and documents put together from such tokens alone. The same seed number
 * always gives the same text.
 */
import type { CompiledDocument, CompiledFragment } from "./compile.ts";
import type { ParsedDocument } from "./xml/parser.ts";
import type { XmlElement } from "./xml/tree.ts";
import { mostDiagnostics } from "./diagnostics.ts";

const tokens = [
  "<",
  ">",
  "/>",
  "</",
  "=",
  '"',
  "'",
  "&",
  ";",
  " ",
  "\n",
  "\r\n",
  "\t",
  "@(",
  "@{",
  ")",
  "}",
  "{",
  "(",
  "{{",
  "}}",
  "<!--",
  "-->",
  "<![CDATA[",
  "]]>",
  "<?",
  "?>",
  "<!DOCTYPE",
  "&quot;",
  "&apos;",
  "&lt;",
  "&amp;",
  "&#0;",
  "&#x22;",
  "&nbsp;",
  '$"',
  '@"',
  '$@"',
  '"""',
  "//",
  "/*",
  "*/",
  "'\\''",
  "\\",
  "#",
  "policies",
  "inbound",
  "backend",
  "outbound",
  "on-error",
  "fragment",
  "choose",
  "when",
  "otherwise",
  "set-header",
  "value",
  "set-body",
  "base",
  "include-fragment",
  "retry",
  "id",
  'condition="@(a == "b")"',
  ' name="x"',
  ' count="3"',
  ' fragment-id="f"',
  ' template="liquid"',
  "<base/>",
  "</policies>",
  "<policies>",
  "<inbound>",
  "</inbound>",
  "<value>@(x)</value>",
  "{{name}}",
  "{placeholder}",
  "\u0000",
  "\ufeff",
  "\u201c",
  "é",
  "😀",
  "\ud800",
];

const seeds = [
  `<policies>
  <inbound>
    <base />
    <!-- by country -->
    <choose>
      <when condition="@(context.Request.Headers.GetValueOrDefault("x-country", "") == "NL" && 1 < 2)">
        <set-header name="x-region" exists-action="override"><value>@($"eu-{context.RequestId}")</value></set-header>
      </when>
      <otherwise><return-response><set-status code="403" /><set-body>@{ return "no"; }</set-body></return-response></otherwise>
    </choose>
    <include-fragment fragment-id="f" />
  </inbound>
  <backend><retry condition="@(context.Response.StatusCode == 429)" count="{{limit}}"><forward-request /></retry></backend>
  <outbound><base /><set-body template="liquid">{ "a": "{{body.a}}" }</set-body></outbound>
  <on-error><base /></on-error>
</policies>`,
  `<policies><inbound><set-variable name="a" value="@(context.Variables[&quot;b&quot;] &lt; 1 &amp;&amp; true)" /></inbound></policies>`,
  `<fragment><set-method><![CDATA[POST]]></set-method><set-header name='q' exists-action='skip'/></fragment>`,
];

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A document of at most some kilobytes. */
export function brokenDocument(seed: number): string {
  const random = randomFrom(seed);
  const pick = (limit: number): number => Math.floor(random() * limit);
  if (pick(4) === 0) return Array.from({ length: 1 + pick(60) }, () => tokens[pick(tokens.length)]!).join("");
  let text = seeds[pick(seeds.length)]!;
  for (let changes = 1 + pick(8); changes > 0; changes--) {
    const from = pick(text.length + 1);
    const to = Math.min(text.length, from + pick(pick(8) === 0 ? 200 : 12));
    const piece = text.slice(from, to);
    const kind = pick(4);
    if (kind === 0) text = text.slice(0, from) + text.slice(to);
    else if (kind === 1) text = text.slice(0, to) + piece.repeat(1 + pick(4)) + text.slice(to);
    else if (kind === 2) text = text.slice(0, from) + tokens[pick(tokens.length)]! + text.slice(from);
    else {
      const at = pick(text.length + 1);
      text = text.slice(0, at) + piece + text.slice(at);
    }
  }
  return text;
}

/** Texts that make careless readers quadratic, or worse; each `size` characters long. */
export function hostileDocuments(size: number): string[] {
  const pieces = [
    "@(",
    "@{",
    "<a ",
    "<a",
    "</a>",
    '"',
    "'",
    '<a b="@(',
    "<a>@(",
    "<a b='\"",
    "<a b=\"><a c='>",
    "<a/>",
    "<!--",
    "<a>@(<!--",
    "&",
    "&amp;",
    '<a b="@(&quot;',
    '<a b="x\n',
    "<a b=\"@(')",
    '<a>@("\n</a>',
    "<![CDATA[",
    '<a b="{{',
    '<a b="@($"{',
    "{{a",
    "{{a}}",
    '<x b="@(a)" c="',
    '<x b="Bearer @("a"" ',
    " ",
    "\n",
    "<a b c d=e>",
    "<!DOCTYPE [<",
    "<a x",
    " a=1",
    ' a="1"',
    "<?",
    "]]>",
    ">",
    "<a>></b>",
    '<a b=">',
    "<base/>",
    "<unknwon/>",
    "<choose><when condition='true'><cors/></when></choose>",
    "<cors/>",
    "<value>@(context.Variables[",
    "/*",
    "//",
    '$"{',
    '@"',
    '"""',
    "#",
    "\\",
  ];
  const heads = [
    "",
    "<policies><inbound>",
    '<policies><inbound><set-body a="',
    "<policies><inbound><set-body>@(",
    "<policies><inbound><choose>",
  ];
  return pieces.flatMap((piece) =>
    heads.map((head) => (head + piece.repeat(Math.ceil(size / piece.length))).slice(0, size)),
  );
}

/** What must hold of whatever the parser made; throws what does not. */
export function checkParsed(text: string, { root, extraRoots, diagnostics, source }: ParsedDocument): void {
  for (const element of root === null ? [] : [root, ...extraRoots]) checkElement(text, element);
  if (diagnostics.length > mostDiagnostics + 1) throw new Error("too many diagnostics");
  for (const { range, message } of diagnostics)
    checkRange(text, range.start.offset, range.end.offset, message);
  if (source.text !== text) throw new Error("the source changed");
}

export function checkCompiled(text: string, { ok, diagnostics }: CompiledDocument | CompiledFragment): void {
  if (ok === diagnostics.some(({ severity }) => severity === "error"))
    throw new Error("ok and errors disagree");
  for (const { range, message } of diagnostics) {
    checkRange(text, range.start.offset, range.end.offset, message);
    if (message === "" || /\{\w+\}/.test(message.replaceAll(/`[^`]*`/g, "")) === undefined)
      throw new Error(`bad message: ${message}`);
  }
}

function checkElement(text: string, element: XmlElement): void {
  const { start, nameEnd, openEnd, closeStart, end, name } = element;
  const ordered =
    start < nameEnd && nameEnd <= openEnd && openEnd <= closeStart && closeStart <= end && end <= text.length;
  if (!ordered || text.slice(start + 1, nameEnd) !== name) throw new Error(`<${name}> has a wrong place`);
  let at = nameEnd;
  for (const attribute of element.attributes) {
    if (attribute.start < at || attribute.end > openEnd)
      throw new Error(`attribute ${attribute.name} has a wrong place`);
    at = attribute.nameEnd;
    const { value } = attribute;
    if (value.start > value.end || value.end > text.length)
      throw new Error(`value of ${attribute.name} has a wrong place`);
  }
  at = openEnd;
  for (const node of element.children) {
    if (node.start < at || node.end > end) throw new Error(`a child of <${name}> has a wrong place`);
    at = node.end;
    if (node.kind === "element") checkElement(text, node);
  }
}

function checkRange(text: string, start: number, end: number, message: string): void {
  if (start < 0 || end < start || end > text.length)
    throw new Error(`range ${start}..${end} of "${message}"`);
}

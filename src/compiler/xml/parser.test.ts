import { describe, expect, test } from "vitest";
import { parseXml } from "./parser.ts";
import type { XmlNode } from "./tree.ts";

/** The tree in one line: `a(x=1){text|b}`; `!` marks what was left open, `~` a broken value. */
function show(node: XmlNode): string {
  if (node.kind === "comment") return "#";
  if (node.kind === "text") return JSON.stringify(node.value.text) + (node.broken ? "~" : "");
  const attributes = node.attributes.map(
    ({ name, value, broken }) => `${name}=${value.text}${broken ? "~" : ""}`,
  );
  const inside = node.children.map(show).join("|");
  return (
    node.name +
    (node.closed ? "" : "!") +
    (attributes.length === 0 ? "" : `(${attributes.join(",")})`) +
    (inside === "" ? "" : `{${inside}}`)
  );
}

function parse(text: string): { tree: string; said: string[] } {
  const { root, extraRoots, diagnostics } = parseXml(text);
  const tree = root === null ? "-" : [root, ...extraRoots].map(show).join(" + ");
  const said = diagnostics.map(({ code, range }) => `${code}@${range.start.line}:${range.start.column}`);
  return { tree, said };
}

describe("what real files contain", () => {
  const cases: readonly [name: string, text: string, tree: string, ...said: string[]][] = [
    ["plain", "<a x=\"1\" y='2'><b/>t</a>", 'a(x=1,y=2){b|"t"}'],
    ["declaration, comments, white space", '<?xml version="1.0"?>\n<!-- c -->\n<a/>\n<!-- d -->\n', "a"],
    ["byte order mark", "\ufeff<a/>", "a"],
    ["CRLF inside a tag", '<a\r\n  x="1"\r\n/>', "a(x=1)"],
    ["instructions between elements", "<a><?x y?><b/></a>", "a{b}"],
    ["names with prefix, dot, digit", '<s:E xmlns:s="u"><x.y-2/></s:E>', "s:E(xmlns:s=u){x.y-2}"],
    ["bare quotes in an expression", '<w c="@(a["x"] == "y")"/>', 'w(c=@(a["x"] == "y"))'],
    ["bare && < > in an expression", '<w c="@(a < 1 && b > 2)"/>', "w(c=@(a < 1 && b > 2))"],
    ["brackets in strings", '<w c="@(f(")") + "(" + \')\')"/>', 'w(c=@(f(")") + "(" + \')\'))'],
    ["verbatim string over lines", '<w c="@(@"a""\n)" + 1)"/>', 'w(c=@(@"a""\n)" + 1))'],
    ["interpolated, holes with strings", '<w c="@($"a{b["}"]}c{{}}")"/>', 'w(c=@($"a{b["}"]}c{{}}"))'],
    ["interpolated verbatim", '<w c="@($@"a\n{b}""")"/>', 'w(c=@($@"a\n{b}"""))'],
    ["raw string", '<w c="@("""a")""")"/>', 'w(c=@("""a")"""))'],
    [
      "comments in C#",
      '<w c="@{ // don\'t }\n return 1; /* } " */ }"/>',
      "w(c=@{ // don't }\n return 1; /* } \" */ })",
    ],
    ["white space around", '<w c="  @(1)\n "/>', "w(c=  @(1)\n )"],
    ["expression as text", "<v>\n @(a < b) \n</v>", 'v{"\\n @(a < b) \\n"}'],
    [
      "block as text, with tags in strings",
      '<v>@{ return "</v>" + "<b>"; }</v>',
      'v{"@{ return \\"</v>\\" + \\"<b>\\"; }"}',
    ],
    ["single quotes around", "<w c='@(a[\"x\"] == 'y')'/>", "w(c=@(a[\"x\"] == 'y'))"],
    ["encoded quotes", '<w c="@(a[&quot;)&quot;] &lt; 1 &amp;&amp; b)"/>', 'w(c=@(a[")"] < 1 && b))'],
    [
      "encoded quotes, operators bare",
      '<w c="@(a == &quot;b&quot; && 1 < 2 && c[&quot;d&amp;e&quot;])"/>',
      'w(c=@(a == "b" && 1 < 2 && c["d&e"]))',
    ],
    [
      "encoded quotes, operators bare, as text",
      "<v>@(a == &quot;b&quot; && c)</v>",
      'v{"@(a == \\"b\\" && c)"}',
    ],
    ["encoded, as text", "<v>@(a[&quot;)&quot;] &lt; 1)</v>", 'v{"@(a[\\")\\"] < 1)"}'],
    ["encoded operators only", '<w c="@(a &lt; 1 &amp;&amp; b)"/>', "w(c=@(a < 1 && b))"],
    [
      "entities in strings keep their text",
      '<w c="@(s.Replace("&amp;", "&") &lt; 1)"/>',
      'w(c=@(s.Replace("&amp;", "&") < 1))',
    ],
    ["encoded character literal", '<w c="@("a(".Split(&apos;(&apos;))"/>', "w(c=@(\"a(\".Split('(')))"],
    ["numeric entities", "<v>&#65;&#x1F600;</v>", 'v{"A😀"}'],
    ["line ends in a literal", '<a x="1\r\n2\t&#10;3">b\r\nc\rd&#13;</a>', 'a(x=1 2 \n3){"b\\nc\\nd\\r"}'],
    ["line ends in expressions", '<a x="@{\n// c\n return 1;\r\n}"/>', "a(x=@{\n// c\n return 1;\r\n})"],
    [
      "line ends in encoded expressions",
      '<a x="@{\n// c\n return &quot;&quot;; }"/>',
      'a(x=@{\n// c\n return ""; })',
    ],
    ["CDATA", "<v>a<![CDATA[<b> & @(]]>c</v>", 'v{"a"|"<b> & @("|"c"}'],
    ["literal @", '<v x="@ (1)">a@b.c @x</v>', 'v(x=@ (1)){"a@b.c @x"}'],
    ["mixed text", '<v x="Bearer @(t)"/>', "v(x=Bearer @(t))"],
    ["text behind an expression", '<v x="@(t)/b">@(a) b</v>', 'v(x=@(t)/b){"@(a) b"}'],
    ["named values", '<v x="{{a}}" y="@({{b}} + "{{c}}")"/>', 'v(x={{a}},y=@({{b}} + "{{c}}"))'],
    [
      "preprocessor line",
      "<v>@{\n#region don't )\n return 1;\n}</v>",
      'v{"@{\\n#region don\'t )\\n return 1;\\n}"}',
    ],
    ["a comment in a comment", "<a><!-- x <!-- y --></a>", "a{#}", "HG6009@1:13"],
    ["Liquid", "<b>{% if a %}{{x.y}}{% endif %}</b>", 'b{"{% if a %}{{x.y}}{% endif %}"}'],
    [
      "quoted parts of distinguished names",
      '<a subject="O="B, Inc.", C=US" issuer-subject="CN=c, O="D; E""/>',
      'a(subject=O="B, Inc.", C=US,issuer-subject=CN=c, O="D; E")',
    ],
  ];
  test.each(cases)("%s", (_, text, tree, ...said) => {
    expect(parse(text)).toEqual({ tree, said });
  });
});

describe("mistakes are said once, where they are, and walked around", () => {
  const cases: readonly [name: string, text: string, tree: string, ...said: string[]][] = [
    ["nothing", "", "-", "HG1002@1:1"],
    ["text only", "hello", "-", "HG1002@1:1"],
    ["tag without end", "<a><b <c/></a>", "a{b|c}", "HG1003@1:4"],
    ["`=` forgotten", '<a x"b c" y="1"/>', "a(x=b c,y=1)", "HG1009@1:4"],
    ["a slash forgotten in a closing tag", "<a><b><c/><b></a>", "a{b{c}}", "HG1004@1:11"],
    ["tag without end, closed all the same", "<a><b\n</b><c/></a>", 'a{b{""~}|c}', "HG1003@1:4"],
    ["never closed", "<a><b><c/></a>", "a{b!{c}}", "HG1004@1:4"],
    ["never closed at the end", "<a><b>", "a!{b!}", "HG1004@1:4", "HG1004@1:1"],
    ["closes nothing", "<a></b ></a>", "a", "HG1005@1:4"],
    ["misspelt closing tag", "<a><value>1</vlaue></a>", 'a{value{"1"}}', "HG1006@1:14"],
    ["another name altogether", "<h><value>1</body></h>", 'h{value{"1"}}', "HG1006@1:14"],
    ["case differs", "<inbound></Inbound>", "inbound", "HG1006@1:12"],
    [
      "forgotten section end",
      "<policies><inbound><b/><outbound/></policies>",
      "policies{inbound!{b}|outbound}",
      "HG1004@1:11",
    ],
    ["quote missing, attribute follows", '<a x="1 y="2"/>', "a(x=1~,y=2)", "HG1007@1:6"],
    ["quote missing, tag ends", '<a x="1>\n<b y="2"/></a>', 'a(x=1~){"\\n"|b(y=2)}', "HG1007@1:6"],
    [
      "quote missing behind an expression",
      '<a x="@(b)>\n<c y="2"/></a>',
      'a(x=@(b)){"\\n"|c(y=2)}',
      "HG1007@1:6",
    ],
    ["quote missing to the end", '<a x="1/>', "a(x=1~)", "HG1007@1:6"],
    ["no white space", '<a x="1"y="2"/>', "a(x=1,y=2)", "HG1008@1:9"],
    ["no value", '<a x y="2"/>', "a(x=~,y=2)", "HG1009@1:4"],
    ["no quotes", "<a x=1 y='2'/>", "a(x=1~,y=2)", "HG1010@1:6"],
    ["expression without quotes", "<a x=@(f(1, 2)) y='2'/>", "a(x=@(f(1, 2))~,y=2)", "HG1010@1:6"],
    ["twice", '<a x="1" x="2"/>', "a(x=1)", "HG1011@1:10"],
    ["stray <", "<a>1 < 2</a>", 'a{"1 < 2"~}', "HG1012@1:6"],
    ["stray <! and <?", "<a><!b><? c</a>", 'a{"<!b><? c"~}', "HG1012@1:4", "HG1012@1:8"],
    ["stray &", '<a x="a&b">c & d</a>', 'a(x=a&b){"c & d"}', "HG1013@1:8", "HG1013@1:14"],
    ["unknown entity", "<a>&nbsp;&#0;</a>", 'a{"&nbsp;&#0;"}', "HG1014@1:4", "HG1014@1:10"],
    ["declaration", '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', 'a{"&x;"}', "HG1015@1:1", "HG1014@1:34"],
    ["bracket missing", '<a x="@(f(1)" y="2"/>', "a(x=@(f(1)~,y=2)", "HG1017@1:7"],
    ["bracket missing in text", "<a><v>@(f(1</v><w/></a>", 'a{v{"@(f(1"~}|w}', "HG1017@1:7"],
    [
      "brace missing",
      '<a x="@{ if (a) { return "b";\n}" /><c y="@{ return 1; }"/>',
      'a(x=@{ if (a) { return "b";\n}~) + c(y=@{ return 1; })',
      "HG1017@1:7",
    ],
    ["string open", '<a x="@(b == "c)" y="2"/>', 'a(x=@(b == "c)~,y=2)', "HG1018@1:14"],
    ["string open in text", '<v>@(b == "c)</v>', 'v{"@(b == \\"c)"~}', "HG1018@1:11"],
    ["comment open in C#", '<a x="@(b /* c)" y="2"/>', "a(x=@(b /* c)~,y=2)", "HG1019@1:11"],
    ["bracket too many", '<a x="@(b))" y="2"/>', "a(x=@(b))~,y=2)", "HG1020@1:11"],
    ["bracket too many in text", "<v>@(b))</v>", 'v{"@(b))"~}', "HG1020@1:8"],
    [
      "XML comment in C#",
      '<a x="@{ <!-- don\'t --> return 1; }"/>',
      "a(x=@{ <!-- don't --> return 1; }~)",
      "HG1021@1:10",
    ],
    ["comment open", "<a><!-- b</a>", "a!", "HG1022@1:4"],
    ["CDATA open", "<a><![CDATA[ b</a>", "a!", "HG1023@1:4"],
    ["instruction open", "<a><?b</a>", "a!", "HG1024@1:4"],
    ["junk in a tag", '<a x="1"" , y="2"/>', "a(x=1,y=2)", "HG1025@1:9"],
    ["two roots", "<a/><b/>", "a + b"],
    ["text outside", "<a/>\n  b c\n", "a", "HG1027@2:3"],
    ["control character", "<a>\u0001</a>", 'a{"\\u0001"}', "HG1028@1:4"],
    ["typographic quotes", "<a x=\u201c1\u201d y='2'/>", "a(x=1~,y=2)", "HG1030@1:6"],
    ["< in a literal", '<a x="b<c"/>', "a(x=b<c~)", "HG1031@1:8"],
    ["quotes in mixed text", '<a x="Bearer @(b["c"])" y="2"/>', 'a(x=Bearer @(b["c"])~,y=2)', "HG1032@1:18"],
    ["quotes in a literal", '<a x="say "hello" now" y="2"/>', 'a(x=say "hello" now~,y=2)', "HG1032@1:11"],
    ["quote missing in a name", '<a subject="O="B" x="1"/>', 'a(subject=O="B~,x=1)', "HG1032@1:15"],
    [
      "expression goes on behind its end",
      '<a x="@(b) == "c"" y="2"/>',
      'a(x=@(b) == "c"~,y=2)',
      "HG1032@1:15",
    ],
    ["closing tag with more", "<a></a b='1'>", "a", "HG1033@1:8"],
    ["closing tag without end", "<a><b></b<c/></a>", "a{b|c}", "HG1003@1:7"],
  ];
  test.each(cases)("%s", (_, text, tree, ...said) => {
    expect(parse(text)).toEqual({ tree, said });
  });
});

test.each([
  ["raw", '<v x=\'@(s.Replace("&amp;", "&lt;") &lt; 1)\'/>', '@(s.Replace("&amp;", "&lt;") < 1)'],
  ["encoded", '<v x=\'@(s.Replace("&amp;", "&lt;") &lt; 1)\'/>', '@(s.Replace("&", "<") < 1)'],
  ["encoded", '<v x="@(s.Replace(&quot;&amp;&quot;, s))"/>', '@(s.Replace("&", s))'],
] as const)("format %s: %s", (format, text, expected) => {
  expect(parseXml(text, format).root!.attributes[0]!.value.text).toBe(expected);
});

describe("limits", () => {
  test("depth", () => {
    const { said } = parse("<a>".repeat(65));
    expect(said).toEqual([`HG1016@1:${64 * 3 + 1}`]);
    expect(parse("<a>".repeat(64) + "</a>".repeat(64)).said).toEqual([]);
  });
  test("size counts bytes", () => {
    const inside = 512 * 1024 - 7;
    expect(parse(`<a>${"x".repeat(inside)}</a>`).said).toEqual([]);
    expect(parse(`<a>${"x".repeat(inside + 1)}</a>`).said).toEqual(["HG1001@1:1"]);
    expect(parse(`<a>${"é".repeat(inside / 2 + 1)}</a>`).said).toEqual(["HG1001@1:1"]);
  });
  test("attributes", () => {
    const many = Array.from({ length: 200 }, (_, i) => ` a${i}="1"`).join("");
    const { root, diagnostics } = parseXml(`<a${many}/>`);
    expect(root?.attributes.length).toBe(128);
    expect(diagnostics.map((d) => d.code)).toEqual(["HG1035"]);
  });
  test("diagnostics", () => {
    const { diagnostics } = parseXml(`<a>${"</b>".repeat(10_000)}</a>`);
    expect(diagnostics.length).toBe(501);
    expect(diagnostics.at(-1)?.code).toBe("HG1029");
  });
});

describe("every place is known", () => {
  test("ranges of elements, names and values", () => {
    const text = '<a>\n  <b x="&lt;1"/>\n</a>';
    const { root } = parseXml(text);
    const b = root!.children.find((node) => node.kind === "element")!;
    expect(text.slice(b.start, b.end)).toBe('<b x="&lt;1"/>');
    const x = b.kind === "element" ? b.attributes[0]! : null;
    expect(text.slice(x!.value.start, x!.value.end)).toBe("&lt;1");
    expect(x!.value.startOf(1)).toBe(text.indexOf("1"));
    expect(text.slice(root!.openEnd, root!.closeStart)).toBe('\n  <b x="&lt;1"/>\n');
  });
});

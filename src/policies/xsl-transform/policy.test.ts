import { expect, test } from "vitest";
import "../../compiler/runtime/library/index.ts";
import { configureBudget } from "../../compiler/runtime/budget.ts";
import type { GatewayError } from "../../gateway/errors.ts";
import { exchangeOf, mistakesOf, policyStep, responseOf } from "../../gateway/testing.ts";
import { xslTransform } from "./policy.ts";

configureBudget(() => performance.now());

const XSL = 'version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"';
const sheet = (inside: string, more = ""): string =>
  `<xsl:stylesheet ${XSL} ${more}><xsl:output omit-xml-declaration="yes"/>${inside}</xsl:stylesheet>`;
/** One template for the root. */
const root = (inside: string, more = ""): string =>
  sheet(`<xsl:template match="/">${inside}</xsl:template>`, more);
/** The value of an expression. */
const value = (select: string): string => root(`<xsl:value-of select="${select}"/>`);

async function run(
  stylesheet: string,
  body: string,
  parameters: Record<string, unknown> = {},
): Promise<string> {
  const exchange = exchangeOf();
  exchange.response = responseOf(200, body, ["Content-Type", "text/xml"]);
  const parameter = Object.entries(parameters).map(([name, text]) => ({ attributes: { name }, text }));
  try {
    await policyStep(
      xslTransform,
      { children: { parameter, "xsl:stylesheet": [{ text: stylesheet }] } },
      { section: "outbound" },
    ).run(exchange, null);
  } catch (error) {
    const { status, reason, message } = error as GatewayError;
    return status === undefined ? String((error as Error).stack) : `${status} ${reason}: ${message}`;
  }
  return Buffer.from(exchange.response!.body!.bytes()).toString();
}

const DOC = '<r a="1"><x n="2">two</x><x n="1">one</x><y xmlns="urn:y">why</y><!--c--><?p d?></r>';

// Expected values by the Recommendation; those of numbers and texts from its own examples where it has some.
test.each<[string, string]>([
  ["/r/@a", "1"],
  ["count(//x)", "2"],
  ["//x[2]", "one"],
  ["//x[@n=1]", "one"],
  ["//x[last()]/@n", "1"],
  ["/r/*[3]", "why"],
  ["name(/r/*[3])", "y"],
  ["namespace-uri(/r/*[3])", "urn:y"],
  ["//x[. = 'one']/preceding-sibling::x", "two"],
  ["//x[1]/following-sibling::*[1]", "one"],
  ["count(//x/ancestor::*)", "1"],
  ["count(//x/ancestor-or-self::node())", "4"],
  ["count(/r/node())", "5"],
  ["/r/comment()", "c"],
  ["/r/processing-instruction('p')", "d"],
  ["count(//@*)", "3"],
  ["sum(//x/@n)", "3"],
  ["1 + 2 * 3 - 4 div 2", "5"],
  ["5 mod 2", "1"],
  ["-5 mod 2", "-1"],
  ["1 div 0", "Infinity"],
  ["number('x')", "NaN"],
  ["0.1 + 0.2 > 0.3", "true"],
  ["1000000 * 1000000 * 1000000 * 1000000", "1000000000000000000000000"],
  ["//x = 'one' and //x != 'one'", "true"],
  ["not(//z)", "true"],
  ["'a' &lt; 'b'", "false"],
  ["substring('12345', 1.5, 2.6)", "234"],
  ["substring('12345', 0, 3)", "12"],
  ["substring('12345', 0 div 0, 3)", ""],
  ["substring('12345', -42, 1 div 0)", "12345"],
  ["substring-before('1999/04/01', '/')", "1999"],
  ["substring-after('1999/04/01', '/')", "04/01"],
  ["translate('--aaa--', 'abc-', 'ABC')", "AAA"],
  ["normalize-space('  a  b ')", "a b"],
  ["concat('a', 1, true())", "a1true"],
  ["string-length('häß')", "3"],
  ["round(2.5)", "3"],
  ["round(-2.5)", "-2"],
  ["floor(-1.5)", "-2"],
  ["starts-with('abc', 'ab')", "true"],
  ["boolean('')", "false"],
  ["string(//x)", "two"],
  ["(//x | //x)[2]", "one"],
  ["(//x)[position() = 2]", "one"],
  ["local-name(//*[@n][1])", "x"],
  ["format-number(1234567.891, '#,##0.00')", "1,234,567.89"],
  ["format-number(0.256, '0%')", "26%"],
  ["format-number(-5, '000')", "-005"],
  ["format-number(0.5, '#.##')", ".5"],
  ["format-number(number('x'), '0')", "NaN"],
  ["system-property('xsl:version')", "1"],
  ["function-available('key')", "true"],
  ["generate-id(//x[1]) = generate-id((//x)[1])", "true"],
])("XPath: %s", async (select, expected) => {
  expect(await run(value(select), DOC)).toBe(expected);
});

test.each<[string, string, string, string]>([
  ["built-in rules", sheet(""), "<a>x<b>y</b><!--z--></a>", "xy"],
  [
    "a literal result",
    root('<out v="{/a/@b}-{{x}}"><xsl:apply-templates/></out>'),
    '<a b="1">t</a>',
    '<out v="1-{x}">t</out>',
  ],
  [
    "the identity",
    sheet(
      '<xsl:template match="@*|node()"><xsl:copy><xsl:apply-templates select="@*|node()"/></xsl:copy></xsl:template>',
    ),
    '<a x="1" xmlns:q="urn:q"><q:b/>t<!--c--><?p d?></a>',
    '<a xmlns:q="urn:q" x="1"><q:b />t<!--c--><?p d?></a>',
  ],
  [
    "the identity but for one",
    sheet(
      '<xsl:template match="@*|node()"><xsl:copy><xsl:apply-templates select="@*|node()"/></xsl:copy></xsl:template><xsl:template match="secret"/><xsl:template match="b/@n"><xsl:attribute name="m">x</xsl:attribute></xsl:template>',
    ),
    '<a><secret>s</secret><b n="1"/></a>',
    '<a><b m="x" /></a>',
  ],
  [
    "for-each, sorted",
    root(
      '<xsl:for-each select="//i"><xsl:sort select="@p" data-type="number" order="descending"/><xsl:value-of select="position()"/>:<xsl:value-of select="."/>;</xsl:for-each>',
    ),
    '<a><i p="2">b</i><i p="10">c</i><i p="1">a</i></a>',
    "1:c;2:b;3:a;",
  ],
  [
    "sorted by two keys",
    root(
      '<xsl:for-each select="//i"><xsl:sort select="@p"/><xsl:sort select="."/><xsl:value-of select="."/></xsl:for-each>',
    ),
    '<a><i p="2">z</i><i p="1">b</i><i p="1">a</i></a>',
    "abz",
  ],
  [
    "choose",
    root(
      '<xsl:for-each select="//i"><xsl:choose><xsl:when test=". &gt; 5">big</xsl:when><xsl:when test=". = 5">five</xsl:when><xsl:otherwise>small</xsl:otherwise></xsl:choose>,</xsl:for-each>',
    ),
    "<a><i>6</i><i>5</i><i>4</i></a>",
    "big,five,small,",
  ],
  [
    "variables and fragments",
    root(
      '<xsl:variable name="v" select="//i"/><xsl:variable name="f"><b>x</b></xsl:variable><o><xsl:value-of select="count($v)"/><xsl:copy-of select="$f"/><xsl:value-of select="$f"/></o>',
    ),
    "<a><i/><i/></a>",
    "<o>2<b>x</b>x</o>",
  ],
  [
    "a variable ends with its element",
    root(
      '<xsl:variable name="v" select="1"/><xsl:if test="true()"><xsl:variable name="v" select="2"/><xsl:value-of select="$v"/></xsl:if><xsl:value-of select="$v"/>',
    ),
    "<a/>",
    "21",
  ],
  [
    "named templates, parameters",
    sheet(
      '<xsl:template match="/"><xsl:call-template name="t"><xsl:with-param name="p" select="\'x\'"/></xsl:call-template><xsl:call-template name="t"/></xsl:template><xsl:template name="t"><xsl:param name="p" select="\'d\'"/>[<xsl:value-of select="$p"/>]</xsl:template>',
    ),
    "<a/>",
    "[x][d]",
  ],
  [
    "recursion",
    sheet(
      '<xsl:template match="/"><xsl:call-template name="t"><xsl:with-param name="n" select="100"/></xsl:call-template></xsl:template><xsl:template name="t"><xsl:param name="n"/><xsl:if test="$n &gt; 0">.<xsl:call-template name="t"><xsl:with-param name="n" select="$n - 1"/></xsl:call-template></xsl:if></xsl:template>',
    ),
    "<a/>",
    ".".repeat(100),
  ],
  [
    "modes",
    sheet(
      '<xsl:template match="/"><xsl:apply-templates select="//i"/>|<xsl:apply-templates select="//i" mode="m"/></xsl:template><xsl:template match="i">a</xsl:template><xsl:template match="i" mode="m">b</xsl:template>',
    ),
    "<a><i/><i/></a>",
    "aa|bb",
  ],
  [
    "priorities",
    sheet(
      '<xsl:template match="*">*<xsl:apply-templates/></xsl:template><xsl:template match="a/b">ab</xsl:template><xsl:template match="b">b</xsl:template><xsl:template match="c[@x]">cx</xsl:template><xsl:template match="c">c</xsl:template>',
    ),
    '<a><b/><c/><c x=""/></a>',
    "*abccx",
  ],
  [
    "of equals the last",
    sheet('<xsl:template match="a">1</xsl:template><xsl:template match="a">2</xsl:template>'),
    "<a/>",
    "2",
  ],
  [
    "patterns with //",
    sheet(
      '<xsl:template match="a//d">d</xsl:template><xsl:template match="/a/b[2]">second<xsl:apply-templates/></xsl:template>',
    ),
    "<a><b><d/></b><b><d/></b></a>",
    "dsecondd",
  ],
  [
    "namespaces in patterns",
    sheet(
      '<xsl:template match="n:a"><o><xsl:value-of select="n:b"/></o></xsl:template>',
      'xmlns:n="urn:n" exclude-result-prefixes="n"',
    ),
    '<a xmlns="urn:n"><b>x</b></a>',
    "<o>x</o>",
  ],
  [
    "keys",
    sheet(
      '<xsl:key name="k" match="i" use="@id"/><xsl:template match="/"><xsl:value-of select="key(\'k\', \'2\')"/></xsl:template>',
    ),
    '<a><i id="1">x</i><i id="2">y</i></a>',
    "y",
  ],
  [
    "groups by key",
    sheet(
      '<xsl:key name="k" match="i" use="@g"/><xsl:template match="/"><xsl:for-each select="//i[generate-id() = generate-id(key(\'k\', @g)[1])]"><g n="{@g}"><xsl:value-of select="count(key(\'k\', @g))"/></g></xsl:for-each></xsl:template>',
    ),
    '<a><i g="x"/><i g="y"/><i g="x"/></a>',
    '<g n="x">2</g><g n="y">1</g>',
  ],
  [
    "current()",
    root('<xsl:for-each select="//i"><xsl:value-of select="//j[@r = current()/@id]"/></xsl:for-each>'),
    '<a><i id="1"/><j r="1">found</j></a>',
    "found",
  ],
  [
    "made elements and attributes",
    root(
      '<xsl:element name="{/a/@n}"><xsl:attribute name="q:z" namespace="urn:q">1</xsl:attribute><xsl:element name="in" namespace="urn:d"/></xsl:element>',
    ),
    '<a n="made"/>',
    '<made xmlns:q="urn:q" q:z="1"><in xmlns="urn:d" /></made>',
  ],
  [
    "attribute sets",
    sheet(
      '<xsl:attribute-set name="s"><xsl:attribute name="x">1</xsl:attribute></xsl:attribute-set><xsl:template match="/"><o xsl:use-attribute-sets="s" y="2"/></xsl:template>',
    ),
    "<a/>",
    '<o x="1" y="2" />',
  ],
  [
    "text, comments, instructions",
    root(
      '<o><xsl:text> </xsl:text><xsl:comment>c</xsl:comment><xsl:processing-instruction name="p">d</xsl:processing-instruction></o>',
    ),
    "<a/>",
    "<o> <!--c--><?p d?></o>",
  ],
  [
    "escapes",
    root(
      '<o a="&lt;&quot;"><xsl:value-of select="/a"/><xsl:value-of select="/a" disable-output-escaping="yes"/></o>',
    ),
    "<a>&lt;&amp;</a>",
    '<o a="&lt;&quot;">&lt;&amp;<&</o>',
  ],
  [
    "numbers",
    sheet(
      '<xsl:template match="i"><xsl:number format="1. "/></xsl:template><xsl:template match="j"><xsl:number level="multiple" count="i|j|a" format="1.a"/></xsl:template><xsl:template match="k"><xsl:number value="4" format="I"/></xsl:template>',
    ),
    "<a><i/><i/><j/><k/></a>",
    "1. 2. 1.cIV",
  ],
  [
    "white space dropped",
    sheet(
      '<xsl:strip-space elements="*"/><xsl:preserve-space elements="p"/><xsl:template match="/"><xsl:copy-of select="/"/></xsl:template>',
    ),
    "<a> <b> x </b> <p> </p></a>",
    "<a><b> x </b><p> </p></a>",
  ],
  [
    "namespace-alias",
    sheet(
      '<xsl:namespace-alias stylesheet-prefix="s" result-prefix="xsl"/><xsl:template match="/"><s:text/></xsl:template>',
      'xmlns:s="urn:s"',
    ),
    "<a/>",
    '<xsl:text xmlns:xsl="http://www.w3.org/1999/XSL/Transform" />',
  ],
  [
    "the output as text",
    sheet('<xsl:output method="text"/><xsl:template match="/">&lt;<xsl:value-of select="."/></xsl:template>'),
    "<a>&amp;</a>",
    "<&",
  ],
  [
    "as HTML, by its root",
    root("<html><br/><p></p><script>a &lt; b</script></html>"),
    "<a/>",
    "<html><br><p></p><script>a < b</script></html>",
  ],
  [
    "CDATA",
    sheet('<xsl:output cdata-section-elements="o"/><xsl:template match="/"><o>&lt;</o></xsl:template>'),
    "<a/>",
    "<o><![CDATA[<]]></o>",
  ],
  [
    "indented",
    sheet(
      '<xsl:output indent="yes"/><xsl:template match="/"><o><p><q/></p>x</o><o><p><q/></p></o></xsl:template>',
    ),
    "<a/>",
    "<o><p><q /></p>x</o>\n<o>\n  <p>\n    <q />\n  </p>\n</o>",
  ],
  [
    "a doctype",
    sheet('<xsl:output doctype-system="o.dtd"/><xsl:template match="/"><o/></xsl:template>'),
    "<a/>",
    '<!DOCTYPE o SYSTEM "o.dtd"><o />',
  ],
  [
    "node-set()",
    root(
      '<xsl:variable name="f"><b>1</b><b>2</b></xsl:variable><xsl:value-of select="sum(m:node-set($f)/b)"/>',
      'xmlns:m="urn:schemas-microsoft-com:xslt"',
    ),
    "<a/>",
    "3",
  ],
  [
    "no XML",
    root("x"),
    "{}",
    "500 TransformationFailure: The response body cannot be transformed. Text data outside of root node. Line 1, position 4.",
  ],
  [
    "document types",
    root("x"),
    "<!DOCTYPE a><a/>",
    "500 TransformationFailure: The response body cannot be transformed. A document type declaration is not allowed. Line 1, position 13.",
  ],
  [
    "other documents",
    value("document('file:///etc/passwd')"),
    "<a/>",
    "500 TransformationFailure: The response body cannot be transformed. XSLT: document() reads other documents, which is not allowed.",
  ],
  [
    "recursion without end",
    sheet('<xsl:template match="/" name="t"><xsl:call-template name="t"/></xsl:template>'),
    "<a/>",
    "500 TransformationFailure: The response body cannot be transformed. XSLT: templates call each other more than 1000 levels deep.",
  ],
  [
    "an unknown variable",
    value("$none"),
    "<a/>",
    "500 TransformationFailure: The response body cannot be transformed. XSLT: there is no variable $none.",
  ],
  [
    "a message that ends it",
    root('<xsl:message terminate="yes">no</xsl:message>'),
    "<a/>",
    "500 TransformationFailure: The response body cannot be transformed. XSLT: the stylesheet ended it: no.",
  ],
])("xsl-transform: %s", async (_name, stylesheet, body, expected) => {
  expect(await run(stylesheet, body)).toBe(expected);
});

test("parameters of the policy, and the declaration", async () => {
  const stylesheet = `<xsl:stylesheet ${XSL}><xsl:param name="p" select="'d'"/><xsl:param name="q" select="'d'"/><xsl:template match="/"><o><xsl:value-of select="concat($p, $q)"/></o></xsl:template></xsl:stylesheet>`;
  expect(await run(stylesheet, "<a/>", { p: () => "given" })).toBe(
    '<?xml version="1.0" encoding="utf-8"?><o>givend</o>',
  );
});

test("work without end is stopped", async () => {
  const stylesheet = value("count(//*[count(//*[count(//*[count(//*) &gt; 0]) &gt; 0]) &gt; 0])");
  expect(await run(stylesheet, `<a>${"<b/>".repeat(3000)}</a>`)).toMatch(
    /^500 TransformationFailure: .* took/,
  );
});

test.each<[string, string[]]>([
  [root("x"), []],
  [
    sheet('<xsl:template match="/">'),
    ["the stylesheet cannot be used: Unexpected close tag. Line 1 of the stylesheet."],
  ],
  [value("//x["), ["the stylesheet cannot be used: unexpected the end in `//x[`"]],
  [value("nothing(1)"), ["the stylesheet cannot be used: there is no function nothing()"]],
  [value("n:x"), ["the stylesheet cannot be used: the prefix `n` is not declared"]],
  [
    sheet('<xsl:import href="x"/>'),
    ["the stylesheet cannot be used: xsl:import reads other documents, which is not allowed"],
  ],
  [root("<xsl:for-each/>"), ["the stylesheet cannot be used: xsl:for-each has no select"]],
  [root("<xsl:nothing/>"), ["the stylesheet cannot be used: there is no instruction xsl:nothing"]],
  [sheet('<xsl:template match="a + b"/>'), ["the stylesheet cannot be used: `a + b` is no pattern"]],
  ["<xsl:stylesheet/>", ["the stylesheet cannot be used: xsl:stylesheet has no version"]],
])("xsl-transform, on save: %s", (text, expected) => {
  expect(mistakesOf(xslTransform, { children: { "xsl:stylesheet": [{ text }] } })).toEqual(expected);
});

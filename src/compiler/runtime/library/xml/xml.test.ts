/** System.Xml.Linq (`expressions.md` §5.9). */
import { expect, test } from "vitest";
import { type Row, check, outcome } from "../testing.ts";

const message = (expression: string): string =>
  `try { return (${expression}).ToString(); } catch (Exception e) { return e.Message; }`;
const X = `XElement.Parse("<a id='7' n='x'><b>1</b><b>2</b><c><d>t</d>u</c></a>")`;

const READING: readonly Row[] = [
  [`${X}.Value`, "12tu"],
  [`(int)${X}.Attribute("id") + (int)${X}.Element("b")`, "Int32 8"],
  [`(bool)XElement.Parse("<a> 1 </a>") && !(bool)XElement.Parse("<a>FALSE</a>")`, "Boolean True"],
  [`(bool)XElement.Parse("<a>yes</a>")`, "!FormatException"],
  [`(double)XElement.Parse("<a>-INF</a>")`, "Double -Infinity"],
  [`(decimal?)${X}.Element("zz")`, "null"],
  [`(string)${X}.Element("zz")`, "null"],
  [
    `((DateTime)XElement.Parse("<a>2024-03-05T07:08:09+02:00</a>")).ToString("o")`,
    "2024-03-05T05:08:09.0000000+00:00",
  ],
  [`(TimeSpan)XElement.Parse("<a>P1DT2H0.5S</a>")`, "TimeSpan 1.02:00:00.5000000"],
  [`string.Join(",", ${X}.Descendants().Select(e => e.Name.LocalName))`, "b,b,c,d"],
  [`string.Join(",", ${X}.Element("c").Nodes().Select(n => n.NodeType.ToString()))`, "Element,Text"],
  [
    `${X}.Elements("b").Last().PreviousNode.ToString() + ${X}.Descendants("d").First().Ancestors().Count()`,
    "<b>1</b>2",
  ],
  [`${X}.Attributes().Select(a => a.Name + "=" + a.Value).Aggregate((p, q) => p + q)`, "id=7n=x"],
  [`XElement.Parse("<a>x &lt;&amp;&#65;&#x42; <![CDATA[<y>&]]></a>").Value`, "x <&AB <y>&"],
  [`XElement.Parse("<a>\\r\\n<b/>\\r\\n</a>").Nodes().Count()`, "Int32 1"],
  [`XElement.Parse("<a xml:space='preserve'> <b/></a>").Nodes().Count()`, "Int32 2"],
  [`XElement.Parse("<a> <b/></a>", LoadOptions.PreserveWhitespace).Nodes().Count()`, "Int32 2"],
  [
    `XDocument.Parse("<?xml version='1.0' encoding='utf-8'?><!--c--><?p d?><r/>").Declaration.Encoding`,
    "utf-8",
  ],
  [`XDocument.Parse("<!--c--><?p d?><r/>").Nodes().Count()`, "Int32 3"],
  [
    `XElement.Parse("<r xmlns='u' xmlns:p='v'><p:b p:x='1'/></r>").Elements().First().Name.ToString()`,
    "{v}b",
  ],
  [
    `XNamespace p = "v"; return XElement.Parse("<r xmlns:p='v'><p:b p:x='1'/></r>").Element(p + "b").Attribute(p + "x").Value;`,
    "1",
  ],
  [`XElement.Parse("<r xmlns='u'/>").GetDefaultNamespace() == (XNamespace)"u"`, "Boolean True"],
  [`(XName)"{u}a" == ((XNamespace)"u") + "a"`, "Boolean True"],
];

const WRITING: readonly Row[] = [
  [`new XElement("a", new XElement("b"), new XElement("c", "")).ToString()`, "<a>\n  <b />\n  <c></c>\n</a>"],
  [`XElement.Parse("<a>x<b><c/></b></a>").ToString()`, "<a>x<b><c /></b></a>"],
  [`XElement.Parse("<a><b/>x<c><d/></c></a>").ToString()`, "<a>\n  <b />x<c><d /></c></a>"],
  [`new XElement("a", new XElement("b", 1)).ToString(SaveOptions.DisableFormatting)`, "<a><b>1</b></a>"],
  [`new XElement("a", "1 < 2 & \\"q\\" > '").ToString()`, `<a>1 &lt; 2 &amp; "q" &gt; '</a>`],
  [`new XAttribute("a", "<\\"'\\n").ToString()`, `a="&lt;&quot;'&#xA;"`],
  [
    `XNamespace u = "urn:u"; return new XElement(u + "a", new XElement("b"), new XElement(u + "c")).ToString(SaveOptions.DisableFormatting);`,
    `<a xmlns="urn:u"><b xmlns="" /><c /></a>`,
  ],
  [
    `XNamespace u = "urn:u"; return new XElement("a", new XAttribute(u + "x", 1)).ToString();`,
    `<a p1:x="1" xmlns:p1="urn:u" />`,
  ],
  [
    `XNamespace u = "urn:u"; return new XElement(u + "a", new XAttribute(XNamespace.Xmlns + "p", u), new XElement(u + "b")).ToString(SaveOptions.DisableFormatting);`,
    `<p:a xmlns:p="urn:u"><p:b /></p:a>`,
  ],
  [`XElement.Parse("<p:a xmlns:p='u' p:x='1'/>").ToString()`, `<p:a xmlns:p="u" p:x="1" />`],
  [
    `new XDocument(new XDeclaration("1.0", "utf-8", null), new XComment("c"), new XElement("r")).ToString()`,
    "<!--c-->\n<r />",
  ],
  [`new XElement("a", new XCData("<x>"), new XComment("c")).ToString()`, "<a><![CDATA[<x>]]><!--c--></a>"],
  [`new XElement("a", new XProcessingInstruction("p", "d")).ToString()`, "<a>\n  <?p d?>\n</a>"],
];

const BUILDING: readonly Row[] = [
  [
    `new XElement("a", 1, 2.5, true, null, 1.50m, TimeSpan.FromSeconds(90), new[] { "x", "y" }, new XAttribute("k", 1e300)).ToString()`,
    `<a k="1E+300">12.5true1.50PT1M30Sxy</a>`,
  ],
  [
    `var b = new XElement("b"); var a = new XElement("a", b, b); b.Value = "x"; return a.ToString(SaveOptions.DisableFormatting);`,
    "<a><b>x</b><b /></a>",
  ],
  [
    `var a = ${X}; a.Element("c").AddFirst(new XElement("z")); a.Elements("b").Remove(); return a.ToString(SaveOptions.DisableFormatting);`,
    `<a id="7" n="x"><c><z /><d>t</d>u</c></a>`,
  ],
  [
    `var a = ${X}; a.SetAttributeValue("id", null); a.SetElementValue("q", 5); a.SetElementValue("b", null); return a.Attributes().Count() + a.Element("q").Value + a.Elements("b").Count();`,
    "151",
  ],
  [`var a = new XElement("a"); a.Add("x"); a.Add("y"); return a.Nodes().Count() + a.Value;`, "1xy"],
  [`var a = ${X}; a.Element("c").ReplaceWith(new XElement("n")); return a.LastNode.ToString();`, "<n />"],
  [
    `var d = XDocument.Parse("<r/>"); d.Root.Add(new XElement("x")); return d.Root.FirstNode.Parent.Name.LocalName + (d.Root.Parent == null);`,
    "rTrue",
  ],
  [`new XDocument(new XElement("a"), new XElement("b"))`, "!InvalidOperationException"],
  [`new XElement("a", new XAttribute("x", 1), new XAttribute("x", 2))`, "!InvalidOperationException"],
  [
    message(`new XElement("a b")`),
    "The ' ' character, hexadecimal value 0x20, cannot be included in a name.",
  ],
  [`XNode.DeepEquals(${X}, ${X})`, "Boolean True"],
];

const EMPTINESS: readonly Row[] = [
  [`var x = XElement.Parse("<a><b>1</b></a>"); x.Element("b").Remove(); return x.ToString();`, "<a />"],
  [
    `var x = XElement.Parse("<a></a>"); x.Add(new XElement("b")); x.Element("b").Remove(); return x.ToString();`,
    "<a />",
  ],
  [`XElement.Parse("<a></a>").ToString() + XElement.Parse("<a/>")`, "<a></a><a />"],
];

const REFUSED: readonly Row[] = [
  [message(`XElement.Parse("")`), "Root element is missing."],
  [message(`XElement.Parse("x")`), "Data at the root level is invalid. Line 1, position 1."],
  [
    message(`XElement.Parse("<a></b>")`),
    "The 'a' start tag on line 1 position 2 does not match the end tag of 'b'. Line 1, position 6.",
  ],
  [
    message(`XElement.Parse("<a>\\n<b>")`),
    "Unexpected end of file has occurred. The following elements are not closed: b, a. Line 2, position 4.",
  ],
  [message(`XElement.Parse("<a/><b/>")`), "There are multiple root elements. Line 1, position 6."],
  [message(`XElement.Parse("<p:a/>")`), "'p' is an undeclared prefix. Line 1, position 2."],
  [message(`XElement.Parse("<a x='1' x='2'/>")`), "'x' is a duplicate attribute name. Line 1, position 10."],
  [message(`XElement.Parse("<a>&nope;</a>")`), "Reference to undeclared entity 'nope'. Line 1, position 5."],
  [`XElement.Parse("<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>")`, "!XmlException"],
  [`XElement.Parse(string.Concat(Enumerable.Repeat("<a>", 300)))`, "!XmlException"],
  [`XElement.Parse(null)`, "!ArgumentNullException"],
];

const AS_JSON: readonly Row[] = [
  [
    `JsonConvert.SerializeObject(XElement.Parse("<a k='v'><b>1</b><b/><c></c>t</a>"))`,
    `{"a":{"@k":"v","b":["1",null],"c":"","#text":"t"}}`,
  ],
  [
    `JsonConvert.SerializeXNode(XDocument.Parse("<?xml version='1.0' encoding='utf-8'?><a>x</a>"))`,
    `{"?xml":{"@version":"1.0","@encoding":"utf-8"},"a":"x"}`,
  ],
  [
    `JsonConvert.SerializeXNode(XElement.Parse("<p:a xmlns:p='u'><p:b><![CDATA[x]]></p:b></p:a>"))`,
    `{"p:a":{"@xmlns:p":"u","p:b":{"#cdata-section":"x"}}}`,
  ],
  [`JsonConvert.SerializeXNode(XElement.Parse("<a><b>1</b></a>"), Formatting.None, true)`, `{"b":"1"}`],
];

/** What stands at each `Read()`: kind, name, value. */
const walk = (xml: string): string =>
  `var r = XmlReader.Create(new StringReader(${JSON.stringify(xml)})); var s = ""; while (r.Read()) s += r.Depth + ":" + r.NodeType + " " + r.Name + " " + r.Value + (r.IsEmptyElement ? "/" : "") + "|"; return s + r.EOF + r.NodeType;`;

const reader = (xml: string, then: string): string =>
  `using (XmlReader r = XmlReader.Create(new StringReader(${JSON.stringify(xml)}))) { ${then} }`;

const CURSOR: readonly Row[] = [
  [
    walk("<a x='1'>t<b/><!--c--></a>"),
    "0:Element a |1:Text  t|1:Element b /|1:Comment  c|0:EndElement a |TrueNone",
  ],
  [
    walk("<?xml version='1.0'?><p:a xmlns:p='u'> <?i d?><![CDATA[<]]></p:a>"),
    '0:XmlDeclaration xml version="1.0"|0:Element p:a |1:Whitespace   |1:ProcessingInstruction i d|1:CDATA  <|0:EndElement p:a |TrueNone',
  ],
  [walk("<a></a>"), "0:Element a |0:EndElement a |TrueNone"],
  [
    reader(
      "<o><i n='1'>x<k/></i><i n='2'>y</i></o>",
      'var s = ""; r.MoveToContent(); while (!r.EOF) { if (r.NodeType == XmlNodeType.Element && r.Name == "i") { var e = XNode.ReadFrom(r) as XElement; s += (string)e.Attribute("n") + e.Value; } else { r.Read(); } } return s;',
    ),
    "1x2y",
  ],
  [
    reader(
      "<a k='v' j='w'/>",
      'r.Read(); return r.GetAttribute("j") + r["k"] + r[0] + r.AttributeCount + (r.GetAttribute("z") == null);',
    ),
    "wvv2True",
  ],
  [
    reader(
      "<a k='v' j='w'/>",
      'r.Read(); var s = ""; while (r.MoveToNextAttribute()) s += r.Name + r.Value + r.Depth; return s + r.MoveToElement() + r.Name;',
    ),
    "kv1jw1Truea",
  ],
  [
    reader(
      "<a xmlns='u' xmlns:p='w'><p:b p:c='1'/></a>",
      'r.ReadToFollowing("b", "w"); return r.Name + r.Prefix + r.LocalName + r.NamespaceURI + r.GetAttribute("p:c") + r.GetAttribute("c", "w");',
    ),
    "p:bpbw11",
  ],
  [
    reader(
      "<a><b>1</b><b>2</b><c>7</c></a>",
      'r.ReadToDescendant("b"); var n = r.ReadElementContentAsInt(); r.ReadToNextSibling("c"); return n + r.ReadElementContentAsInt();',
    ),
    "Int32 8",
  ],
  [
    reader(
      "<a> <b>t</b></a>",
      'r.ReadStartElement("a"); var s = r.IsStartElement("b") + r.ReadElementString("b"); r.ReadEndElement(); return s + r.EOF;',
    ),
    "TruetTrue",
  ],
  [
    reader("<a><b>1<c/></b><d/></a>", "r.Read(); r.Read(); var s = r.ReadOuterXml() + r.Name; return s;"),
    "<b>1<c /></b>d",
  ],
  [reader("<a><b>1<c/></b><d/></a>", "r.Read(); r.Read(); return r.ReadInnerXml() + r.Name;"), "1<c />d"],
  [reader("<a><b><c/></b><d/></a>", "r.Read(); r.Read(); r.Skip(); return r.Name;"), "d"],
  [reader("<a><b/></a>", "return XNode.ReadFrom(r);"), "!InvalidOperationException"],
  [reader("<a><b/></a>", "r.Read(); return r.ReadElementContentAsString();"), "!XmlException"],
  [reader("<a>", "return r.Read();"), "!XmlException"],
  [reader("<!DOCTYPE a><a/>", "return r.Read();"), "!XmlException"],
  ["XmlReader.Create((StringReader)null)", "!ArgumentNullException"],
];

test("a reader is made of a text reader only", () => {
  expect(outcome('XmlReader.Create("/etc/hosts").Name')).toMatch(/^HG31/);
});

check([...CURSOR, ...AS_JSON, ...READING, ...WRITING, ...BUILDING, ...EMPTINESS, ...REFUSED]);

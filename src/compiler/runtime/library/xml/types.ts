/** Declarations of System.Xml.Linq (`expressions.md` §5.1, §5.9). `Load` and `Save` are absent: no files, no URLs. */
import { spend } from "../../budget.ts";
import { accessor, defineType, lookupType } from "../../define.ts";
import { argumentError, argumentNull } from "../../errors.ts";
import { instantiate } from "../../type.ts";
import { type EnumValue, NetArray, enumValue, typeNamed } from "../../values.ts";
import { Sequence, elements } from "../collections.ts";
import { bodyXml, defineBodyType } from "../context-body.ts";
import { XMLNS_URI, XML_URI, XName, XNamespace, checkLocalName, expandedName, sameXName } from "./names.ts";
import {
  XAttribute,
  XCData,
  XComment,
  XContainer,
  XDeclaration,
  XDocument,
  XElement,
  type XNode,
  XObject,
  XProcessingInstruction,
  XText,
} from "./nodes.ts";
import { parseXml } from "./parser.ts";
import { readFrom } from "./reader.ts";
import { FROM_TEXT, xmlText } from "./scalars.ts";
import { writeNode } from "./writer.ts";

const NS = "System.Xml.Linq";

const NODE_TYPES = defineType(
  "enum System.Xml.XmlNodeType",
  {},
  {
    values: {
      None: 0,
      Element: 1,
      Attribute: 2,
      Text: 3,
      CDATA: 4,
      EntityReference: 5,
      Entity: 6,
      ProcessingInstruction: 7,
      Comment: 8,
      Document: 9,
      DocumentType: 10,
      DocumentFragment: 11,
      Notation: 12,
      Whitespace: 13,
      SignificantWhitespace: 14,
      EndElement: 15,
      EndEntity: 16,
      XmlDeclaration: 17,
    },
  },
);
defineType(
  `enum ${NS}.SaveOptions`,
  {},
  { values: { None: 0, DisableFormatting: 1, OmitDuplicateNamespaces: 2 } },
);
defineType(
  `enum ${NS}.LoadOptions`,
  {},
  { values: { None: 0, PreserveWhitespace: 1, SetBaseUri: 2, SetLineInfo: 4 } },
);

function nodeType(node: XObject): EnumValue {
  const number =
    node instanceof XElement
      ? 1
      : node instanceof XAttribute
        ? 2
        : node instanceof XCData
          ? 4
          : node instanceof XText
            ? 3
            : node instanceof XProcessingInstruction
              ? 7
              : node instanceof XComment
                ? 8
                : 9;
  return enumValue(NODE_TYPES, number);
}

const preserves = (options: EnumValue): boolean => (options.number & 1) === 1;
const indents = (options: EnumValue): boolean => (options.number & 1) === 0;

function sequence(typeName: string, start: () => Iterator<unknown>): Sequence {
  return new Sequence(instantiate(lookupType(`${NS}.${typeName}`)), start);
}

const list = (typeName: string, items: () => readonly unknown[]): Sequence =>
  sequence(typeName, () => items()[Symbol.iterator]());

function equalNames(a: XName | null, b: XName | null): boolean {
  return a === null || b === null ? a === b : sameXName(a, b);
}

function equalNamespaces(a: XNamespace | null, b: XNamespace | null): boolean {
  return a === null || b === null ? a === b : a.uri === b.uri;
}

defineType(`class ${NS}.XNamespace`, {
  "static XNamespace None { get; }": () => new XNamespace(""),
  "static XNamespace Xml { get; }": () => new XNamespace(XML_URI),
  "static XNamespace Xmlns { get; }": () => new XNamespace(XMLNS_URI),
  "static XNamespace Get(string namespaceName)": (uri: string | null) => {
    if (uri === null) throw argumentNull("namespaceName");
    return new XNamespace(uri);
  },
  "string NamespaceName { get; }": (namespace: XNamespace) => namespace.uri,
  "XName GetName(string localName)": (namespace: XNamespace, local: string | null) =>
    new XName(namespace.uri, checkLocalName(local)),
  "string ToString()": (namespace: XNamespace) => namespace.uri,
  "static implicit operator XNamespace(string namespaceName)": (uri: string | null) =>
    uri === null ? null : new XNamespace(uri),
  "static XName operator +(XNamespace ns, string localName)": (
    namespace: XNamespace | null,
    local: string | null,
  ) => {
    if (namespace === null) throw argumentNull("ns");
    return new XName(namespace.uri, checkLocalName(local));
  },
  "static bool operator ==(XNamespace left, XNamespace right)": equalNamespaces,
  "static bool operator !=(XNamespace left, XNamespace right)": (
    a: XNamespace | null,
    b: XNamespace | null,
  ) => !equalNamespaces(a, b),
});

defineType(`class ${NS}.XName`, {
  "static XName Get(string expandedName)": expandedName,
  "static XName Get(string localName, string namespaceName)": (local: string | null, uri: string | null) =>
    new XName(uri ?? "", checkLocalName(local)),
  "string LocalName { get; }": (name: XName) => name.local,
  "string NamespaceName { get; }": (name: XName) => name.uri,
  "XNamespace Namespace { get; }": (name: XName) => new XNamespace(name.uri),
  "string ToString()": (name: XName) => name.netToString(),
  "static implicit operator XName(string expandedName)": (text: string | null) =>
    text === null ? null : expandedName(text),
  "static bool operator ==(XName left, XName right)": equalNames,
  "static bool operator !=(XName left, XName right)": (a: XName | null, b: XName | null) => !equalNames(a, b),
});

defineType(`class ${NS}.XObject`, {
  "XElement Parent { get; }": (node: XObject) => node.parent,
  "XDocument Document { get; }": (node: XObject) => node.document,
  "XmlNodeType NodeType { get; }": nodeType,
  "string BaseUri { get; }": () => "",
});

function* ancestors(node: XObject, name: XName | null, withSelf: boolean): Generator<XElement> {
  const first = withSelf && node instanceof XElement ? node : node.parent;
  for (let element: XElement | null = first; element !== null; element = element.parent) {
    spend();
    if (name === null || sameXName(element.name, name)) yield element;
  }
}

const isElement = (node: XNode): node is XElement => node instanceof XElement;
const named = (nodes: readonly XNode[], name: XName | null): XElement[] =>
  nodes.filter(isElement).filter((element) => name === null || sameXName(element.name, name));

function isBefore(a: XNode, b: XNode): boolean {
  return order(a, b) < 0;
}

/** Document order. @throws InvalidOperationException for nodes of two trees */
function order(a: XNode, b: XNode): number {
  if (a === b) return 0;
  const path = (node: XNode): XNode[] => {
    const steps: XNode[] = [];
    for (let at: XNode | null = node; at !== null; at = at.parentNode) steps.push(at);
    return steps.toReversed();
  };
  const [left, right] = [path(a), path(b)];
  if (left[0] !== right[0]) throw argumentError("A common ancestor is missing.");
  let i = 0;
  while (left[i] !== undefined && left[i] === right[i]) i++;
  if (left[i] === undefined) return -1;
  if (right[i] === undefined) return 1;
  const siblings = (left[i - 1] as XContainer).nodes;
  return siblings.indexOf(left[i]!) < siblings.indexOf(right[i]!) ? -1 : 1;
}

defineType(`class ${NS}.XNode : XObject`, {
  "XNode NextNode { get; }": (node: XNode) => node.next,
  "XNode PreviousNode { get; }": (node: XNode) => node.previous,
  "void AddAfterSelf(object content)": (node: XNode, content: unknown) => node.insertBeside(content, 1),
  "void AddAfterSelf(params object[] content)": (node: XNode, content: unknown) =>
    node.insertBeside(content, 1),
  "void AddBeforeSelf(object content)": (node: XNode, content: unknown) => node.insertBeside(content, 0),
  "void AddBeforeSelf(params object[] content)": (node: XNode, content: unknown) =>
    node.insertBeside(content, 0),
  "void Remove()": (node: XNode) => node.detach(),
  "void ReplaceWith(object content)": (node: XNode, content: unknown) => node.replaceBy(content),
  "void ReplaceWith(params object[] content)": (node: XNode, content: unknown) => node.replaceBy(content),
  "IEnumerable<XElement> Ancestors()": (node: XNode) =>
    sequence("XElement", () => ancestors(node, null, false)),
  "IEnumerable<XElement> Ancestors(XName name)": (node: XNode, name: XName) =>
    sequence("XElement", () => ancestors(node, name, false)),
  "IEnumerable<XElement> ElementsAfterSelf()": (node: XNode) =>
    list("XElement", () => named(node.beside(true), null)),
  "IEnumerable<XElement> ElementsAfterSelf(XName name)": (node: XNode, name: XName) =>
    list("XElement", () => named(node.beside(true), name)),
  "IEnumerable<XElement> ElementsBeforeSelf()": (node: XNode) =>
    list("XElement", () => named(node.beside(false), null)),
  "IEnumerable<XElement> ElementsBeforeSelf(XName name)": (node: XNode, name: XName) =>
    list("XElement", () => named(node.beside(false), name)),
  "IEnumerable<XNode> NodesAfterSelf()": (node: XNode) => list("XNode", () => node.beside(true)),
  "IEnumerable<XNode> NodesBeforeSelf()": (node: XNode) => list("XNode", () => node.beside(false)),
  "bool IsAfter(XNode node)": (node: XNode, other: XNode) => isBefore(other, node),
  "bool IsBefore(XNode node)": isBefore,
  "static int CompareDocumentOrder(XNode n1, XNode n2)": order,
  "static XNode ReadFrom(XmlReader reader)": readFrom,
  "static bool DeepEquals(XNode n1, XNode n2)": (a: XNode | null, b: XNode | null) =>
    a === null || b === null ? a === b : a.sameAs(b),
  "string ToString()": (node: XNode) => writeNode(node, true),
  "string ToString(SaveOptions options)": (node: XNode, options: EnumValue) =>
    writeNode(node, indents(options)),
});

defineType(`class ${NS}.XContainer : XNode`, {
  "XNode FirstNode { get; }": (container: XContainer) => container.nodes[0] ?? null,
  "XNode LastNode { get; }": (container: XContainer) => container.nodes[container.nodes.length - 1] ?? null,
  "void Add(object content)": (container: XContainer, content: unknown) => container.add(content),
  "void Add(params object[] content)": (container: XContainer, content: unknown) => container.add(content),
  "void AddFirst(object content)": (container: XContainer, content: unknown) =>
    void container.insert(content, 0),
  "void AddFirst(params object[] content)": (container: XContainer, content: unknown) =>
    void container.insert(content, 0),
  "XElement Element(XName name)": (container: XContainer, name: XName | null) => container.element(name),
  "IEnumerable<XElement> Elements()": (container: XContainer) =>
    sequence("XElement", () => container.elements()),
  "IEnumerable<XElement> Elements(XName name)": (container: XContainer, name: XName | null) =>
    name === null ? list("XElement", () => []) : sequence("XElement", () => container.elements(name)),
  "IEnumerable<XElement> Descendants()": (container: XContainer) =>
    sequence("XElement", () => container.descendants(null, false)),
  "IEnumerable<XElement> Descendants(XName name)": (container: XContainer, name: XName | null) =>
    name === null
      ? list("XElement", () => [])
      : sequence("XElement", () => container.descendants(name, false)),
  "IEnumerable<XNode> DescendantNodes()": (container: XContainer) =>
    sequence("XNode", () => container.descendantNodes()),
  "IEnumerable<XNode> Nodes()": (container: XContainer) => list("XNode", () => [...container.nodes]),
  "void RemoveNodes()": (container: XContainer) => container.removeNodes(),
  "void ReplaceNodes(object content)": replaceNodes,
  "void ReplaceNodes(params object[] content)": replaceNodes,
});

/** Content that is about to be removed is copied first. */
function replaceNodes(container: XContainer, content: unknown): void {
  const kept = content instanceof Sequence ? [...elements(content)] : content;
  container.removeNodes();
  container.add(kept);
}

/** `explicit operator T(XElement)` and the same for attributes. */
function casts(owner: string, text: (node: any) => string): Record<string, (node: any) => unknown> {
  const members: Record<string, (node: any) => unknown> = {
    [`static explicit operator string(${owner} node)`]: (node) => (node === null ? null : text(node)),
  };
  for (const [keyword, read] of FROM_TEXT) {
    members[`static explicit operator ${keyword}(${owner} node)`] = (node) => {
      if (node === null) throw argumentNull(owner === "XElement" ? "element" : "attribute");
      return read(text(node));
    };
    members[`static explicit operator ${keyword}?(${owner} node)`] = (node) =>
      node === null ? null : read(text(node));
  }
  return members;
}

function elementWith(name: XName | null, content: unknown): XElement {
  const element = new XElement(name);
  element.add(content);
  return element;
}

/** `xmlns` declarations in force, as the constructor's `XNamespace` results. */
const namespaceOrNull = (uri: string | null): XNamespace | null =>
  uri === null ? null : new XNamespace(uri);

defineType(`class ${NS}.XElement : XContainer`, {
  ...casts("XElement", (element: XElement) => element.value),
  "XElement(XName name)": (name: XName | null) => new XElement(name),
  "XElement(XName name, object content)": elementWith,
  "XElement(XName name, params object[] content)": elementWith,
  "XElement(XElement other)": (other: XElement | null) => {
    if (other === null) throw argumentNull("other");
    return other.clone();
  },
  "static XElement Parse(string text)": (text: string | null) => rootOf(parseXml(text)),
  "static XElement Parse(string text, LoadOptions options)": (text: string | null, options: EnumValue) =>
    rootOf(parseXml(text, preserves(options))),
  "XName Name { get; set; }": accessor(
    (element: XElement) => element.name,
    (element: XElement, name: XName | null) => {
      if (name === null) throw argumentNull("value");
      element.name = name;
    },
  ),
  "string Value { get; set; }": accessor(
    (element: XElement) => element.value,
    (element: XElement, text: string | null) => void (element.value = text as string),
  ),
  "bool IsEmpty { get; }": (element: XElement) => element.isEmpty,
  "bool HasAttributes { get; }": (element: XElement) => element.attributes.length > 0,
  "bool HasElements { get; }": (element: XElement) => element.nodes.some(isElement),
  "XAttribute FirstAttribute { get; }": (element: XElement) => element.attributes[0] ?? null,
  "XAttribute LastAttribute { get; }": (element: XElement) =>
    element.attributes[element.attributes.length - 1] ?? null,
  "XAttribute Attribute(XName name)": (element: XElement, name: XName | null) => element.attribute(name),
  "IEnumerable<XAttribute> Attributes()": (element: XElement) =>
    list("XAttribute", () => [...element.attributes]),
  "IEnumerable<XAttribute> Attributes(XName name)": (element: XElement, name: XName | null) =>
    list("XAttribute", () =>
      element.attributes.filter((attribute) => name !== null && sameXName(attribute.name, name)),
    ),
  "IEnumerable<XElement> AncestorsAndSelf()": (element: XElement) =>
    sequence("XElement", () => ancestors(element, null, true)),
  "IEnumerable<XElement> AncestorsAndSelf(XName name)": (element: XElement, name: XName) =>
    sequence("XElement", () => ancestors(element, name, true)),
  "IEnumerable<XElement> DescendantsAndSelf()": (element: XElement) =>
    sequence("XElement", () => element.descendants(null, true)),
  "IEnumerable<XElement> DescendantsAndSelf(XName name)": (element: XElement, name: XName) =>
    sequence("XElement", () => element.descendants(name, true)),
  "IEnumerable<XNode> DescendantNodesAndSelf()": (element: XElement) =>
    sequence("XNode", function* () {
      yield element;
      yield* element.descendantNodes();
    }),
  "XNamespace GetDefaultNamespace()": (element: XElement) => new XNamespace(element.namespaceOf("") ?? ""),
  "XNamespace GetNamespaceOfPrefix(string prefix)": (element: XElement, prefix: string | null) => {
    if (prefix === null) throw argumentNull("prefix");
    return namespaceOrNull(element.namespaceOf(prefix));
  },
  "string GetPrefixOfNamespace(XNamespace ns)": (element: XElement, namespace: XNamespace | null) => {
    if (namespace === null) throw argumentNull("ns");
    return element.prefixOf(namespace.uri);
  },
  "void SetAttributeValue(XName name, object value)": (
    element: XElement,
    name: XName | null,
    value: unknown,
  ) => element.setAttribute(name, value),
  "void SetElementValue(XName name, object value)": (element: XElement, name: XName | null, value: unknown) =>
    element.setElement(name, value),
  "void SetValue(object value)": (element: XElement, value: unknown) => void (element.value = xmlText(value)),
  "void RemoveAll()": (element: XElement) => {
    element.removeAttributes();
    element.removeNodes();
  },
  "void RemoveAttributes()": (element: XElement) => element.removeAttributes(),
  "void ReplaceAll(object content)": replaceAll,
  "void ReplaceAll(params object[] content)": replaceAll,
  "void ReplaceAttributes(object content)": replaceAttributes,
  "void ReplaceAttributes(params object[] content)": replaceAttributes,
});

function replaceAll(element: XElement, content: unknown): void {
  element.removeAttributes();
  replaceNodes(element, content);
}

function replaceAttributes(element: XElement, content: unknown): void {
  element.removeAttributes();
  element.add(content);
}

/** The element alone: what `XElement.Parse` gives belongs to no document. */
function rootOf(document: XDocument): XElement {
  const root = document.root!;
  root.parentNode = null;
  return root;
}

function documentWith(declaration: XDeclaration | null, content: unknown): XDocument {
  const document = new XDocument();
  document.declaration = declaration;
  document.add(content);
  return document;
}

defineType(`class ${NS}.XDocument : XContainer`, {
  "XDocument()": () => new XDocument(),
  "XDocument(params object[] content)": (content: unknown) => documentWith(null, content),
  "XDocument(XDeclaration declaration, params object[] content)": documentWith,
  "XDocument(XDocument other)": (other: XDocument | null) => {
    if (other === null) throw argumentNull("other");
    return other.clone();
  },
  "static XDocument Parse(string text)": (text: string | null) => parseXml(text),
  "static XDocument Parse(string text, LoadOptions options)": (text: string | null, options: EnumValue) =>
    parseXml(text, preserves(options)),
  "XElement Root { get; }": (document: XDocument) => document.root,
  "XDeclaration Declaration { get; set; }": accessor(
    (document: XDocument) => document.declaration,
    (document: XDocument, declaration: XDeclaration | null) => void (document.declaration = declaration),
  ),
});

function attributeValue(attribute: XAttribute, value: unknown): void {
  if (value === null) throw argumentNull("value");
  attribute.value = xmlText(value);
}

defineType(`class ${NS}.XAttribute : XObject`, {
  ...casts("XAttribute", (attribute: XAttribute) => attribute.value),
  "XAttribute(XName name, object value)": (name: XName | null, value: unknown) =>
    new XAttribute(name, xmlText(value)),
  "XAttribute(XAttribute other)": (other: XAttribute | null) => {
    if (other === null) throw argumentNull("other");
    return new XAttribute(other.name, other.value);
  },
  "XName Name { get; }": (attribute: XAttribute) => attribute.name,
  "string Value { get; set; }": accessor((attribute: XAttribute) => attribute.value, attributeValue),
  "bool IsNamespaceDeclaration { get; }": (attribute: XAttribute) => attribute.isNamespaceDeclaration,
  "XAttribute NextAttribute { get; }": (attribute: XAttribute) => neighbour(attribute, 1),
  "XAttribute PreviousAttribute { get; }": (attribute: XAttribute) => neighbour(attribute, -1),
  "void Remove()": (attribute: XAttribute) => {
    if (attribute.parent === null) throw argumentError("The parent is missing.");
    attribute.parent.removeAttribute(attribute);
  },
  "void SetValue(object value)": attributeValue,
  "string ToString()": (attribute: XAttribute) => writeNode(attribute, true),
});

function neighbour(attribute: XAttribute, by: number): XAttribute | null {
  const siblings = attribute.parent?.attributes ?? [];
  return siblings[siblings.indexOf(attribute) + by] ?? null;
}

const textValue = accessor(
  (node: XText | XComment) => node.value,
  (node: XText | XComment, value: string | null) => {
    if (value === null) throw argumentNull("value");
    node.value = value;
  },
);

defineType(`class ${NS}.XText : XNode`, {
  "XText(string value)": (value: string | null) => new XText(value),
  "XText(XText other)": (other: XText) => other.clone(),
  "string Value { get; set; }": textValue,
});
defineType(`class ${NS}.XCData : XText`, {
  "XCData(string value)": (value: string | null) => new XCData(value),
  "XCData(XCData other)": (other: XCData) => other.clone(),
});
defineType(`class ${NS}.XComment : XNode`, {
  "XComment(string value)": (value: string | null) => new XComment(value),
  "XComment(XComment other)": (other: XComment) => other.clone(),
  "string Value { get; set; }": textValue,
});
defineType(`class ${NS}.XProcessingInstruction : XNode`, {
  "XProcessingInstruction(string target, string data)": (target: string | null, data: string | null) =>
    new XProcessingInstruction(target, data),
  "string Target { get; }": (node: XProcessingInstruction) => node.target,
  "string Data { get; }": (node: XProcessingInstruction) => node.data,
});
defineType(`class ${NS}.XDeclaration`, {
  "XDeclaration(string version, string encoding, string standalone)": (
    version: string | null,
    encoding: string | null,
    standalone: string | null,
  ) => new XDeclaration(version, encoding, standalone),
  "string Version { get; }": (declaration: XDeclaration) => declaration.version,
  "string Encoding { get; }": (declaration: XDeclaration) => declaration.encoding,
  "string Standalone { get; }": (declaration: XDeclaration) => declaration.standalone,
  "string ToString()": (declaration: XDeclaration) => declaration.netToString(),
});

function* flattened(source: unknown, below: (node: any) => Iterable<unknown>): Generator<unknown> {
  for (const node of elements(source)) {
    spend();
    if (node !== null) yield* below(node);
  }
}

const many = (typeName: string, source: unknown, below: (node: any) => Iterable<unknown>): Sequence => {
  if (source === null) throw argumentNull("source");
  return sequence(typeName, () => flattened(source, below));
};

const inOrder = (typeName: string, source: unknown): NetArray => {
  const items = [...elements(source)] as XNode[];
  return new NetArray(
    typeNamed(`${NS}.${typeName}`),
    items.sort((a, b) => (spend(), order(a, b))),
  );
};

// .NET has `Elements<T>(this IEnumerable<T>) where T : XContainer`; signatures here have no constraints, and a sequence of
// the base type takes the same arguments.
defineType(`static ${NS}.Extensions`, {
  "static IEnumerable<XElement> Elements(this IEnumerable<XContainer> source)": (source: unknown) =>
    many("XElement", source, (node: XContainer) => node.elements()),
  "static IEnumerable<XElement> Elements(this IEnumerable<XContainer> source, XName name)": (
    source: unknown,
    name: XName,
  ) => many("XElement", source, (node: XContainer) => node.elements(name)),
  "static IEnumerable<XElement> Descendants(this IEnumerable<XContainer> source)": (source: unknown) =>
    many("XElement", source, (node: XContainer) => node.descendants(null, false)),
  "static IEnumerable<XElement> Descendants(this IEnumerable<XContainer> source, XName name)": (
    source: unknown,
    name: XName,
  ) => many("XElement", source, (node: XContainer) => node.descendants(name, false)),
  "static IEnumerable<XElement> DescendantsAndSelf(this IEnumerable<XElement> source)": (source: unknown) =>
    many("XElement", source, (node: XContainer) => node.descendants(null, true)),
  "static IEnumerable<XElement> DescendantsAndSelf(this IEnumerable<XElement> source, XName name)": (
    source: unknown,
    name: XName,
  ) => many("XElement", source, (node: XContainer) => node.descendants(name, true)),
  "static IEnumerable<XElement> Ancestors(this IEnumerable<XNode> source)": (source: unknown) =>
    many("XElement", source, (node: XNode) => ancestors(node, null, false)),
  "static IEnumerable<XElement> Ancestors(this IEnumerable<XNode> source, XName name)": (
    source: unknown,
    name: XName,
  ) => many("XElement", source, (node: XNode) => ancestors(node, name, false)),
  "static IEnumerable<XElement> AncestorsAndSelf(this IEnumerable<XElement> source)": (source: unknown) =>
    many("XElement", source, (node: XNode) => ancestors(node, null, true)),
  "static IEnumerable<XNode> Nodes(this IEnumerable<XContainer> source)": (source: unknown) =>
    many("XNode", source, (node: XContainer) => [...node.nodes]),
  "static IEnumerable<XNode> DescendantNodes(this IEnumerable<XContainer> source)": (source: unknown) =>
    many("XNode", source, (node: XContainer) => node.descendantNodes()),
  "static IEnumerable<XAttribute> Attributes(this IEnumerable<XElement> source)": (source: unknown) =>
    many("XAttribute", source, (node: XElement) => [...node.attributes]),
  "static IEnumerable<XAttribute> Attributes(this IEnumerable<XElement> source, XName name)": (
    source: unknown,
    name: XName,
  ) =>
    many("XAttribute", source, (node: XElement) =>
      node.attributes.filter((attribute) => sameXName(attribute.name, name)),
    ),
  "static void Remove(this IEnumerable<XAttribute> source)": (source: unknown) => {
    for (const attribute of [...elements(source)] as XAttribute[])
      attribute.parent?.removeAttribute(attribute);
  },
  "static void Remove(this IEnumerable<XNode> source)": (source: unknown) => {
    for (const node of [...elements(source)] as XNode[]) if (node.parentNode !== null) node.detach();
  },
  "static IEnumerable<XElement> InDocumentOrder(this IEnumerable<XElement> source)": (source: unknown) =>
    inOrder("XElement", source),
  "static IEnumerable<XNode> InDocumentOrder(this IEnumerable<XNode> source)": (source: unknown) =>
    inOrder("XNode", source),
});

defineBodyType(`${NS}.XElement`, (body) => rootOf(parseXml(bodyXml(body))));
defineBodyType(`${NS}.XNode`, (body) => rootOf(parseXml(bodyXml(body))));
defineBodyType(`${NS}.XDocument`, (body) => parseXml(bodyXml(body)));

/**
 * XML as JSON, as Newtonsoft's `XmlNodeConverter` has it: attributes are `@name`, text beside elements `#text`,
 * elements of one name an array, an element with text alone its text, an empty one null.
 */
import { extendType } from "../../define.ts";
import type { EnumValue } from "../../values.ts";
import { STRING, isIndented } from "../json/kinds.ts";
import { defineJsonForm, toToken } from "../json/serialize.ts";
import { JArray, JObject, type JToken, JValue } from "../json/token.ts";
import "../json/json-convert.ts";
import { XMLNS_URI, type XName } from "./names.ts";
import {
  XAttribute,
  XCData,
  XDocument,
  XElement,
  type XNode,
  XProcessingInstruction,
  XText,
  checkNesting,
} from "./nodes.ts";

const text = (value: string): JToken => new JValue(STRING, value);

/** The name as written, with a prefix that is in force at `scope`. */
function qualified(name: XName, scope: XElement, isAttribute: boolean): string {
  if (name.uri === XMLNS_URI) return `xmlns:${name.local}`;
  if (name.uri === "" || (!isAttribute && scope.namespaceOf("") === name.uri)) return name.local;
  const prefix = scope.prefixOf(name.uri);
  return prefix === null ? name.local : `${prefix}:${name.local}`;
}

function elementJson(element: XElement, depth: number): JToken {
  checkNesting(depth);
  const { nodes, attributes } = element;
  if (attributes.length === 0) {
    if (nodes.length === 0) return element.isEmpty ? JValue.nothing() : text("");
    const only = nodes[0];
    if (nodes.length === 1 && only instanceof XText && !(only instanceof XCData)) return text(only.value);
  }
  const result = new JObject();
  for (const attribute of attributes)
    result.setItem(`@${qualified(attribute.name, element, true)}`, text(attribute.value));
  addNodes(result, nodes, depth);
  return result;
}

function addNodes(result: JObject, nodes: readonly XNode[], depth: number): void {
  for (const node of nodes) {
    if (node instanceof XElement)
      add(result, qualified(node.name, node, false), elementJson(node, depth + 1));
    else if (node instanceof XCData) add(result, "#cdata-section", text(node.value));
    else if (node instanceof XText) add(result, "#text", text(node.value));
    else if (node instanceof XProcessingInstruction) add(result, `?${node.target}`, text(node.data));
  }
}

/** A second value of one name makes an array of the two. */
function add(result: JObject, name: string, value: JToken): void {
  const known = result.item(name);
  if (known === null) result.setItem(name, value);
  else if (known instanceof JArray) known.add(value);
  else result.setItem(name, arrayOf(known, value));
}

function arrayOf(first: JToken, second: JToken): JArray {
  const array = new JArray();
  array.add(first);
  array.add(second);
  return array;
}

function documentJson(document: XDocument, depth: number): JToken {
  const result = new JObject();
  const { declaration } = document;
  if (declaration !== null) {
    const members = new JObject();
    for (const part of ["version", "encoding", "standalone"] as const) {
      const value = declaration[part];
      if (value !== null) members.setItem(`@${part}`, text(value));
    }
    result.setItem("?xml", members);
  }
  addNodes(result, document.nodes, depth);
  return result;
}

function rootJson(element: XElement, depth: number): JToken {
  const result = new JObject();
  result.setItem(qualified(element.name, element, false), elementJson(element, depth + 1));
  return result;
}

const NS = "System.Xml.Linq";
defineJsonForm(`${NS}.XElement`, rootJson);
defineJsonForm(`${NS}.XDocument`, documentJson);
defineJsonForm(`${NS}.XText`, (node: XText) => text(node.value));
defineJsonForm(`${NS}.XCData`, (node: XText) => text(node.value));
defineJsonForm(`${NS}.XAttribute`, (attribute: XAttribute) => {
  const result = new JObject();
  result.setItem(`@${attribute.name.local}`, text(attribute.value));
  return result;
});
defineJsonForm(`${NS}.XComment`, () => JValue.nothing());
defineJsonForm(`${NS}.XName`, (name: XName) => text(name.netToString()));
defineJsonForm(`${NS}.XNamespace`, (namespace: { uri: string }) => text(namespace.uri));

function serialize(node: unknown, formatting: EnumValue | null, omitRoot: boolean): string {
  if (node === null) return "null";
  if (!(node instanceof XElement) && !(node instanceof XDocument)) return toToken(node).toJson(false);
  const whole = node instanceof XDocument ? documentJson(node, 0) : rootJson(node, 0);
  const root = node instanceof XDocument ? node.root : node;
  const token = omitRoot && root !== null ? elementJson(root, 0) : whole;
  return token.toJson(formatting !== null && isIndented(formatting));
}

extendType("Newtonsoft.Json.JsonConvert", {
  "static string SerializeXNode(XObject node)": (node: any) => serialize(node, null, false),
  "static string SerializeXNode(XObject node, Formatting formatting)": (node: any, formatting: EnumValue) =>
    serialize(node, formatting, false),
  "static string SerializeXNode(XObject node, Formatting formatting, bool omitRootObject)": serialize,
});

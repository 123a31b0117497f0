/** The tree → text, as `XNode.ToString()` writes it: two spaces, mixed content left alone (`expressions.md` §5.9). */
import { checkLength, spend } from "../../budget.ts";
import { environment } from "../../environment.ts";
import { XMLNS_URI, XML_URI, type XName } from "./names.ts";
import {
  XAttribute,
  XCData,
  XComment,
  XContainer,
  XDocument,
  XElement,
  type XNode,
  XProcessingInstruction,
  XText,
  checkNesting,
} from "./nodes.ts";

/** @param indented false for `SaveOptions.DisableFormatting` */
export function writeNode(node: XNode | XAttribute, indented: boolean): string {
  const writer = new Writer(indented);
  if (node instanceof XAttribute) return writer.lonelyAttribute(node);
  writer.node(node, 0, false);
  checkLength(writer.text.length);
  return writer.text;
}

/** Units that are escaped between two looks at the clock. */
const PIECE = 16_384;

/** `replace`, piece by piece: a text of nothing but `<` takes as long as a thousand others. */
function escaped(text: string, special: RegExp, escape: (c: string) => string): string {
  if (text.length <= PIECE) return text.replace(special, escape);
  let result = "";
  for (let at = 0, end; at < text.length; at = end) {
    end = Math.min(text.length, at + PIECE);
    if (text.charCodeAt(end - 1) === 13) end++; // not between CR and LF
    spend(PIECE >>> 8);
    result += text.slice(at, end).replace(special, escape);
    checkLength(result.length);
  }
  return result;
}

function escapeText(text: string, newLine: string): string {
  return escaped(text, /[&<>]|\r\n|\r|\n/g, (c) => {
    if (c === "&") return "&amp;";
    if (c === "<") return "&lt;";
    return c === ">" ? "&gt;" : newLine;
  });
}

const ATTRIBUTE_ESCAPES: ReadonlyMap<string, string> = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
  ["\t", "&#x9;"],
  ["\n", "&#xA;"],
  ["\r", "&#xD;"],
]);

function escapeAttribute(text: string): string {
  return escaped(text, /[&<>"\t\n\r]/g, (c) => ATTRIBUTE_ESCAPES.get(c)!);
}

/** Prefix → namespace in force at an element. */
type Scope = ReadonlyMap<string, string>;

const OUTERMOST: Scope = new Map([
  ["", ""],
  ["xml", XML_URI],
  ["xmlns", XMLNS_URI],
]);

class Writer {
  text = "";
  readonly #indented: boolean;
  readonly #newLine: string;
  #scopes: Scope[] = [OUTERMOST];

  constructor(indented: boolean) {
    this.#indented = indented;
    this.#newLine = environment().newLine;
  }

  lonelyAttribute(attribute: XAttribute): string {
    const owner = attribute.parent;
    const { uri, local } = attribute.name;
    const prefix = uri === "" ? "" : (owner?.prefixOf(uri) ?? (uri === XMLNS_URI ? "xmlns" : "p1"));
    return `${prefix === "" ? local : `${prefix}:${local}`}="${escapeAttribute(attribute.value)}"`;
  }

  /**
   * @param mixed inside content with text: nothing may be indented
   * @returns whether the node makes its parent's content mixed
   */
  node(node: XNode, depth: number, mixed: boolean): boolean {
    checkNesting(depth);
    spend();
    if (this.text.length > 1_000_000) checkLength(this.text.length);
    if (node instanceof XText) {
      this.text += node instanceof XCData ? cdata(node.value) : escapeText(node.value, this.#newLine);
      return true;
    }
    if (!mixed) this.#line(depth);
    if (node instanceof XElement) this.#element(node, depth, mixed);
    else if (node instanceof XComment) this.text += `<!--${node.value}-->`;
    else if (node instanceof XProcessingInstruction) {
      this.text += node.data === "" ? `<?${node.target}?>` : `<?${node.target} ${node.data}?>`;
    } else if (node instanceof XDocument) this.#children(node, depth, false);
    return false;
  }

  #line(depth: number): void {
    if (this.#indented && this.text !== "") this.text += this.#newLine + "  ".repeat(depth);
  }

  /** @returns whether the content turned out to be mixed */
  #children(container: XContainer, depth: number, mixed: boolean): boolean {
    for (const child of container.nodes) if (this.node(child, depth, mixed)) mixed = true;
    return mixed;
  }

  #element(element: XElement, depth: number, mixed: boolean): void {
    const scope = new Map(this.#scopes[this.#scopes.length - 1]);
    for (const { name, value } of element.attributes) {
      if (name.uri === XMLNS_URI) scope.set(name.local, value);
      else if (name.uri === "" && name.local === "xmlns") scope.set("", value);
    }
    const made: string[] = [];
    const name = this.#elementName(element.name, scope, made);
    this.text += `<${name}`;
    for (const attribute of element.attributes) {
      this.text += ` ${this.#attributeName(attribute, scope, made)}="${escapeAttribute(attribute.value)}"`;
    }
    this.text += made.join("");
    if (element.isEmpty) {
      this.text += " />";
      return;
    }
    this.text += ">";
    this.#scopes.push(scope);
    const content = this.#children(element, depth + 1, mixed);
    this.#scopes.pop();
    if (!content && element.nodes.length > 0) this.#line(depth);
    this.text += `</${name}>`;
  }

  /** The name with a prefix in force; declares the namespace as default when none is. */
  #elementName({ uri, local }: XName, scope: Map<string, string>, made: string[]): string {
    if (scope.get("") === uri) return local;
    if (uri !== "") {
      const prefix = prefixFor(uri, scope);
      if (prefix !== null) return `${prefix}:${local}`;
    }
    scope.set("", uri);
    made.push(` xmlns="${escapeAttribute(uri)}"`);
    return local;
  }

  #attributeName(attribute: XAttribute, scope: Map<string, string>, made: string[]): string {
    const { uri, local } = attribute.name;
    if (uri === "") return local;
    if (uri === XMLNS_URI) return `xmlns:${local}`;
    const known = prefixFor(uri, scope);
    if (known !== null) return `${known}:${local}`;
    let number = scope.size - OUTERMOST.size + 1;
    while (scope.has(`p${number}`)) number++;
    const prefix = `p${number}`;
    scope.set(prefix, uri);
    made.push(` xmlns:${prefix}="${escapeAttribute(uri)}"`);
    return `${prefix}:${local}`;
  }
}

/** The latest prefix for a namespace that is not the default one. */
function prefixFor(uri: string, scope: Scope): string | null {
  let found: string | null = null;
  for (const [prefix, namespace] of scope) if (prefix !== "" && namespace === uri) found = prefix;
  return found;
}

/** `]]>` cannot stand inside, so it is split over two sections. */
function cdata(text: string): string {
  return `<![CDATA[${text.replaceAll("]]>", "]]]]><![CDATA[>")}]]>`;
}

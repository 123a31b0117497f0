/** The tree of XPath 1.0: what is transformed, the stylesheet itself, and what comes out. */
import { readXmlInSteps } from "../../base/xml-events.ts";
import { spend } from "../../compiler/runtime/budget.ts";
import { MOST_XML_DEPTH } from "../../gateway/body-limits.ts";

export type NodeKind = "root" | "element" | "attribute" | "text" | "comment" | "instruction";

export const XML_URI = "http://www.w3.org/XML/1998/namespace";

/** In-scope prefixes; the empty one is the default namespace. Shared between elements that declare nothing. */
export type Namespaces = ReadonlyMap<string, string>;

export class TreeNode {
  readonly kind: NodeKind;
  /** As written, with prefix; an instruction's target. */
  readonly name: string;
  readonly local: string;
  readonly uri: string;
  /** Of attributes, texts, comments and instructions. */
  value: string;
  parent: TreeNode | null = null;
  readonly children: TreeNode[] = [];
  readonly attributes: TreeNode[] = [];
  namespaces: Namespaces = NO_NAMESPACES;
  /** Text that is written as it is (`disable-output-escaping`). */
  isRaw = false;
  /** Document order. */
  order: number;
  /** Among its parent's children. */
  index = 0;

  constructor(kind: NodeKind, order: number, name = "", local = name, uri = "", value = "") {
    this.kind = kind;
    this.order = order;
    this.name = name;
    this.local = local;
    this.uri = uri;
    this.value = value;
  }

  append(child: TreeNode): void {
    child.parent = this;
    child.index = this.children.length;
    this.children.push(child);
  }

  get root(): TreeNode {
    let node: TreeNode = this;
    while (node.parent !== null) node = node.parent;
    return node;
  }

  attribute(local: string, uri = ""): string | null {
    for (const attribute of this.attributes)
      if (attribute.local === local && attribute.uri === uri) return attribute.value;
    return null;
  }

  /** XPath's string-value. */
  get text(): string {
    if (this.kind !== "root" && this.kind !== "element") return this.value;
    if (this.children.length === 1 && this.children[0]!.kind === "text") return this.children[0]!.value;
    let text = "";
    for (const child of this.children) {
      spend();
      if (child.kind === "text" || child.kind === "element") text += child.text;
    }
    return text;
  }
}

const NO_NAMESPACES: Namespaces = new Map([["xml", XML_URI]]);

/** Numbers the nodes of everything that takes part in one transformation. */
export class Order {
  #last = 0;
  next(): number {
    return ++this.#last;
  }
}

/** At once: for the stylesheet itself. @throws XmlMistake */
export function parseTree(text: string, order: Order, keepsSpace: (element: TreeNode) => boolean): TreeNode {
  const steps = treeInSteps(text, order, keepsSpace);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/**
 * In steps, for `runInSlices`.
 *
 * @param keepsSpace whether white space alone stays in an element
 * @throws XmlMistake
 */
export function* treeInSteps(
  text: string,
  order: Order,
  keepsSpace: (element: TreeNode) => boolean,
): Generator<void, TreeNode> {
  const root = new TreeNode("root", order.next());
  let at = root;
  let pending = "";
  const flush = (): void => {
    if (pending === "") return;
    if (/\S/.test(pending) || keepsSpace(at))
      at.append(new TreeNode("text", order.next(), "", "", "", pending));
    pending = "";
  };
  yield* readXmlInSteps(text, MOST_XML_DEPTH, {
    open: (tag) => {
      spend();
      flush();
      const element = new TreeNode("element", order.next(), tag.name, tag.local, tag.uri);
      let declared: Map<string, string> | null = null;
      for (const { name, prefix, local, uri, value } of tag.attributes) {
        if (name === "xmlns" || prefix === "xmlns")
          (declared ??= new Map(at.namespaces)).set(name === "xmlns" ? "" : local, value);
        else addAttribute(element, new TreeNode("attribute", order.next(), name, local, uri, value));
      }
      element.namespaces = declared ?? at.namespaces;
      at.append(element);
      at = element;
    },
    close: () => {
      flush();
      at = at.parent!;
    },
    text: (part) => {
      pending += part;
    },
    instruction: (target, data) => {
      flush();
      at.append(new TreeNode("instruction", order.next(), target, target, "", data));
    },
    comment: (content) => {
      flush();
      at.append(new TreeNode("comment", order.next(), "", "", "", content));
    },
  });
  return root;
}

/** A later one of the same name wins. */
export function addAttribute(element: TreeNode, attribute: TreeNode): void {
  const at = element.attributes.findIndex(
    (other) => other.local === attribute.local && other.uri === attribute.uri,
  );
  attribute.parent = element;
  if (at < 0) element.attributes.push(attribute);
  else element.attributes[at] = attribute;
}

export function inDocumentOrder(nodes: TreeNode[]): TreeNode[] {
  for (let i = 1; i < nodes.length; i++) {
    if (nodes[i]!.order <= nodes[i - 1]!.order) return [...new Set(nodes)].sort((a, b) => a.order - b.order);
  }
  return nodes;
}

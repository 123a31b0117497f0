/** Builds a result tree: declares the namespaces that names need, joins texts. */
import { checkSize, spend } from "../../compiler/runtime/budget.ts";
import { type Namespaces, type Order, TreeNode, XML_URI, addAttribute } from "./tree.ts";

export class Builder {
  readonly root: TreeNode;
  readonly #order: Order;
  #at: TreeNode;
  #count = 0;

  constructor(order: Order) {
    this.#order = order;
    this.#at = this.root = new TreeNode("root", order.next());
  }

  #next(): number {
    spend();
    checkSize(++this.#count);
    return this.#order.next();
  }

  text(value: string, isRaw = false): void {
    if (value === "") return;
    const last = this.#at.children.at(-1);
    if (last?.kind === "text" && last.isRaw === isRaw) {
      spend();
      last.value += value;
      return;
    }
    const node = new TreeNode("text", this.#next(), "", "", "", value);
    node.isRaw = isRaw;
    this.#at.append(node);
  }

  open(name: string, uri: string, namespaces: Namespaces): void {
    const at = name.indexOf(":");
    const prefix = at < 0 ? "" : name.slice(0, at);
    const element = new TreeNode("element", this.#next(), name, name.slice(at + 1), uri);
    element.namespaces = namespaces.get(prefix) === uri ? namespaces : new Map(namespaces).set(prefix, uri);
    this.#at.append(element);
    this.#at = element;
  }

  close(): void {
    this.#at = this.#at.parent!;
  }

  /** Too late once there is content: then it is left out, as §7.1.3 allows. */
  attribute(name: string, uri: string, value: string): void {
    const element = this.#at;
    if (element.kind !== "element" || element.children.length > 0) return;
    const at = name.indexOf(":");
    const local = name.slice(at + 1);
    const prefix = uri === "" ? "" : this.#prefixFor(element, at < 0 ? "" : name.slice(0, at), uri);
    addAttribute(
      element,
      new TreeNode(
        "attribute",
        this.#next(),
        prefix === "" ? local : `${prefix}:${local}`,
        local,
        uri,
        value,
      ),
    );
  }

  /** The wanted one unless it means something else here. */
  #prefixFor(element: TreeNode, wanted: string, uri: string): string {
    if (uri === XML_URI) return "xml";
    const { namespaces } = element;
    if (wanted !== "" && namespaces.get(wanted) === uri) return wanted;
    if (wanted === "" || namespaces.has(wanted)) {
      for (const [prefix, other] of namespaces) if (other === uri && prefix !== "") return prefix;
    }
    let prefix = wanted;
    for (let i = 0; prefix === "" || element.namespaces.has(prefix); i++) prefix = `ns${i}`;
    element.namespaces = new Map(element.namespaces).set(prefix, uri);
    return prefix;
  }

  comment(value: string): void {
    this.#at.append(
      new TreeNode("comment", this.#next(), "", "", "", value.replace(/--/g, "- -").replace(/-$/, "- ")),
    );
  }

  instruction(target: string, data: string): void {
    this.#at.append(
      new TreeNode("instruction", this.#next(), target, target, "", data.replaceAll("?>", "? >")),
    );
  }

  /** With everything in it; a root stands for its content. */
  copy(node: TreeNode): void {
    switch (node.kind) {
      case "root":
        return node.children.forEach((child) => this.copy(child));
      case "element":
        this.open(node.name, node.uri, node.namespaces);
        for (const { name, uri, value } of node.attributes) this.attribute(name, uri, value);
        for (const child of node.children) this.copy(child);
        return this.close();
      case "attribute":
        return this.attribute(node.name, node.uri, node.value);
      case "text":
        return this.text(node.value, node.isRaw);
      case "comment":
        return this.comment(node.value);
      case "instruction":
        return this.instruction(node.name, node.value);
    }
  }
}

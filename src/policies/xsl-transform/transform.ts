/** One transformation under way: variables, keys, the templates' choice, the result so far. */
import { spend } from "../../compiler/runtime/budget.ts";
import { Builder } from "./builder.ts";
import { DEFAULT_FORMAT, type DecimalFormat } from "./format.ts";
import { callFunction } from "./functions.ts";
import type { Pattern } from "./pattern.ts";
import { Order, TreeNode } from "./tree.ts";
import type { Expression } from "./xpath-parser.ts";
import { type XContext, type XValue, evaluate, toText } from "./xpath.ts";

export class TransformFailure extends Error {}

/** Code of one instruction. */
export type Instruction = (frame: Frame) => void;

export interface Template {
  readonly name: string | null;
  readonly mode: string;
  readonly pattern: Pattern | null;
  readonly body: Instruction;
}

export interface KeyRule {
  readonly patterns: readonly Pattern[];
  readonly use: Expression;
}

/** A stylesheet ready to run. */
export interface Program {
  /** By mode; the best ones first. */
  readonly templates: ReadonlyMap<string, readonly Template[]>;
  readonly named: ReadonlyMap<string, Template>;
  readonly globals: ReadonlyMap<string, GlobalVariable>;
  readonly keys: ReadonlyMap<string, readonly KeyRule[]>;
  readonly formats: ReadonlyMap<string, DecimalFormat>;
  readonly attributeSets: ReadonlyMap<string, readonly Instruction[]>;
}

export interface GlobalVariable {
  readonly isParameter: boolean;
  readonly value: (frame: Frame) => XValue;
}

/** Variables seen so far, innermost first. */
export interface Scope {
  readonly name: string;
  readonly value: XValue;
  readonly outer: Scope | null;
}

/** Where an instruction runs. `scope` grows while a sequence runs. */
export interface Frame {
  readonly node: TreeNode;
  readonly position: number;
  readonly size: number;
  readonly mode: string;
  readonly run: Transform;
  /** What `with-param` passed. */
  readonly parameters: ReadonlyMap<string, XValue>;
  scope: Scope | null;
}

/** Templates inside templates. Recursion is how XSLT loops, so there is room for it, but not for all of our stack. */
const DEEPEST = 1000;
const NO_PARAMETERS: ReadonlyMap<string, XValue> = new Map();

export class Transform {
  readonly program: Program;
  readonly order: Order;
  out: Builder;
  #depth = 0;
  readonly #given: ReadonlyMap<string, string>;
  readonly #globals = new Map<string, XValue | null>();
  readonly #keys = new Map<TreeNode, Map<string, Map<string, TreeNode[]>>>();
  readonly #source: TreeNode;

  constructor(program: Program, source: TreeNode, order: Order, parameters: ReadonlyMap<string, string>) {
    this.program = program;
    this.order = order;
    this.#source = source;
    this.#given = parameters;
    this.out = new Builder(order);
  }

  /** @throws TransformFailure */
  result(): TreeNode {
    for (const name of this.program.globals.keys()) this.#global(name);
    this.apply([this.#source], "", NO_PARAMETERS);
    return this.out.root;
  }

  /** Applies the best template to each node. */
  apply(nodes: readonly TreeNode[], mode: string, parameters: ReadonlyMap<string, XValue>): void {
    const size = nodes.length;
    nodes.forEach((node, i) => {
      const frame: Frame = { node, position: i + 1, size, mode, run: this, parameters, scope: null };
      const template = this.#templateFor(node, mode, frame);
      if (template !== null) this.call(template, frame);
      else this.#builtIn(frame);
    });
  }

  call({ body }: Template, frame: Frame): void {
    spend();
    if (++this.#depth > DEEPEST)
      throw new TransformFailure(`templates call each other more than ${DEEPEST} levels deep`);
    body(frame);
    this.#depth--;
  }

  #templateFor(node: TreeNode, mode: string, frame: Frame): Template | null {
    const context = contextOf(frame);
    for (const template of this.program.templates.get(mode) ?? []) {
      spend();
      if (template.pattern!.matches(node, context)) return template;
    }
    return null;
  }

  /** §5.8 */
  #builtIn({ node, mode }: Frame): void {
    if (node.kind === "root" || node.kind === "element") {
      if (++this.#depth > DEEPEST)
        throw new TransformFailure(`templates call each other more than ${DEEPEST} levels deep`);
      this.apply(node.children, mode, NO_PARAMETERS);
      this.#depth--;
    } else if (node.kind === "text" || node.kind === "attribute") this.out.text(node.value);
  }

  variable(name: string, scope: Scope | null): XValue {
    for (let at = scope; at !== null; at = at.outer) if (at.name === name) return at.value;
    return this.#global(name);
  }

  #global(name: string): XValue {
    const known = this.#globals.get(name);
    if (known !== undefined && known !== null) return known;
    const variable = this.program.globals.get(name);
    if (variable === undefined) throw new TransformFailure(`there is no variable $${name}`);
    if (known === null) throw new TransformFailure(`the variable $${name} is defined by itself`);
    this.#globals.set(name, null);
    const given = variable.isParameter ? this.#given.get(name) : undefined;
    const frame: Frame = {
      node: this.#source,
      position: 1,
      size: 1,
      mode: "",
      run: this,
      parameters: NO_PARAMETERS,
      scope: null,
    };
    const value = given ?? variable.value(frame);
    this.#globals.set(name, value);
    return value;
  }

  callNamed(name: string, args: readonly XValue[], context: XContext): XValue {
    return callFunction(name, args, context, {
      keyed: (key, value, root) => this.#keyed(key, value, root),
      decimalFormat: (format) => this.program.formats.get(format) ?? DEFAULT_FORMAT,
      failure: (message) => new TransformFailure(message),
    });
  }

  #keyed(name: string, value: string, root: TreeNode): readonly TreeNode[] {
    let byName = this.#keys.get(root);
    if (byName === undefined) this.#keys.set(root, (byName = new Map()));
    let index = byName.get(name);
    if (index === undefined) {
      const rules = this.program.keys.get(name);
      if (rules === undefined) throw new TransformFailure(`there is no key "${name}"`);
      byName.set(name, (index = new Map()));
      this.#indexNode(root, rules, index);
    }
    return index.get(value) ?? [];
  }

  #indexNode(node: TreeNode, rules: readonly KeyRule[], index: Map<string, TreeNode[]>): void {
    const frame: Frame = {
      node,
      position: 1,
      size: 1,
      mode: "",
      run: this,
      parameters: NO_PARAMETERS,
      scope: null,
    };
    const context = contextOf(frame);
    for (const { patterns, use } of rules) {
      if (!patterns.some((pattern) => pattern.matches(node, context))) continue;
      const value = evaluate(use, context);
      const texts = Array.isArray(value) ? value.map((one) => one.text) : [toText(value)];
      for (const text of texts) {
        const known = index.get(text);
        if (known === undefined) index.set(text, [node]);
        else if (known.at(-1) !== node) known.push(node);
      }
    }
    for (const attribute of node.attributes) this.#indexNode(attribute, rules, index);
    for (const child of node.children) this.#indexNode(child, rules, index);
  }

  /** What `body` writes, as a tree of its own. */
  fragment(body: Instruction, frame: Frame): TreeNode {
    const { out } = this;
    this.out = new Builder(this.order);
    try {
      body(frame);
      return this.out.root;
    } finally {
      this.out = out;
    }
  }
}

export function contextOf(frame: Frame): XContext {
  const { node, position, size, run, scope } = frame;
  return {
    node,
    position,
    size,
    current: node,
    variable: (name) => run.variable(name, scope),
    call: (name, args, context) => run.callNamed(name, args, context),
  };
}

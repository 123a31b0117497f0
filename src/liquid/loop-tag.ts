/**
 * `{% for x in list %}` over everything `elementsOf` knows, and `{% JSONArrayFor x in list %}`, which writes a comma
 * between the rounds.
 */
import {
  type Context,
  type Emitter,
  Hash,
  type Liquid,
  type Parser,
  Tag,
  type TagToken,
  type Template,
  type TopLevelToken,
  evalToken,
} from "liquidjs";
import { elementsOf, textOfValue } from "./values.ts";

export class LoopTag extends Tag {
  readonly #variable: string;
  readonly #collection: Parameters<typeof evalToken>[0];
  readonly #modifiers: Hash;
  readonly #templates: Template[] = [];
  readonly #otherwise: Template[] = [];

  constructor(token: TagToken, rest: TopLevelToken[], liquid: Liquid, parser: Parser) {
    super(token, rest, liquid);
    const variable = this.tokenizer.readIdentifier();
    const word = this.tokenizer.readIdentifier();
    const collection = this.tokenizer.readValue();
    if (variable.size() === 0 || word.content !== "in" || collection === undefined) {
      throw new Error(`${token.getText()} is not of the form {% ${token.name} x in list %}`);
    }
    this.#variable = variable.content;
    this.#collection = collection;
    this.#modifiers = new Hash(this.tokenizer, liquid.options.keyValueSeparator);
    let into = this.#templates;
    const stream = parser.parseStream(rest);
    stream
      .on("tag:else", () => void (into = this.#otherwise))
      .on(`tag:end${token.name}`, () => stream.stop())
      .on("template", (template: Template) => void into.push(template))
      .on("end", () => {
        throw new Error(`tag ${token.getText()} not closed`);
      });
    stream.start();
  }

  /** Between two rounds. */
  protected get separator(): string {
    return "";
  }

  override *render(context: Context, emitter: Emitter): Generator<unknown, void, any> {
    const { renderer } = this.liquid;
    const all = elementsOf(yield evalToken(this.#collection, context));
    context.memoryLimit.use(all.length);
    const list = chosen(all, yield this.#modifiers.render(context));
    if (list.length === 0) {
      yield renderer.renderTemplates(this.#otherwise, context, emitter);
      return;
    }
    const scope = Object.create(null) as Record<string, unknown>;
    context.push(scope);
    try {
      for (const [i, item] of list.entries()) {
        if (i > 0 && this.separator !== "") emitter.write(this.separator);
        scope[this.#variable] = item;
        scope["forloop"] = roundOf(this.#variable, i, list.length);
        context.continueCalled = context.breakCalled = false;
        yield renderer.renderTemplates(this.#templates, context, emitter);
        if (context.breakCalled) break;
      }
    } finally {
      context.continueCalled = context.breakCalled = false;
      context.pop();
    }
  }
}

export class JsonArrayForTag extends LoopTag {
  protected override get separator(): string {
    return ",";
  }
}

/** `offset`, then `limit`, then `reversed`. */
function chosen(list: unknown[], modifiers: Record<string, unknown>): unknown[] {
  const from = Math.max(0, wholeNumber(modifiers["offset"], 0));
  const count = Math.max(0, wholeNumber(modifiers["limit"], list.length));
  const part = from === 0 && count >= list.length ? list : list.slice(from, from + count);
  return modifiers["reversed"] === undefined ? part : part.toReversed();
}

function wholeNumber(value: unknown, otherwise: number): number {
  const number = value === undefined || value === null ? Number.NaN : Number(textOfValue(value));
  return Number.isFinite(number) ? Math.trunc(number) : otherwise;
}

function roundOf(name: string, index0: number, length: number): object {
  return Object.assign(Object.create(null), {
    name,
    length,
    index0,
    index: index0 + 1,
    rindex: length - index0,
    rindex0: length - index0 - 1,
    first: index0 === 0,
    last: index0 === length - 1,
  });
}

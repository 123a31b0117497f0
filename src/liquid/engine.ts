/**
 * Liquid as `set-body` speaks it: DotLiquid in C# naming mode, on top of liquidjs with everything taken out that could
 * reach files or JavaScript. Templates come from policy authors, but the data comes from callers and backends, so all
 * reading goes through `member` (`values.ts`) and everything that can grow has a limit.
 */
import {
  Context,
  type Emitter,
  Liquid,
  LiquidError,
  type Operators,
  type Template,
  defaultOperators,
} from "liquidjs";
import { ClientGone, GatewayError, expressionFailed } from "../gateway/errors.ts";
import type { Exchange } from "../gateway/exchange.ts";
import type { Message } from "../gateway/message.ts";
import { filters, suggestFilter } from "./filters.ts";
import { JsonArrayForTag, LoopTag } from "./loop-tag.ts";
import { type InputOptions, scopeOf } from "./scope.ts";
import { Entry, elementsOf, member, textOfValue } from "./values.ts";

export interface LiquidTemplate {
  /** The text speaks of `body`, so it must be in memory. */
  readonly usesBody: boolean;
  /** @throws GatewayError `ExpressionValueEvaluationFailure` */
  render(exchange: Exchange, message: Message, options: InputOptions): string;
}

export type ParsedTemplate =
  | { readonly ok: true; readonly template: LiquidTemplate }
  /** `line` and `column` count from 1, in the template's own text. */
  | { readonly ok: false; readonly message: string; readonly line: number; readonly column: number };

/** Characters of output, and of one `capture`. */
const MOST_OUTPUT = 10 * 1024 * 1024;
/** Ms for one rendering. */
const MOST_TIME_MS = 500;
/** Characters and elements that filters and loops may go through in one rendering. */
const MOST_WORK = 64 * 1024 * 1024;
/** Blocks inside blocks. */
const MOST_DEPTH = 100;

/** Those that read files, or that DotLiquid does not have. */
const ABSENT_TAGS = ["include", "render", "layout", "block", "liquid", "echo", "tablerow", "#"];

const engine = createEngine();

function createEngine(): Liquid {
  const liquid = new Liquid({
    templates: {},
    ownPropertyOnly: true,
    strictFilters: true,
    relativeReference: false,
    dynamicPartials: false,
    renderLimit: MOST_TIME_MS,
    memoryLimit: MOST_WORK,
    operators: operators(),
  });
  for (const name of ABSENT_TAGS) delete liquid.tags[name];
  for (const name of Object.keys(liquid.filters)) delete liquid.filters[name];
  for (const [name, filter] of filters) liquid.registerFilter(name, filter);
  liquid.registerTag("for", LoopTag);
  liquid.registerTag("JSONArrayFor", JsonArrayForTag);
  const { renderer } = liquid;
  const render = renderer.renderTemplates.bind(renderer);
  renderer.renderTemplates = (templates, context, emitter) =>
    render(templates, context, emitter ?? new BoundedOutput());
  return liquid;
}

/** DotLiquid's operators; in C# naming mode each word also begins with a capital. */
function operators(): Operators {
  const added: Operators = {
    ...defaultOperators,
    "<>": defaultOperators["!="]!,
    contains: (left: unknown, right: unknown) => contains(left, right),
    startsWith: (left: unknown, right: unknown) => edge(left, right, true),
    endsWith: (left: unknown, right: unknown) => edge(left, right, false),
    hasKey: (left: unknown, right: unknown) => member(left, right) !== undefined,
    hasValue: (left: unknown, right: unknown) => elementsOf(left).some((item) => same(item, right)),
  };
  for (const name of ["contains", "startsWith", "endsWith", "hasKey", "hasValue"]) {
    added[name[0]!.toUpperCase() + name.slice(1)] = added[name]!;
  }
  return added;
}

function contains(left: unknown, right: unknown): boolean {
  if (typeof left === "string") return left.includes(textOfValue(right));
  return elementsOf(left).some((item) => same(item, right));
}

function same(item: unknown, wanted: unknown): boolean {
  return (item instanceof Entry ? item.value : item) === wanted;
}

function edge(left: unknown, right: unknown, atStart: boolean): boolean {
  if (typeof left === "string") {
    const text = textOfValue(right);
    return atStart ? left.startsWith(text) : left.endsWith(text);
  }
  const list = elementsOf(left);
  return list.length > 0 && (atStart ? list[0] : list.at(-1)) === right;
}

/** Where output goes: in .NET's words, and not without end. */
class BoundedOutput implements Emitter {
  buffer = "";
  write(value: unknown): void {
    this.buffer += typeof value === "string" ? value : textOfValue(value);
    if (this.buffer.length > MOST_OUTPUT)
      throw new Error(`the output is longer than ${MOST_OUTPUT} characters`);
  }
}

class TemplateContext extends Context {
  override readProperty(object: unknown, key: unknown): unknown {
    return member(object, key);
  }
}

/** Never throws. */
export function parseTemplate(source: string): ParsedTemplate {
  const tooDeep = firstTooDeep(source);
  if (tooDeep !== null)
    return { ok: false, message: `blocks are nested deeper than ${MOST_DEPTH}`, ...tooDeep };
  let templates: Template[];
  try {
    templates = engine.parse(source);
  } catch (error) {
    return { ok: false, ...mistakeOf(error) };
  }
  const usesBody = /\bbody\b/.test(source);
  return { ok: true, template: { usesBody, render: (...args) => render(templates, ...args) } };
}

function render(templates: Template[], exchange: Exchange, message: Message, options: InputOptions): string {
  try {
    const scope = scopeOf(exchange, message, options);
    const context = new TemplateContext(scope, engine.options, { sync: true }, { liquid: engine });
    return String(engine.renderSync(templates, context));
  } catch (error) {
    if (error instanceof GatewayError || error instanceof ClientGone) throw error;
    const { message: reason, line } = mistakeOf(error);
    throw expressionFailed(
      "set-body",
      `Liquid: ${reason}${line > 0 ? ` (line ${line} of the template)` : ""}.`,
      error,
    );
  }
}

/** What went wrong and where; liquidjs writes the place into the message, we keep it apart. */
function mistakeOf(error: unknown): { message: string; line: number; column: number } {
  if (!LiquidError.is(error))
    return { message: error instanceof Error ? error.message : String(error), line: 0, column: 0 };
  const { token, message } = error as LiquidError & { readonly token?: { getPosition(): number[] } };
  const [line = 0, column = 0] = token?.getPosition() ?? [];
  const bare = message.replace(/, line:\d+, col:\d+$/, "");
  const filter = /^undefined filter: (.*)$/.exec(bare);
  return { message: filter === null ? bare : unknownFilter(filter[1]!), line, column };
}

function unknownFilter(name: string): string {
  const likely = suggestFilter(name);
  return `there is no filter "${name}"${likely === null ? "" : `; did you mean "${likely}"?`}`;
}

/** The parser recurses per block, so depth is looked at before it runs. */
function firstTooDeep(source: string): { line: number; column: number } | null {
  let depth = 0;
  for (const tag of source.matchAll(
    /\{%-?\s*(end)?(if|unless|for|case|capture|comment|raw|JSONArrayFor)\b/g,
  )) {
    depth += tag[1] === undefined ? 1 : -1;
    if (depth <= MOST_DEPTH) continue;
    const before = source.slice(0, tag.index).split("\n");
    return { line: before.length, column: before.at(-1)!.length + 1 };
  }
  return null;
}

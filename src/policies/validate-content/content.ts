/** One body against one `content` rule. */
import { beginEvaluation, spend } from "../../compiler/runtime/budget.ts";
import { NetException } from "../../compiler/runtime/errors.ts";
import { bodyText, bodyXml } from "../../compiler/runtime/library/context-body.ts";
import { readJson } from "../../compiler/runtime/library/json/reader.ts";
import { BODY_LIMITS, MOST_JSON_DEPTH } from "../../gateway/body-limits.ts";
import type { Body } from "../../gateway/body.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import { runInSlices } from "../../gateway/slices.ts";
import type { BodyRule, SchemaUse, StoredSchema } from "../../gateway/snapshot.ts";
import { foldNames } from "../../validation/dialect.ts";
import { type Action, type Finding, type Side, schemaFault } from "../../validation/findings.ts";
import { type Missing, schemaFor } from "../../validation/json-schema.ts";
import { placeOf, tooMuchJson } from "../../validation/json-text.ts";
import { xmlShapeMistake } from "../../validation/xml-schema/shape.ts";
import { checkXmlSchema } from "../../validation/xml-schema/xml-schema.ts";

export interface ContentRule {
  /** Bare, lower case; empty: every described one. */
  readonly type: string;
  readonly validateAs: "json" | "xml" | "soap";
  readonly schemaId: string | undefined;
  readonly schemaRef: string | undefined;
  readonly additionalProperties: boolean | null;
  readonly foldNames: boolean;
}

export interface Subject {
  readonly side: Side;
  readonly body: Body;
}

export function unspecifiedType({ side }: Subject, type: string, action: Action): Finding {
  const details = `Unspecified content type ${type} is not allowed.`;
  return { name: type, type: bodyOf(side), rule: "Unspecified", details, shown: details, action };
}

function bodyOf(side: Side): "RequestBody" | "ResponseBody" {
  return side === "request" ? "RequestBody" : "ResponseBody";
}

/** @returns what is wrong, or null; only long XML and what is held against an XML Schema is waited for */
export function checkContent(
  exchange: Exchange,
  subject: Subject,
  type: string,
  rule: ContentRule,
  described: BodyRule | null,
  action: Action,
): Finding | null | Promise<Finding | null> {
  const say = new Wording(subject, type, action);
  const stored = exchange.snapshot.schemas;
  try {
    beginEvaluation(BODY_LIMITS);
    if (rule.validateAs === "json") return checkJson(bodyText(subject.body), rule, described, stored, say);
    const text = bodyXml(subject.body);
    const isSoap = rule.validateAs === "soap";
    if (rule.schemaId !== undefined) return checkWithSchema(exchange, text, isSoap, rule.schemaId, say);
    const found = runInSlices(xmlShapeMistake(text, isSoap, spend));
    const told = (mistake: Place | null): Finding | null =>
      mistake === null ? null : say.mismatch("", mistake);
    return found instanceof Promise ? found.then(told, (error) => say.failed(error)) : told(found);
  } catch (error) {
    return say.failed(error);
  }
}

interface Place {
  readonly error: string;
  /** From 1. */
  readonly line: number;
  readonly position: number;
}

/** Findings in the product's words. */
class Wording {
  readonly #side: Side;
  readonly #type: string;
  readonly #action: Action;

  constructor({ side }: Subject, type: string, action: Action) {
    this.#side = side;
    this.#type = type;
    this.#action = action;
  }

  /** @param definition empty when it has no name */
  mismatch(definition: string, { error, line, position }: Place): Finding {
    const named = definition === "" ? "" : ` ${definition},`;
    return this.#finding(
      "IncorrectMessage",
      `Body of the ${this.#side} does not conform to the definition${named} which is associated with the content type ${this.#type}. ${error} Line: ${line}, Position: ${position}`,
      true,
    );
  }

  noDefinition(definition: string): Finding {
    return this.#finding(
      "MissingDefinition",
      `API's schema does not contain definition ${definition}, which is associated with the content type ${this.#type}.`,
      false,
    );
  }

  unusable(what: Missing, { name, pointer }: SchemaUse): Finding {
    return what === "definition" ? this.noDefinition(name || pointer) : schemaFault(what, this.#action);
  }

  noSchema(): Finding {
    return schemaFault("schema", this.#action);
  }

  failed(error: unknown): Finding {
    const reason = error instanceof Error ? error.message : String(error);
    return this.#finding(
      "ValidationException",
      `Body of the ${this.#side} cannot be validated for the content type ${this.#type}. ${reason}`,
      false,
    );
  }

  #finding(rule: Finding["rule"], details: string, isShown: boolean): Finding {
    const shown = isShown ? details : null;
    return { name: this.#type, type: bodyOf(this.#side), rule, details, shown, action: this.#action };
  }
}

function checkJson(
  text: string,
  rule: ContentRule,
  described: BodyRule | null,
  stored: ReadonlyMap<string, StoredSchema>,
  say: Wording,
): Finding | null {
  const use = schemaOf(rule, described, stored);
  const definition = use?.name ?? "";
  const compiled = use === null ? null : schemaFor(use, stored, rule);
  if (compiled !== null && !compiled.ok) return say.unusable(compiled.what, use!);
  const tooMuch = tooMuchJson(text);
  if (tooMuch !== null) return say.mismatch(definition, { error: tooMuch, line: 1, position: 1 });
  const read = parse(text);
  if (!read.ok) return say.mismatch(definition, read);
  const mistake = compiled?.check(rule.foldNames ? foldNames(read.value) : read.value) ?? null;
  if (mistake === null) return null;
  return say.mismatch(definition, {
    error: mistake.text,
    ...placeOf(text, mistake.path, rule.foldNames),
  });
}

/** Against a stored XML Schema. */
async function checkWithSchema(
  { snapshot, services }: Exchange,
  text: string,
  isSoap: boolean,
  schemaId: string,
  say: Wording,
): Promise<Finding | null> {
  const name = nameOf(schemaId);
  const stored = snapshot.schemas;
  if (stored.get(name)?.type !== "xml") return say.noSchema();
  try {
    const verdict = await checkXmlSchema({ name, stored }, text, isSoap, services.clock);
    if (verdict.kind === "valid") return null;
    if (verdict.kind === "invalid") return say.mismatch(name, verdict);
    services.log({
      level: "error",
      msg: "XML Schema cannot be used",
      schema: name,
      error: verdict.cause,
    });
    return say.noSchema();
  } catch (error) {
    return say.failed(error);
  }
}

/** `/schemas/Order` and `Order` are the same; in lower case. */
function nameOf(schemaId: string): string {
  return schemaId.slice(schemaId.lastIndexOf("/") + 1).toLowerCase();
}

/** The stored schema that the rule names, else the description's; null: any content will do. */
function schemaOf(
  rule: ContentRule,
  described: BodyRule | null,
  stored: ReadonlyMap<string, StoredSchema>,
): SchemaUse | null {
  if (rule.schemaId === undefined) return described?.schema ?? null;
  const document = stored.get(nameOf(rule.schemaId))?.document ?? null;
  const pointer =
    rule.schemaRef === undefined || rule.schemaRef === ""
      ? "#"
      : rule.schemaRef.startsWith("#")
        ? rule.schemaRef
        : `#${rule.schemaRef}`;
  return {
    document,
    pointer: pointer === "#/" ? "#" : pointer,
    name: pointer.slice(pointer.lastIndexOf("/") + 1).replace("#", ""),
  };
}

type Parsed =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: string; readonly line: number; readonly position: number };

function parse(text: string): Parsed {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    return { ok: false, ...whyNoJson(text) };
  }
}

/** In Newtonsoft's words and with its place. What it would let pass (comments, single quotes) is refused all the same. */
function whyNoJson(text: string): { error: string; line: number; position: number } {
  try {
    readJson(text, "JToken", { dates: false, maxDepth: MOST_JSON_DEPTH });
  } catch (error) {
    if (!(error instanceof NetException)) throw error;
    const found = /^(.*) Path '.*', line (\d+), position (\d+)\.$/s.exec(error.message);
    if (found !== null) return { error: found[1]!, line: Number(found[2]), position: Number(found[3]) };
  }
  return { error: "It is not valid JSON.", line: 1, position: 1 };
}

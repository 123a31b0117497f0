/** One body against one `content` rule. */
import { XmlMistake, type XmlTag, readXmlEvents } from "../../base/xml-events.ts";
import { beginEvaluation, spend } from "../../compiler/runtime/budget.ts";
import { NetException } from "../../compiler/runtime/errors.ts";
import { bodyText } from "../../compiler/runtime/library/context-body.ts";
import { readJson } from "../../compiler/runtime/library/json/reader.ts";
import { BODY_LIMITS, MOST_JSON_DEPTH, MOST_XML_DEPTH } from "../../gateway/body-limits.ts";
import type { Body } from "../../gateway/body.ts";
import type { BodyRule, SchemaUse, StoredSchema } from "../../gateway/snapshot.ts";
import { foldNames } from "../../validation/dialect.ts";
import type { Action, Finding, Side } from "../../validation/findings.ts";
import { schemaFor } from "../../validation/json-schema.ts";
import { placeOf, tooMuchJson } from "../../validation/json-text.ts";

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

/** @returns what is wrong, or null */
export function checkContent(
  subject: Subject,
  type: string,
  rule: ContentRule,
  described: BodyRule | null,
  stored: ReadonlyMap<string, StoredSchema>,
  action: Action,
): Finding | null {
  const { side } = subject;
  const finding = (kind: Finding["rule"], details: string, isShown: boolean, name = type): Finding => ({
    name,
    type: bodyOf(side),
    rule: kind,
    details,
    shown: isShown ? details : null,
    action,
  });
  const use = schemaOf(rule, described, stored);
  const definition = use === null || use.name === "" ? "" : ` ${use.name},`;
  const mismatch = (error: string, line: number, position: number): Finding =>
    finding(
      "IncorrectMessage",
      `Body of the ${side} does not conform to the definition${definition} which is associated with the content type ${type}. ${error} Line: ${line}, Position: ${position}`,
      true,
    );
  try {
    beginEvaluation(BODY_LIMITS);
    const text = bodyText(subject.body);
    if (rule.validateAs !== "json") return checkXml(text, rule.validateAs === "soap", mismatch);
    const compiled = use === null ? null : schemaFor(use, stored, rule);
    if (compiled !== null && !compiled.ok) {
      return compiled.what === "definition"
        ? finding(
            "MissingDefinition",
            `API's schema does not contain definition ${use!.name || use!.pointer}, which is associated with the content type ${type}.`,
            false,
          )
        : finding("ApiSchema", "API's schema does not exist or it could not be resolved.", false, "");
    }
    const tooMuch = tooMuchJson(text);
    if (tooMuch !== null) return mismatch(tooMuch, 1, 1);
    const read = parse(text);
    if (!read.ok) return mismatch(read.error, read.line, read.position);
    const mistake = compiled?.check(rule.foldNames ? foldNames(read.value) : read.value) ?? null;
    if (mistake === null) return null;
    const { line, position } = placeOf(text, mistake.path, rule.foldNames);
    return mismatch(mistake.text, line, position);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return finding(
      "ValidationException",
      `Body of the ${side} cannot be validated for the content type ${type}. ${reason}`,
      false,
    );
  }
}

/** The stored schema that the rule names, else the description's; null: any content will do. */
function schemaOf(
  rule: ContentRule,
  described: BodyRule | null,
  stored: ReadonlyMap<string, StoredSchema>,
): SchemaUse | null {
  if (rule.schemaId === undefined) return described?.schema ?? null;
  const name = rule.schemaId.slice(rule.schemaId.lastIndexOf("/") + 1);
  const document = stored.get(name.toLowerCase())?.document ?? null;
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

const SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/";
const SOAP_12 = "http://www.w3.org/2003/05/soap-envelope";

/** Well-formed; for SOAP, an envelope with one body. */
function checkXml(
  text: string,
  isSoap: boolean,
  mismatch: (error: string, line: number, position: number) => Finding,
): Finding | null {
  let depth = 0;
  let envelope: XmlTag | null = null;
  let bodies = 0;
  try {
    readXmlEvents(text, MOST_XML_DEPTH, {
      open: (tag) => {
        spend();
        if (depth === 0) envelope = tag;
        else if (depth === 1 && tag.local === "Body" && tag.uri === envelope?.uri) bodies++;
        depth++;
      },
      close: () => depth--,
      text: () => {},
    });
  } catch (error) {
    if (error instanceof XmlMistake) return mismatch(error.message, error.line, error.position);
    throw error;
  }
  if (!isSoap) return null;
  const root = envelope as XmlTag | null;
  if (root === null || root.local !== "Envelope" || (root.uri !== SOAP_11 && root.uri !== SOAP_12))
    return mismatch("The root element is not a SOAP envelope.", 1, 1);
  return bodies === 1 ? null : mismatch("The SOAP envelope has no single Body.", 1, 1);
}

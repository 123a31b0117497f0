/**
 * What validation policies find, and what becomes of it: a list for the variable that the author named, and an error
 * when an action says `prevent` (`policies.md` 45–48).
 */
import { type Raw } from "../compiler/runtime/library/json/raw.ts";
import { tokenOf } from "../compiler/runtime/library/json/token.ts";
import { GatewayError } from "../gateway/errors.ts";
import type { Exchange } from "../gateway/exchange.ts";

export const ACTIONS = ["ignore", "prevent", "detect"] as const;
export type Action = (typeof ACTIONS)[number];

export type Side = "request" | "response";

export interface Finding {
  /** Parameter, header, content type or status code; empty when there is none. */
  readonly name: string;
  readonly type:
    | "RequestBody"
    | "ResponseBody"
    | "QueryParameter"
    | "PathParameter"
    | "RequestHeader"
    | "ResponseHeader"
    | "StatusCode"
    | "ApiSchema";
  readonly rule:
    | ""
    | "SizeLimit"
    | "Unspecified"
    | "MissingDefinition"
    | "IncorrectMessage"
    | "ValidationException"
    | "ValidationError";
  readonly details: string;
  /** What the client reads; null: that something inside is wrong. */
  readonly shown: string | null;
  readonly action: Action;
}

/** What a client reads of a wrong response, and of faults that are not its own. */
export const GENERIC = "The request could not be processed due to an internal error. Contact the API owner.";

/** The description itself is at fault, not what is held against it. */
export function schemaFault(what: "schema" | "definitions", action: Action): Finding {
  const details =
    what === "definitions"
      ? "API's schema does not specify definitions."
      : "API's schema does not exist or it could not be resolved.";
  return { name: "", type: "ApiSchema", rule: "", details, shown: null, action };
}

/**
 * An action as an expression gave it.
 *
 * @throws GatewayError for any other word
 */
export function actionOf(text: string, element: string): Action {
  const action = ACTIONS.find((one) => one === text.trim().toLowerCase());
  if (action !== undefined) return action;
  const message = `"${text}" is not an action; allowed: ${ACTIONS.join(", ")}.`;
  throw new GatewayError({ source: element, reason: "InvalidAction", message, status: 500 });
}

/**
 * Notes findings in the variable (if there is one) and in the trace.
 *
 * @param findings without those whose action is `ignore`
 * @throws GatewayError 400 or 502 when one of them prevents
 */
export function settle(
  exchange: Exchange,
  element: string,
  side: Side,
  variable: string | undefined,
  findings: readonly Finding[],
): void {
  if (findings.length === 0) return;
  if (variable !== undefined && variable !== "")
    exchange.variables.set(variable, tokenOf(findings.map(rawOf)));
  for (const { details, action } of findings) exchange.remark(element, `${details} (${action})`);
  const first = findings.find(({ action }) => action === "prevent");
  if (first === undefined) return;
  throw new GatewayError({
    source: element,
    reason: side === "request" ? "Bad request" : "Response not allowed",
    message: first.details,
    status: side === "request" ? 400 : 502,
    clientMessage: side === "request" ? (first.shown ?? GENERIC) : GENERIC,
    code: "validation_failed",
  });
}

function rawOf({ name, type, rule, details, action }: Finding): Raw {
  return new Map([
    ["Name", name],
    ["Type", type],
    ["ValidationRule", rule],
    ["Details", details],
    ["Action", action],
  ]);
}

/** Whether a finding prevents: then nothing more is looked at. */
export function prevents(findings: readonly Finding[]): boolean {
  return findings.some(({ action }) => action === "prevent");
}

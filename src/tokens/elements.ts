/** What the elements that validate tokens have in common: their attributes and children, and how those are read. */
import type { Value } from "../compiler/policy.ts";
import type { HostContext } from "../compiler/runtime/host.ts";
import type { Jwt } from "../compiler/runtime/library/credentials.ts";
import { GatewayError } from "../gateway/errors.ts";
import type { Exchange } from "../gateway/exchange.ts";
import type { Args, Outcome } from "../gateway/policy.ts";
import { parseQuery } from "../gateway/url.ts";
import { TokenFailure } from "./failure.ts";
import { readBase64, rsaKey } from "./keys.ts";
import type { WrittenKey } from "./shelf.ts";
import { type TokenRules, validateToken } from "./validate.ts";

/** Where the token is, and what happens when it is not good. */
export const TOKEN_ATTRIBUTES = {
  "header-name": { type: "string", expression: true, doc: "Header that holds the token." },
  "query-parameter-name": { type: "string", expression: true, doc: "Query parameter that holds the token." },
  "token-value": { type: "nullable-string", expression: true, doc: "The token itself." },
  "failed-validation-httpcode": {
    type: "int",
    expression: true,
    default: 401,
    min: 200,
    max: 999,
    doc: "Status of the refusal.",
  },
  "failed-validation-error-message": {
    type: "string",
    expression: true,
    doc: "Message of the refusal; by default it says whether there was a token.",
  },
  "output-token-variable-name": {
    type: "string",
    doc: "Variable that gets the token as a Jwt when it is valid.",
  },
} as const;

export const AUDIENCES = {
  max: 1,
  children: {
    audience: {
      min: 1,
      text: { type: "string", expression: true, required: true },
      doc: "An aud that is accepted.",
    },
  },
} as const;

export const REQUIRED_CLAIMS = {
  max: 1,
  children: {
    claim: {
      min: 1,
      attributes: {
        name: { type: "string", expression: true, required: true, doc: "Name of the claim." },
        match: {
          type: "string",
          expression: true,
          oneOf: ["all", "any"],
          default: "all",
          doc: "all: every value listed must be there; any: one of them.",
        },
        separator: {
          type: "string",
          expression: true,
          trim: false,
          doc: "Splits the claim's text into values.",
        },
      },
      children: { value: { text: { type: "string", expression: true }, doc: "A value." } },
    },
  },
} as const;

type TokenAttributes = Args<{ attributes: typeof TOKEN_ATTRIBUTES }>["attributes"];
type Audiences = Args<typeof AUDIENCES>;
type RequiredClaims = Args<typeof REQUIRED_CLAIMS>;

// ── The step ──────────────────────────────────────────────────────────────────────────────────────────────────────

export interface TokenStep {
  readonly source: string;
  readonly attributes: TokenAttributes;
  /** The scheme that `Authorization` must have. */
  readonly scheme: Value<string> | undefined;
  readonly rules: TokenRules;
}

/** Runs the validation for one exchange. @throws GatewayError, at once or in the promise */
export function runTokenStep(step: TokenStep, exchange: Exchange): Outcome | Promise<Outcome> {
  try {
    const token = findToken(exchange, step);
    if (token === "") throw new TokenFailure("TokenNotPresent", "JWT not present.");
    const found = validateToken(exchange, token, step.rules);
    if (!(found instanceof Promise)) return accept(step, exchange, found);
    return found.then(
      (jwt) => accept(step, exchange, jwt),
      (error: unknown) => {
        throw refusal(step, exchange, error);
      },
    );
  } catch (error) {
    throw refusal(step, exchange, error);
  }
}

function accept({ attributes }: TokenStep, exchange: Exchange, jwt: Jwt): void {
  const variable = attributes["output-token-variable-name"];
  if (variable !== undefined) exchange.variables.set(variable, jwt);
}

/** Anything but a TokenFailure goes on as it is. */
function refusal({ source, attributes }: TokenStep, { context }: Exchange, error: unknown): unknown {
  if (!(error instanceof TokenFailure)) return error;
  return new GatewayError({
    source,
    reason: error.reason,
    message: error.message,
    status: attributes["failed-validation-httpcode"](context),
    clientMessage:
      attributes["failed-validation-error-message"]?.(context) ??
      (error.reason === "TokenNotPresent" ? "JWT not present." : "Invalid JWT."),
    cause: error.cause,
  });
}

/** Empty when there is none. Several are one text, as .NET joins them, and no token has a comma. */
function findToken({ request, context }: Exchange, { attributes, scheme }: TokenStep): string {
  const { "header-name": header, "query-parameter-name": parameter, "token-value": value } = attributes;
  if (value !== undefined) return withoutBearer((value(context) ?? "").trim());
  if (parameter !== undefined) {
    const wanted = parameter(context).toLowerCase();
    const found = parseQuery(request.query).entries.filter(([name]) => name.toLowerCase() === wanted);
    return withoutBearer(decode(found.map(([, one]) => one).join(",")).trim());
  }
  const name = header === undefined ? "Authorization" : header(context).trim();
  const text = (request.headers.getAll(name)?.join(",") ?? "").trim();
  if (name.toLowerCase() !== "authorization") return withoutBearer(text);
  const at = text.indexOf(" ");
  const given = at < 0 ? "" : text.slice(0, at);
  const required = scheme?.(context).trim() ?? "";
  if (required !== "" && given.toLowerCase() !== required.toLowerCase()) return "";
  // A scheme and nothing behind it is no token.
  if (at < 0 && !text.includes(".")) return "";
  return text.slice(at + 1).trim();
}

function withoutBearer(text: string): string {
  return /^bearer\s/i.test(text) ? text.slice(7).trim() : text;
}

function decode(text: string): string {
  if (!/[%+]/.test(text)) return text;
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
}

// ── Sets and claims ───────────────────────────────────────────────────────────────────────────────────────────────

/** Values as a set: made once when none of them depends on the request. */
export function setOf(values: readonly Value<string>[]): (context: HostContext) => ReadonlySet<string> {
  if (values.some((value) => !value.isConstant))
    return (context) => new Set(values.map((value) => value(context)));
  const fixed: ReadonlySet<string> = new Set(values.map((value) => value.constant!));
  return () => fixed;
}

export function audiencesOf(elements: readonly Audiences[]): TokenRules["audiences"] {
  if (elements.length === 0) return null;
  return setOf(elements.flatMap(({ children }) => children.audience.map(({ text }) => text)));
}

/** All claims that are missing are named at once; then the first whose values do not fit. */
export function claimsChecker(elements: readonly RequiredClaims[]): TokenRules["checkClaims"] {
  const wanted = elements.flatMap(({ children }) => children.claim);
  if (wanted.length === 0) return () => {};
  return (jwt, context) => {
    let missing: string[] | null = null;
    for (const { attributes } of wanted) {
      const name = attributes.name(context);
      if ((jwt.claims.get(name)?.length ?? 0) === 0) (missing ??= []).push(name);
    }
    if (missing !== null) {
      throw new TokenFailure(
        "TokenClaimNotFound",
        `JWT token is missing the following claims: ${missing.join(", ")}. Access denied.`,
      );
    }
    for (const claim of wanted) checkClaim(claim, jwt, context);
  };
}

type Claim = RequiredClaims["children"]["claim"][number];

function checkClaim({ attributes, children }: Claim, jwt: Jwt, context: HostContext): void {
  if (children.value.length === 0) return;
  const name = attributes.name(context);
  const separator = attributes.separator?.(context) ?? "";
  const values = jwt.claims.get(name)!;
  const given = separator === "" ? values : values.flatMap((value) => value.split(separator));
  const isGiven = ({ text }: { readonly text: Value<string> | undefined }): boolean =>
    given.includes(text?.(context) ?? "");
  const fits =
    attributes.match(context).toLowerCase() === "any"
      ? children.value.some(isGiven)
      : children.value.every(isGiven);
  if (!fits) throw claimNotAllowed(name, values);
}

export function claimNotAllowed(name: string, values: readonly string[]): TokenFailure {
  const shown = values.join(",");
  const value = shown.length > 500 ? `${shown.slice(0, 500)}…` : shown;
  return new TokenFailure(
    "TokenClaimValueNotAllowed",
    `Claim ${name} value of ${value} is not allowed. Access denied.`,
  );
}

// ── Keys ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A `key` element as its shape gives it. */
export interface KeyArgs {
  readonly attributes: {
    readonly id?: string;
    readonly "certificate-id"?: string;
    readonly n?: string;
    readonly e?: string;
  };
  readonly text?: Value<string> | undefined;
}

/** Its one form. Null when it has none or several; `keyMistake` has said so then. */
export function writtenKey({ attributes, text }: KeyArgs): WrittenKey | null {
  const { id = null, "certificate-id": certificateId, n, e } = attributes;
  if (certificateId !== undefined) return { kind: "certificate", id, certificateId };
  if (n !== undefined && e !== undefined) return { kind: "rsa", id, n, e };
  return text === undefined ? null : { kind: "secret", id, text };
}

/** What is wrong with it, as far as that can be known without a request. */
export function keyMistake({ attributes, text }: KeyArgs): string | null {
  const { "certificate-id": certificateId, n, e } = attributes;
  if ((n === undefined) !== (e === undefined)) return "n and e go together";
  const forms = [certificateId !== undefined, n !== undefined, text !== undefined && text.constant !== ""];
  if (forms.filter(Boolean).length !== 1)
    return "a key is one of: its Base64 text, certificate-id, or n and e";
  if (n !== undefined && e !== undefined && !isOpen(n + e) && rsaKey(n, e, null) === null) {
    return "n and e are not an RSA key of at least 2048 bits in base64url";
  }
  if (text?.isConstant === true && !isOpen(text.constant!)) {
    const bytes = readBase64(text.constant!);
    if (bytes === null) return "the key is not Base64";
    if (bytes.length < 16) return "the key is shorter than 128 bits";
  }
  return null;
}

/** A place that a tool fills in later. */
function isOpen(text: string): boolean {
  return text.includes("{");
}

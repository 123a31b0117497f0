import { editBody, setBytes } from "../../gateway/body-edit.ts";
import type { Body } from "../../gateway/body.ts";
import { GatewayError } from "../../gateway/errors.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import { definePolicy } from "../../gateway/policy.ts";
import { noteSafety } from "../../gateway/safety/noted-action.ts";
import { PERSONAL_KINDS } from "../../guards/detectors/personal-data.ts";
import {
  MASK_KINDS,
  type MaskKind,
  type MaskRules,
  type Masked,
  maskRequest,
  maskText,
} from "../../guards/masking/mask.ts";
import { DEFAULT_FORM, badForm } from "../../guards/masking/placeholders.ts";
import { restoreReply } from "./restore.ts";

const ELEMENT = "llm-mask-personal-data";
const DIGESTS = ["content-md5", "digest", "content-digest", "repr-digest"];

interface Rules extends MaskRules {
  readonly restores: boolean;
  readonly denies: boolean;
}

/**
 * Ours. Models see placeholders such as `<EMAIL_1>` where the caller wrote personal data, and the caller sees what it wrote:
 * in the answer the placeholders are restored, in streams and tool arguments, too. Policies behind it, logs and caches see
 * placeholders only. What cannot be looked into is refused unless `on-error` says `allow`.
 */
export const llmMaskPersonalData = definePolicy({
  element: ELEMENT,
  summary:
    "Puts placeholders in the place of personal data in requests to models, and restores it in their answers.",
  sections: ["inbound"],
  shape: {
    attributes: {
      kinds: {
        type: "string",
        doc: `What is masked, separated by blanks or commas: ${MASK_KINDS.join(", ")}. Default: all but secret.`,
      },
      restore: { type: "bool", default: true, doc: "Put the values back into the answer." },
      placeholder: {
        type: "string",
        default: DEFAULT_FORM,
        doc: "What stands for a value: {kind} is EMAIL, PHONE, …, {n} counts the values of a kind within the request.",
      },
      "on-error": {
        type: "string",
        oneOf: ["deny", "allow"],
        default: "deny",
        doc: "What becomes of a body that cannot be looked into: multipart, a coding or charset that nobody here knows; and of WebSocket sessions.",
      },
    },
  },
  check: ({ attributes: { kinds, placeholder } }, report) => {
    if (kinds !== undefined && kindsIn(kinds).length === 0)
      report(
        "nothing would be masked: `kinds` names none",
        { attribute: "kinds" },
        `name some, or leave it out for all: ${MASK_KINDS.join(", ")}`,
      );
    for (const kind of kindsIn(kinds ?? ""))
      if (!(MASK_KINDS as readonly string[]).includes(kind))
        report(
          `there is no kind \`${kind}\``,
          { attribute: "kinds", value: true },
          `known are ${MASK_KINDS.join(", ")}`,
        );
    const wrong = badForm(placeholder);
    if (wrong !== null) report(`this is no placeholder: ${wrong}`, { attribute: "placeholder", value: true });
  },
  prepare: ({ attributes: { kinds, restore, placeholder, "on-error": onError } }) => {
    const rules: Rules = {
      kinds: kinds === undefined ? PERSONAL_KINDS : (kindsIn(kinds) as MaskKind[]),
      form: placeholder,
      restores: restore,
      denies: onError !== "allow",
    };
    return (exchange) => mask(exchange, rules);
  },
});

function kindsIn(text: string): string[] {
  return text.split(/[\s,]+/).filter((kind) => kind !== "");
}

function mask(exchange: Exchange, rules: Rules): void | Promise<void> {
  const { request } = exchange;
  // What a session will say nobody looks into.
  if (exchange.incoming.upgrade && exchange.api?.type === "websocket")
    return notMasked(exchange, rules, "A WebSocket session");
  if (request.body === null || request.body.consumed) return;
  let readable: Body | null = null;
  const waiting = editBody(exchange, request, ELEMENT, (body) => void (readable = body));
  return waiting === undefined
    ? maskBody(exchange, readable, rules)
    : waiting.then(() => maskBody(exchange, readable, rules));
}

function maskBody(exchange: Exchange, body: Body | null, rules: Rules): void | Promise<void> {
  const text = body === null ? null : textOf(body);
  if (text === "") return;
  const masked = text === null ? null : maskedText(exchange, text, rules);
  if (masked === null) return notMasked(exchange, rules);
  return masked instanceof Promise
    ? masked.then((done) => put(exchange, done, rules))
    : put(exchange, masked, rules);
}

/** null: in a charset that is not read here. */
function textOf(body: Body): string | null {
  if (body.charset !== null && !/^(?:utf-?8|us-ascii|ascii)$/.test(body.charset)) return null;
  const bytes = body.bytes();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

function maskedText(exchange: Exchange, text: string, rules: Rules): Masked | Promise<Masked> | null {
  const type = exchange.request.headers.get("content-type") ?? "";
  if (/^\s*(?:multipart|audio|image|video)\/|octet-stream/i.test(type)) return null;
  return maskRequest(text, rules) ?? (/^\s*text\//i.test(type) ? maskText(text, rules) : null);
}

function notMasked(exchange: Exchange, { denies }: Rules, what = "The request body"): void {
  if (!denies) return exchange.remark(ELEMENT, `${what} cannot be looked into and is sent as it is.`);
  throw new GatewayError({
    source: ELEMENT,
    reason: "PersonalDataNotMasked",
    message: `${what} cannot be searched for personal data.`,
    status: 415,
    own: true,
  });
}

function put(exchange: Exchange, { text, values, wantsJson }: Masked, rules: Rules): void {
  if (values.size === 0) return;
  noteSafety(exchange, "masked");
  const { request } = exchange;
  const charset = request.body?.charset ?? null;
  setBytes(request, Buffer.from(text), charset);
  for (const name of DIGESTS) request.headers.delete(name);
  exchange.remark(ELEMENT, `Masked: ${[...values.keys()].join(", ")}.`);
  if (!rules.restores) return;
  // What is to be restored must be readable as it passes.
  request.headers.set("Accept-Encoding", "identity");
  exchange.onReply(() => restoreReply(exchange, ELEMENT, { values, wantsJson }));
}

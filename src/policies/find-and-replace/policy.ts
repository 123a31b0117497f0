import { byteTextFor, editBody, setBytes } from "../../gateway/body-edit.ts";
import type { Body } from "../../gateway/body.ts";
import { GatewayError } from "../../gateway/errors.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import type { Message } from "../../gateway/message.ts";
import { ALL_SECTIONS, definePolicy, messageOf } from "../../gateway/policy.ts";

/** What a replacement may make of a body. */
const MOST_OCTETS = 50 * 1024 * 1024;

/**
 * Replaces a text in the body, everywhere, letter by letter. Both texts are brought into the body's charset and octets
 * are compared, so what is not replaced stays untouched even if it is no text. The body is held in memory for it.
 */
export const findAndReplace = definePolicy({
  element: "find-and-replace",
  summary: "Replaces every occurrence of a text in the request or response body by another.",
  sections: ALL_SECTIONS,
  shape: {
    attributes: {
      from: {
        type: "string",
        expression: true,
        required: true,
        trim: false,
        doc: "The text to look for; case counts.",
      },
      to: {
        type: "string",
        expression: true,
        required: true,
        trim: false,
        doc: "What stands there instead; empty removes.",
      },
    },
  },
  check: ({ attributes: { from } }, report) => {
    if (from.isConstant && from.constant === "")
      report(
        "there is nothing to look for, which fails every request",
        { attribute: "from", value: true },
        "write the text to look for",
        "warning",
      );
  },
  prepare: ({ attributes: { from, to } }, { section }) => {
    return (exchange, message) => {
      const target = messageOf(exchange, section, message);
      const wanted = from(exchange.context);
      if (wanted === "") throw nothingToFind();
      const replacement = to(exchange.context);
      return editBody(exchange, target, "find-and-replace", (body) =>
        replace(exchange, target, body, wanted, replacement),
      );
    };
  },
});

function replace(exchange: Exchange, target: Message, body: Body, from: string, to: string): void {
  const text = byteTextFor(body.charset);
  if (text === null) {
    exchange.remark(
      "find-and-replace",
      `The ${target.kind} body has charset ${body.charset} and is left as it is.`,
    );
    return;
  }
  const wanted = text.encode(from);
  const replacement = text.encode(to);
  // A text that the charset has no letters for is not there.
  if (wanted === null) return;
  const parts = text.show(body.bytes())?.split(wanted);
  if (parts === undefined || parts.length === 1) return;
  if (replacement === null) throw unwritable(body.charset ?? "utf-8");
  const length = parts.reduce((sum, part) => sum + part.length, 0) + replacement.length * (parts.length - 1);
  if (length > MOST_OCTETS) throw tooLong();
  setBytes(target, text.hide(parts.join(replacement)), body.charset);
}

const nothingToFind = (): GatewayError => failure("InvalidFindText", "The text to look for is empty.");

const unwritable = (charset: string): GatewayError =>
  failure(
    "InvalidReplacementText",
    `The replacement has characters that the body's charset ${charset} has not.`,
  );

const tooLong = (): GatewayError =>
  failure("BodyTooLarge", `The body would be larger than ${MOST_OCTETS} bytes after the replacement.`);

function failure(reason: string, message: string): GatewayError {
  return new GatewayError({ source: "find-and-replace", reason, message, status: 500 });
}

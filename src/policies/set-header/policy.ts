import type { HeaderList } from "../../base/headers.ts";
import { GatewayError } from "../../gateway/errors.ts";
import { RequestMessage } from "../../gateway/message.ts";
import { ALL_SECTIONS, definePolicy, messageOf } from "../../gateway/policy.ts";

/** Their values may hold commas or dates: several values go out as several lines. */
const SEPARATE_LINES = new Set([
  "user-agent",
  "www-authenticate",
  "proxy-authenticate",
  "cookie",
  "set-cookie",
  "warning",
  "date",
  "expires",
  "if-modified-since",
  "if-unmodified-since",
  "last-modified",
  "retry-after",
]);

/** Framing is the gateway's business: trying to touch these is ignored with a remark in the trace. */
const UNTOUCHABLE = new Set(["connection", "content-length", "keep-alive", "transfer-encoding"]);

/** RFC 9110 §5.1: a field name is a token. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** RFC 9110 §5.5: no CR, LF or NUL; nor other controls that servers disagree about. */
const UNSAFE = /[\0-\x08\x0a-\x1f\x7f]/;

/** Sets, adds to or removes a header of the message that the section, or the enclosing policy, is about. */
export const setHeader = definePolicy({
  element: "set-header",
  summary: "Sets, appends to, keeps or deletes a header of the request or response.",
  sections: ALL_SECTIONS,
  shape: {
    attributes: {
      name: {
        type: "string",
        expression: true,
        required: true,
        format: { pattern: TOKEN, expected: "a header name" },
        doc: "Header name; case does not matter.",
      },
      "exists-action": {
        type: "string",
        expression: true,
        default: "override",
        oneOf: ["override", "skip", "append", "delete"],
        doc: "What to do when the header is there already.",
      },
    },
    children: {
      value: {
        text: { type: "nullable-string", expression: true, trim: true },
        doc: "One value; several make a list.",
      },
    },
  },
  prepare: ({ attributes, children }, site) => {
    const { name, "exists-action": action } = attributes;
    const values = children.value.map((child) => child.text);
    const { section } = site;
    return (exchange, message) => {
      const target = messageOf(exchange, section, message);
      const header = name(exchange.context).trim();
      if (!TOKEN.test(header)) throw invalid(`"${header}" is not a header name.`);
      const lower = header.toLowerCase();
      if (UNTOUCHABLE.has(lower)) {
        exchange.remark("set-header", `${header} is set by the gateway and was left as it is.`);
        return;
      }
      const how = action(exchange.context).toLowerCase();
      if (how === "skip" && target.headers.has(header)) return;
      if (lower === "host" && target instanceof RequestMessage) target.hostSet = how !== "delete";
      if (how === "delete") {
        target.headers.delete(header);
        return;
      }
      const lines: string[] = [];
      for (const value of values) {
        const text = value === undefined ? "" : value(exchange.context);
        if (text === null) continue;
        if (UNSAFE.test(text))
          throw invalid(`The value of header ${header} contains a line break or control character.`);
        lines.push(encodeValue(text));
      }
      if (lower === "authorization" && lines.length > 0 && target instanceof RequestMessage)
        target.authorizationSet = true;
      apply(target.headers, header, lower, lines, how);
    };
  },
});

function apply(
  headers: HeaderList,
  header: string,
  lower: string,
  lines: readonly string[],
  how: string,
): void {
  const separate = SEPARATE_LINES.has(lower);
  if (how === "append") {
    const there = headers.getAll(header);
    if (lines.length === 0 && there !== null) return;
    const all = there === null ? lines : [...there, ...lines];
    headers.set(header, ...(separate || all.length < 2 ? all : [all.join(",")]));
    return;
  }
  const joined = lines.length > 1 && !separate ? [lines.join(",")] : lines;
  if (how !== "override" && how !== "skip")
    throw invalid(`exists-action is override, skip, append or delete, not "${how}".`);
  headers.set(header, ...joined);
}

/** Header octets beyond ASCII travel as UTF-8, one character per octet, as received ones do. */
function encodeValue(text: string): string {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0xff) return Buffer.from(text, "utf8").toString("latin1");
  }
  return text;
}

function invalid(message: string): GatewayError {
  return new GatewayError({ source: "set-header", reason: "InvalidHeader", message, status: 500 });
}

import { editBody, setBytes } from "../../gateway/body-edit.ts";
import { GatewayError } from "../../gateway/errors.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import { isJsonType, mediaTypeOf } from "../../gateway/media-type.ts";
import { definePolicy } from "../../gateway/policy.ts";

/**
 * Makes a script of a JSON response when the caller names a function: `fn({…});`. The name must be one JavaScript
 * identifier, so that it cannot be a script of its own.
 */
export const jsonp = definePolicy({
  element: "jsonp",
  summary: "Wraps the JSON response in a call of the function that a query parameter names.",
  sections: ["outbound"],
  once: "section",
  shape: {
    attributes: {
      "callback-parameter-name": {
        type: "string",
        expression: true,
        required: true,
        doc: "Query parameter with the function's name.",
      },
    },
  },
  prepare: ({ attributes }) => {
    const parameter = attributes["callback-parameter-name"];
    return (exchange) => {
      const { response } = exchange;
      if (response === null || response.body === null) return;
      const name = parameter(exchange.context);
      const callback = queryValue(exchange, name);
      if (callback === null) return;
      if (!isIdentifier(callback)) throw invalidCallback(name);
      const type = mediaTypeOf(response.headers);
      if (type !== "" && !isJsonType(type)) {
        exchange.remark("jsonp", `The response is ${type}, not JSON, and is left as it is.`);
        return;
      }
      return editBody(exchange, response, "jsonp", (body) => {
        const charset = body.charset === null ? "" : `; charset=${body.charset}`;
        setBytes(response, Buffer.concat([Buffer.from(`${callback}(`), body.bytes(), END]), body.charset);
        response.headers.set("Content-Type", `application/javascript${charset}`);
        response.headers.set("X-Content-Type-Options", "nosniff");
      });
    };
  },
});

const END = Buffer.from(");");

/** Of the request as it was received: a policy may have changed the query that the backend saw. */
function queryValue({ request }: Exchange, name: string): string | null {
  return new URLSearchParams(request.originalUrl.queryString).get(name);
}

const IDENTIFIER = /^[$_\p{ID_Start}][$\u200c\u200d\p{ID_Continue}]*$/u;
const LONGEST = 256;

/** ECMA-262 §12.7.2. */
const RESERVED = new Set(
  (
    "await break case catch class const continue debugger default delete do else enum export extends false finally for function if " +
    "import in instanceof new null return super switch this throw true try typeof var void while with yield let static " +
    "implements interface package private protected public"
  ).split(" "),
);

function isIdentifier(text: string): boolean {
  return text.length <= LONGEST && IDENTIFIER.test(text) && !RESERVED.has(text);
}

function invalidCallback(name: string): GatewayError {
  return new GatewayError({
    source: "jsonp",
    reason: "CallbackParameterInvalid",
    message: `Value of callback parameter ${name} is not a valid JavaScript identifier.`,
    status: 400,
  });
}

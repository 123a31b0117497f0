import { GatewayError } from "../../gateway/errors.ts";
import { RequestMessage } from "../../gateway/message.ts";
import { definePolicy } from "../../gateway/policy.ts";
import { parseTarget } from "../../gateway/url.ts";

/**
 * Sends the request (or that of the enclosing send-request) through an HTTP proxy: `http` requests by their whole URL,
 * `https` ones through a CONNECT tunnel. The way to the proxy itself is not encrypted; credentials are Basic.
 */
export const proxy = definePolicy({
  element: "proxy",
  summary: "Sends the request through an HTTP proxy.",
  sections: ["inbound"],
  shape: {
    attributes: {
      url: { type: "string", expression: true, required: true, doc: "The proxy: http://host:port." },
      username: { type: "string", expression: true, doc: "User name for the proxy." },
      password: { type: "string", expression: true, doc: "Password for the proxy." },
    },
  },
  check: ({ attributes }, report) => {
    const { url, username, password } = attributes;
    if (url.isConstant && addressOf(url.constant!) === null) {
      report(
        `"${url.constant!}" is not the URL of a proxy`,
        { attribute: "url" },
        'write url="http://host:port"',
      );
    }
    if (password !== undefined && username === undefined)
      report("password needs a username", { attribute: "password" });
  },
  run: (exchange, { attributes }, message) => {
    const { url, username, password } = attributes;
    const text = url(exchange.context);
    const address = addressOf(text);
    if (address === null) {
      throw new GatewayError({
        source: "proxy",
        reason: "InvalidProxyUrl",
        message: `"${text}" is not the URL of a proxy.`,
        status: 500,
      });
    }
    const credentials =
      username === undefined
        ? null
        : `${username(exchange.context)}:${password === undefined ? "" : password(exchange.context)}`;
    const request = message instanceof RequestMessage ? message : exchange.request;
    request.proxy = {
      ...address,
      authorization:
        credentials === null ? null : `Basic ${Buffer.from(credentials, "utf8").toString("base64")}`,
    };
  },
});

function addressOf(url: string): { readonly host: string; readonly port: number } | null {
  if (!/^http:/i.test(url.trim())) return null;
  const target = parseTarget(url);
  if (target === null || target.basePath !== "" || target.baseQuery !== "") return null;
  return { host: target.host, port: target.port };
}

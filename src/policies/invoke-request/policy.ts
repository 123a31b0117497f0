import { NEEDS_REQUEST_BODY } from "../../compiler/policy.ts";
import { parseUrl, sendOwnRequest } from "../../backends/own-requests/own-request.ts";
import { Body } from "../../gateway/body.ts";
import { GatewayError } from "../../gateway/errors.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import { RequestMessage, type ResponseMessage } from "../../gateway/message.ts";
import { ensureBodies } from "../../gateway/pipeline.ts";
import { ALL_SECTIONS, type Args, definePolicy } from "../../gateway/policy.ts";
import type { ForwardOptions } from "../../gateway/services.ts";
import type { Target } from "../../gateway/snapshot.ts";

const SOURCE = "invoke-request";

const SHAPE = {
  attributes: {
    method: { type: "string", expression: true, doc: "Default: the current request's." },
    url: {
      type: "string",
      expression: true,
      doc: "Absolute; or, with backend-id, a path below the backend. Default: the current request's.",
    },
    "backend-id": {
      type: "string",
      expression: true,
      references: "backend",
      doc: "A backend, with its credentials, pool and breaker. Default: the current request's.",
    },
    "response-variable-name": {
      type: "string",
      doc: "The variable that gets the response, with its body in memory. Without it the response ends the request.",
    },
  },
  children: {
    header: {
      attributes: {
        name: { type: "string", expression: true, required: true, doc: "The header's name." },
        value: { type: "string", expression: true, doc: "Its value; without one the header is left out." },
      },
      doc: "A header in place of the current request's. The same name again adds a value.",
    },
    body: {
      max: 1,
      text: {
        type: "string",
        expression: true,
        required: true,
        doc: "The body in place of the current request's.",
      },
      doc: "What is sent.",
    },
  },
} as const;

type Given = Args<typeof SHAPE>;

const TIMEOUT_MS = 300_000;
/** As forward-request without attributes. */
const OPTIONS: ForwardOptions = {
  timeoutMs: TIMEOUT_MS,
  continueTimeoutMs: null,
  httpVersion: "1",
  followRedirects: false,
  bufferRequestBody: false,
  bufferResponse: true,
};

/**
 * Calls a URL or a backend with what the current request is, as changed here; the current request stays as it is
 * (`policies.md` 55). With a variable the exchange goes on; without one the answer is the client's, and nothing else runs. A
 * call that fails fails the exchange, as forward-request does; any status is a success.
 */
export const invokeRequest = definePolicy({
  element: SOURCE,
  summary: "Calls a URL or a backend with the current request, changed as given.",
  sections: ALL_SECTIONS,
  shape: SHAPE,
  check: ({ attributes: { url, "backend-id": backendId } }, report) => {
    if (url?.isConstant !== true || url.constant!.includes("{{")) return;
    if (parseUrl(url.constant!) !== null || (backendId !== undefined && !url.constant!.includes("://")))
      return;
    const hint = "write scheme and host, as in https://api.example.org/v1, or add backend-id";
    report(
      `"${url.constant!}" is not an absolute http or https URL`,
      { attribute: "url", value: true },
      hint,
    );
  },
  prepare: (args) => (exchange) => invoke(args, exchange),
});

async function invoke(args: Given, exchange: Exchange): Promise<ResponseMessage | void> {
  const message = await messageOf(args, exchange);
  const { services, snapshot } = exchange;
  const limitBytes = snapshot.options.bufferLimitBytes;
  const { url, "backend-id": backendId, "response-variable-name": variable } = args.attributes;
  // A URL may well be made of what the caller sent: the guard of policies' own requests looks at it.
  const response =
    url !== undefined && backendId === undefined
      ? await sendOwnRequest(exchange, message, SOURCE, {
          timeoutMs: TIMEOUT_MS,
          limitBytes,
          abort: exchange.abort,
        })
      : await services.forward(withRequest(exchange, message), OPTIONS);
  if (variable === undefined) return response;
  if (response.body !== null) await response.body.buffer(limitBytes);
  exchange.variables.set(variable, response);
}

async function messageOf({ attributes, children }: Given, exchange: Exchange): Promise<RequestMessage> {
  const { request, context } = exchange;
  const text = children.body[0]?.text(context);
  const body = text === undefined ? await bodyOf(exchange) : Body.text("request", text);
  const message = new RequestMessage({
    method: attributes.method?.(context).trim().toUpperCase() ?? request.method,
    headers: request.headers.copy(),
    body,
    originalUrl: request.originalUrl,
    path: request.path,
    query: request.query,
    ipAddress: request.ipAddress,
    certificate: () => request.certificate,
  });
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Z]+$/.test(message.method))
    throw invalid("InvalidMethod", `"${message.method.slice(0, 100)}" is no HTTP method.`);
  aim(message, exchange, attributes["backend-id"]?.(context), attributes.url?.(context));
  const seen = new Set<string>();
  for (const { attributes: header } of children.header) {
    const name = header.name(context);
    const value = header.value?.(context);
    const first = !seen.has(name.toLowerCase());
    seen.add(name.toLowerCase());
    if (first) message.headers.delete(name);
    if (value !== undefined) message.headers.append(name, value);
    if (first && name.toLowerCase() === "host") message.hostSet = value !== undefined;
    if (first && name.toLowerCase() === "authorization") message.authorizationSet = value !== undefined;
  }
  if (text !== undefined) message.headers.delete("content-encoding");
  return message;
}

/** The current request's, which stays where it is: there are two readers now. */
async function bodyOf(exchange: Exchange): Promise<Body | null> {
  const waiting = ensureBodies(exchange, NEEDS_REQUEST_BODY);
  if (waiting !== undefined) await waiting;
  return exchange.request.body?.copy() ?? null;
}

/** Where it goes, and which path and query it has there. */
function aim(
  message: RequestMessage,
  exchange: Exchange,
  backendId: string | undefined,
  url: string | undefined,
): void {
  const { request } = exchange;
  const absolute = url === undefined ? null : parseUrl(url);
  if (absolute !== null) {
    message.setPath(absolute.path);
    message.setQuery(absolute.query);
  } else if (url !== undefined) {
    if (backendId === undefined || url.includes("://"))
      throw invalid("InvalidUrl", `"${url.slice(0, 200)}" is not an absolute http or https URL.`);
    const below = parseUrl(`http://backend${url.startsWith("/") ? url : `/${url}`}`)!;
    message.setPath(below.path);
    message.setQuery(below.query);
  }
  const target =
    backendId !== undefined ? targetOf(exchange, backendId) : (absolute?.target ?? request.target);
  if (target === null)
    throw invalid("InvalidUrl", "There is nowhere to send the request to: url is missing.");
  message.setTarget(target);
  // What was set for another server is not for this one.
  message.hostSet = absolute === null && backendId === undefined && request.hostSet;
  message.authorizationSet = request.authorizationSet && target === request.target;
  if (target === request.target) {
    message.clientCertificate = request.clientCertificate;
    message.proxy = request.proxy;
  }
}

function targetOf(exchange: Exchange, id: string): Target {
  const entity = exchange.snapshot.backends.get(id.slice(id.lastIndexOf("/") + 1).toLowerCase());
  const first = entity?.target ?? entity?.pool[0]?.backend.target;
  if (entity === undefined || first == null)
    throw invalid(
      "BackendNotFound",
      `There is no backend "${id.slice(0, 200)}", or its pool has no members.`,
    );
  return entity.target ?? { ...first, entity };
}

/** The exchange as whoever forwards sees it. */
function withRequest(exchange: Exchange, message: RequestMessage): Exchange {
  return new Proxy(exchange, {
    get(target, key) {
      if (key === "request") return message;
      const value: unknown = Reflect.get(target, key, target);
      // Methods reach private fields, which only the exchange has.
      return typeof value === "function" ? value.bind(target) : value;
    },
    set: (target, key, value) => Reflect.set(target, key, value, target),
  });
}

function invalid(reason: string, message: string): GatewayError {
  return new GatewayError({ source: SOURCE, reason, message, status: 500 });
}

import { type ByteText, byteTextFor, editBody, setBytes } from "../../gateway/body-edit.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import { definePolicy } from "../../gateway/policy.ts";
import type { Target } from "../../gateway/snapshot.ts";

const ELEMENT = "redirect-content-urls";

/**
 * Makes links in the response point to the gateway instead of the backend, and those in the request the other way
 * round. Links are the base URLs of both, also as JSON escapes them (`https:\/\/`); headers are left alone. The body is
 * held in memory for it.
 */
export const redirectContentUrls = definePolicy({
  element: ELEMENT,
  summary:
    "Rewrites links in the body so that they point to the gateway (response) or to the backend (request).",
  sections: ["inbound", "outbound"],
  once: "section",
  shape: {},
  run: (exchange, _args, given) => {
    const message = given ?? (exchange.section === "inbound" ? exchange.request : exchange.response);
    const backend = backendBases(exchange);
    const gateway = gatewayBase(exchange);
    if (message === null || backend.length === 0 || gateway === null) return;
    const isRequest = message.kind === "request";
    return editBody(exchange, message, ELEMENT, (body) => {
      const text = byteTextFor(body.charset);
      const shown = text?.show(body.bytes());
      if (text === null || shown == null) return;
      const replaced = isRequest
        ? replaceAll(shown, text, [gateway], backend[0]!)
        : replaceAll(shown, text, backend, gateway);
      if (replaced !== shown) setBytes(message, text.hide(replaced), body.charset);
    });
  },
});

/** The backend's base as it may be written, the usual form first; of a pool, those of all members. */
function backendBases({ backend, request }: Exchange): string[] {
  if (backend?.type === "Pool")
    return backend.pool.flatMap(({ backend: { target } }) => (target === null ? [] : basesOf(target)));
  const target = backend?.target ?? request.target;
  return target === null ? [] : basesOf(target);
}

function basesOf({ scheme, host, port, authority, basePath }: Target): string[] {
  const usual = `${scheme}://${authority}${basePath}`;
  const full = `${scheme}://${host}:${port}${basePath}`;
  return usual === full ? [usual] : [usual, full];
}

/** Scheme and host that the client used, and the API's path with its version. */
function gatewayBase({ api, request }: Exchange): string | null {
  if (api === null) return null;
  const { scheme, host, port } = request.originalUrl;
  if (host === "") return null;
  const isDefault = port === (scheme === "https" ? 443 : 80);
  const version = api.versionSet?.scheme === "Segment" && api.version !== "" ? `/${api.version}` : "";
  const path = api.path.replace(/^\/+|\/+$/g, "");
  return `${scheme}://${host}${isDefault ? "" : `:${port}`}${path === "" ? "" : `/${path}`}${version}`;
}

/** What must not follow a base, or it is another's: `http://a.example` in `http://a.example.org`. */
const END = "(?![\\w%~@-]|[.:][\\w%~-])";

function replaceAll(shown: string, text: ByteText, bases: readonly string[], by: string): string {
  const encoded = bases.map((base) => text.encode(base)).filter((base) => base !== null);
  const replacement = text.encode(by);
  if (encoded.length === 0 || replacement === null) return shown;
  const plain = [...encoded].sort((a, b) => b.length - a.length);
  const pattern = [...plain, ...plain.map(escaped)].map(literal).join("|");
  return shown.replace(new RegExp(`(?:${pattern})${END}`, "g"), (found) =>
    found.includes("\\/") ? escaped(replacement) : replacement,
  );
}

/** As JSON writers of some languages have it. */
const escaped = (url: string): string => url.replaceAll("/", "\\/");

/** Scheme and host have no case, and a pattern for the rest is the text itself. */
function literal(url: string): string {
  const path = url.indexOf("/", url.indexOf("//") < 0 ? url.indexOf("\\/\\/") + 4 : url.indexOf("//") + 2);
  const host = path < 0 ? url : url.slice(0, path);
  const rest = path < 0 ? "" : url.slice(path);
  const anyCase = quoted(host).replace(/[a-z]/gi, (c) => `[${c.toLowerCase()}${c.toUpperCase()}]`);
  return anyCase + quoted(rest);
}

const quoted = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");

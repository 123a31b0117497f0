import { GatewayError } from "../../gateway/errors.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import { definePolicy } from "../../gateway/policy.ts";
import { segment } from "../../backends/own-requests/dapr.ts";
import { SCOPES, type Value } from "../../compiler/policy.ts";
import type { Target } from "../../gateway/snapshot.ts";
import { parseTarget } from "../../gateway/url.ts";

/** The short name in any form that a reference may take: `b`, `/backends/b`, a full resource id. */
function backendName(reference: string): string {
  return reference.slice(reference.lastIndexOf("/") + 1).toLowerCase();
}

/** Changes where the request will be sent: to a URL, or to a backend entity with its credentials and rules. */
export const setBackendService = definePolicy({
  element: "set-backend-service",
  summary: "Changes where the request will be sent: a base URL or a backend entity.",
  sections: ["inbound", "backend"],
  shape: {
    attributes: {
      "base-url": {
        type: "string",
        expression: true,
        doc: "New base URL: scheme, host, optional port and path.",
      },
      "backend-id": {
        type: "string",
        expression: true,
        references: "backend",
        doc: "Name of a backend entity; dapr together with dapr-app-id and dapr-method.",
      },
      "sf-resolve-condition": { type: "bool", expression: true, doc: "Service Fabric only." },
      "sf-service-instance-name": { type: "string", expression: true, doc: "Service Fabric only." },
      "sf-partition-key": { type: "string", expression: true, doc: "Service Fabric only." },
      "sf-replica-type": {
        type: "string",
        expression: true,
        oneOf: ["primary", "secondary"],
        doc: "Service Fabric only.",
      },
      "sf-listener-name": { type: "string", expression: true, doc: "Service Fabric only." },
      "dapr-app-id": { type: "string", expression: true, doc: "Dapr only: the application to call." },
      "dapr-method": { type: "string", expression: true, doc: "Dapr only: the method to call." },
      "dapr-namespace": {
        type: "string",
        expression: true,
        doc: "Dapr only: the namespace that the application is in.",
      },
    },
  },
  check: ({ attributes }, report) => {
    const baseUrl = attributes["base-url"];
    const backendId = attributes["backend-id"];
    if (baseUrl === undefined && backendId === undefined) {
      report(
        "one of base-url and backend-id is required",
        undefined,
        'add base-url="https://…" or backend-id="…"',
      );
    }
    checkDapr(attributes, report);
    if (baseUrl?.isConstant === true && backendId?.isConstant === true) {
      report("base-url and backend-id cannot stand together", { attribute: "base-url" }, "keep one of them");
    }
    if (baseUrl?.isConstant === true && parseTarget(baseUrl.constant!) === null) {
      report(
        `"${baseUrl.constant!}" is not an absolute http or https URL`,
        { attribute: "base-url", value: true },
        "write scheme and host, as in https://api.example.org/v1",
      );
    }
  },
  prepare: ({ attributes }, site) => {
    const {
      "base-url": baseUrl,
      "backend-id": backendId,
      "dapr-app-id": app,
      "dapr-method": method,
    } = attributes;
    if (app !== undefined && method !== undefined) {
      const namespace = attributes["dapr-namespace"];
      return (exchange) => {
        const { context } = exchange;
        useDapr(exchange, app(context), method(context), namespace?.(context) ?? "");
        exchange.backendChosenBy = { scope: site.scope };
      };
    }
    const fixed = baseUrl?.isConstant === true ? parseTarget(baseUrl.constant!) : null;
    return (exchange) => {
      if (backendId !== undefined) {
        exchange.request.setTarget(targetOfBackend(exchange, backendId(exchange.context)));
        exchange.backendChosenBy = { scope: site.scope };
        exchange.request.authorizationSet = false;
        return;
      }
      const chosen = exchange.backendChosenBy;
      // A wider scope's backend-id is only undone by another backend-id (`routing.md` §6.1).
      if (chosen !== null && SCOPES.indexOf(chosen.scope) < SCOPES.indexOf(site.scope)) {
        exchange.remark(
          "set-backend-service",
          `base-url is ignored: ${chosen.scope} scope chose a backend by backend-id.`,
        );
        return;
      }
      exchange.request.setTarget(fixed ?? targetOfUrl(baseUrl!(exchange.context)));
      exchange.backend = null;
      exchange.backendChosenBy = null;
      exchange.request.authorizationSet = false;
    };
  },
});

interface DaprAttributes {
  readonly "backend-id": Value<string> | undefined;
  readonly "dapr-app-id": Value<string> | undefined;
  readonly "dapr-method": Value<string> | undefined;
  readonly "dapr-namespace": Value<string> | undefined;
}

/** A backend of one's own may be called dapr; only the other attributes say that Dapr is meant. */
function checkDapr(
  attributes: DaprAttributes,
  report: (message: string, at?: { attribute: string }, hint?: string) => void,
): void {
  const {
    "backend-id": backendId,
    "dapr-app-id": app,
    "dapr-method": method,
    "dapr-namespace": namespace,
  } = attributes;
  if (app === undefined && method === undefined && namespace === undefined) return;
  if (app === undefined || method === undefined) {
    report(
      "dapr-app-id and dapr-method go together",
      undefined,
      `add ${app === undefined ? "dapr-app-id" : "dapr-method"}="…"`,
    );
  }
  if (backendId === undefined || (backendId.isConstant && backendId.constant!.toLowerCase() !== "dapr")) {
    report(
      'backend-id must be "dapr" for dapr-app-id and dapr-method',
      { attribute: "backend-id" },
      'write backend-id="dapr"',
    );
  }
}

/**
 * Sends the request to a method of an application, through the sidecar (`policies.md` 53). The URL is that of Dapr's
 * service invocation and nothing of the operation's own path; the query stays.
 */
function useDapr(exchange: Exchange, app: string, method: string, namespace: string): void {
  const { target, token } = exchange.snapshot.options.dapr;
  const named = segment(namespace === "" ? app : `${app}.${namespace}`);
  const path = method.replace(/^\/+/, "").split("/").map(segment).join("/");
  exchange.request.setTarget({
    ...target,
    basePath: `${target.basePath}/v1.0/invoke/${named}/method/${path}`,
    entity: null,
  });
  exchange.request.setPath("");
  if (token !== null) exchange.request.headers.set("dapr-api-token", token);
  exchange.backend = null;
}

function targetOfBackend(exchange: Exchange, reference: string): Target {
  const entity = exchange.snapshot.backends.get(backendName(reference));
  if (entity === undefined) throw invalid(`There is no backend "${reference}".`);
  exchange.backend = entity;
  if (entity.target !== null) return entity.target;
  // A pool's members are picked per attempt; until then the first one stands for it in `context.Request.Url`.
  const first = entity.pool[0]?.backend.target;
  if (first == null) throw invalid(`The backend pool "${reference}" has no members.`);
  return { ...first, entity };
}

function targetOfUrl(url: string): Target {
  const target = parseTarget(url);
  if (target === null) throw invalid(`"${url}" is not an absolute http or https URL.`);
  return target;
}

function invalid(message: string): GatewayError {
  return new GatewayError({ source: "set-backend-service", reason: "BackendNotFound", message, status: 500 });
}

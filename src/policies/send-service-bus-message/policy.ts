import { asciiJson } from "../../base/ascii-json.ts";
import { CredentialError } from "../../gateway/identity.ts";
import { GatewayError } from "../../gateway/errors.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import { toGatewayError } from "../../gateway/pipeline.ts";
import { definePolicy } from "../../gateway/policy.ts";
import type { Value } from "../../compiler/policy.ts";
import { callOut } from "../../backends/own-requests/call-out.ts";
import { SasSigner, type ServicePlace, authorityOf, parsePlace } from "../../telemetry/sas.ts";

const SOURCE = "send-service-bus-message";
const RESOURCE = "https://servicebus.azure.net";
const API_VERSION = "2015-01";
const TIMEOUT_MS = 30_000;
/** Headers that mean something of their own; a property of this name would be lost or do harm. */
const RESERVED =
  /^(?:host|authorization|content-.*|brokerproperties|connection|transfer-encoding|te|trailer|upgrade|expect|keep-alive|proxy-.*|servicebus.*)$/i;
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

/**
 * Sends a message to a queue or topic over the HTTPS interface of Azure Service Bus and waits until it has been taken.
 * What goes wrong fails the exchange with 500. The gateway proves itself by its managed identity, or by the
 * connection string that HEADGATE_SERVICE_BUS holds for the namespace.
 */
export const sendServiceBusMessage = definePolicy({
  element: SOURCE,
  summary: "Sends a message to an Azure Service Bus queue or topic.",
  sections: ["inbound", "outbound", "on-error"],
  scopes: ["global", "product", "api", "operation"],
  shape: {
    attributes: {
      "queue-name": {
        type: "string",
        expression: true,
        doc: "The queue that gets it; not together with topic-name.",
      },
      "topic-name": {
        type: "string",
        expression: true,
        doc: "The topic that gets it; not together with queue-name.",
      },
      namespace: {
        type: "string",
        expression: true,
        required: true,
        doc: "Host of the namespace: mybus.servicebus.windows.net.",
      },
      "client-id": {
        type: "string",
        expression: true,
        doc: "Client id of a user-assigned identity; default: the system's.",
      },
    },
    children: {
      payload: {
        min: 1,
        max: 1,
        text: { type: "string", expression: true, required: true },
        doc: "Content of the message.",
      },
      "message-properties": {
        max: 1,
        children: {
          "message-property": {
            attributes: { name: { type: "string", required: true, doc: "Name of the property." } },
            text: { type: "string", expression: true, doc: "Its value." },
            doc: "A custom property.",
          },
        },
        doc: "Custom properties of the message.",
      },
    },
  },
  check: ({ attributes, children }, report) => {
    const { "queue-name": queue, "topic-name": topic, namespace } = attributes;
    if (queue === undefined && topic === undefined) {
      report(
        "one of queue-name and topic-name is required",
        undefined,
        'add queue-name="…" or topic-name="…"',
      );
    }
    if (queue !== undefined && topic !== undefined)
      report(
        "queue-name and topic-name cannot stand together",
        { attribute: "topic-name" },
        "keep one of them",
      );
    if (namespace.isConstant && placeOf(namespace.constant!) === null) {
      report(
        `"${namespace.constant!}" is not the host of a namespace`,
        { attribute: "namespace", value: true },
        "write it as mybus.servicebus.windows.net",
      );
    }
    children["message-properties"][0]?.children["message-property"].forEach(
      ({ attributes: { name } }, index) => {
        if (isPropertyName(name)) return;
        const at = { child: "message-properties/message-property", index, attribute: "name", value: true };
        report(
          `"${name}" cannot be the name of a property`,
          at,
          "properties travel as headers: letters, digits and hyphens, and not the name of a standard header",
        );
      },
    );
  },
  prepare: ({ attributes, children }) => {
    const { "queue-name": queue, "topic-name": topic, namespace, "client-id": clientId } = attributes;
    const payload = children.payload[0]!.text;
    const properties = (children["message-properties"][0]?.children["message-property"] ?? []).map(
      ({ attributes: { name }, text }) => [name, text] as const,
    );
    return async (exchange) => {
      const { context } = exchange;
      const text = namespace(context);
      const place = placeOf(text);
      if (place === null)
        throw failure("InvalidNamespace", `"${text}" is not the host of a Service Bus namespace.`);
      const entity = ((queue ?? topic)!(context) ?? "").trim();
      if (
        !/^[\w.~/-]+$/.test(entity) ||
        entity.split("/").some((part) => part === "" || part === "." || part === "..")
      ) {
        throw failure("InvalidEntity", `"${entity}" is not the name of a queue or topic.`);
      }
      const rawHeaders = [
        "Host",
        authorityOf(place),
        "Authorization",
        await authorization(exchange, place, entity, clientId?.(context).trim() || null),
      ];
      rawHeaders.push("Content-Type", "application/atom+xml;type=entry;charset=utf-8");
      for (const [name, value] of properties) rawHeaders.push(name, quoted(value, exchange));
      await send(exchange, place, entity, rawHeaders, payload(context));
    };
  },
});

async function authorization(
  exchange: Exchange,
  place: ServicePlace,
  entity: string,
  clientId: string | null,
): Promise<string> {
  const { clock, identities } = exchange.services;
  const known = exchange.snapshot.options.serviceBus.find(
    (connection) => connection.place.host === place.host && connection.place.port === place.port,
  );
  if (known !== undefined && clientId === null)
    return new SasSigner(place, entity, known.credential).authorization(clock.now());
  try {
    return `Bearer ${await identities.azureToken(RESOURCE, clientId)}`;
  } catch (error) {
    if (!(error instanceof CredentialError)) throw error;
    throw failure("CredentialUnavailable", error.message, "credential_unavailable", error.cause);
  }
}

async function send(
  exchange: Exchange,
  place: ServicePlace,
  entity: string,
  rawHeaders: string[],
  payload: string,
): Promise<void> {
  const to = `${entity} at ${place.host}`;
  let status: number;
  try {
    const response = await callOut(exchange.services, exchange.snapshot.options.egress, {
      request: {
        method: "POST",
        ...place,
        target: `/${entity}/messages?timeout=20&api-version=${API_VERSION}`,
        rawHeaders,
        body: new TextEncoder().encode(payload),
      },
      timeoutMs: TIMEOUT_MS,
      limitBytes: 0,
      abort: exchange.abort,
    });
    status = response.statusCode;
  } catch (error) {
    const { reason, message, code } = toGatewayError(error, SOURCE);
    throw failure(reason, `The message for ${to} could not be sent: ${message}`, code, error);
  }
  if (status < 200 || status > 299)
    throw failure("ServiceBusRequestFailed", `Service Bus answered ${status} to the message for ${to}.`);
  if (exchange.traced !== null) exchange.remark(SOURCE, `Sent to ${to}.`);
}

/** Plain http would show the token on the way; it is for stand-ins on this machine. */
function placeOf(text: string): ServicePlace | null {
  const place = parsePlace(text);
  return place?.scheme === "http" && !/^(?:localhost|127\.[\d.]+|::1)$/.test(place.host) ? null : place;
}

function isPropertyName(name: string): boolean {
  return TOKEN.test(name) && !RESERVED.test(name);
}

/** The header of a custom property holds a JSON string. */
function quoted(value: Value<string> | undefined, exchange: Exchange): string {
  return asciiJson(value?.(exchange.context) ?? "");
}

function failure(reason: string, message: string, code?: string, cause?: unknown): GatewayError {
  return new GatewayError({ source: SOURCE, reason, message, status: 500, code, cause });
}

import { credentialUnavailable } from "../../backends/identity/failure.ts";
import { GatewayError } from "../../gateway/errors.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import { RequestMessage } from "../../gateway/message.ts";
import { definePolicy } from "../../gateway/policy.ts";

const SOURCE = "authentication-managed-identity";

/**
 * A Microsoft Entra token of the gateway's own identity, for the backend or for the enclosing send-request
 * (`policies.md` 15). Without a variable it replaces whatever Authorization the request has. Tokens are kept until they
 * run out; when none can be had the exchange fails with 500, or, with `ignore-error`, goes on without one.
 */
export const authenticationManagedIdentity = definePolicy({
  element: SOURCE,
  summary: "Gets a Microsoft Entra token of the gateway's identity and sends it as bearer token.",
  // Published documents fetch tokens in outbound too, for calls of their own.
  sections: ["inbound", "outbound"],
  shape: {
    attributes: {
      resource: {
        type: "string",
        expression: true,
        required: true,
        doc: "App ID URI of what is called, such as https://cognitiveservices.azure.com. A final slash matters.",
      },
      "client-id": {
        type: "string",
        expression: true,
        doc: "Client id of a user-assigned identity; default: the system's.",
      },
      "output-token-variable-name": {
        type: "string",
        doc: "A variable that gets the token; then no header is set.",
      },
      "ignore-error": {
        type: "bool",
        default: false,
        doc: "true: without a token the request goes on without one.",
      },
    },
  },
  check: ({ attributes }, report, { section, inMessage }) => {
    if (section === "outbound" && !inMessage && attributes["output-token-variable-name"] === undefined) {
      report(
        "the request has been sent already, so its header is set for nothing",
        undefined,
        "add output-token-variable-name",
        "warning",
      );
    }
  },
  prepare: ({ attributes }) => {
    const {
      resource,
      "client-id": clientId,
      "output-token-variable-name": variable,
      "ignore-error": ignoreError,
    } = attributes;
    const use = (exchange: Exchange, request: RequestMessage, token: string): void => {
      if (variable !== undefined) {
        exchange.variables.set(variable, token);
        return;
      }
      request.headers.set("Authorization", `Bearer ${token}`);
      request.authorizationSet = true;
    };
    const fail = (exchange: Exchange, error: unknown): void => {
      const failure = credentialUnavailable(SOURCE, error);
      if (!ignoreError || !(failure instanceof GatewayError)) throw failure;
      exchange.remark(SOURCE, `Ignored: ${failure.message}`);
    };
    return (exchange, message) => {
      const request = message instanceof RequestMessage ? message : exchange.request;
      const audience = resource(exchange.context).trim();
      const identity = clientId?.(exchange.context).trim() || null;
      let token: string | Promise<string>;
      try {
        if (audience === "") throw noResource();
        token = exchange.services.identities.azureToken(audience, identity);
      } catch (error) {
        return fail(exchange, error);
      }
      if (typeof token === "string") return use(exchange, request, token);
      return token.then(
        (fetched) => use(exchange, request, fetched),
        (error: unknown) => fail(exchange, error),
      );
    };
  },
});

function noResource(): GatewayError {
  return new GatewayError({
    source: SOURCE,
    reason: "InvalidResource",
    message: "resource is empty: it says what the token is for.",
    status: 500,
  });
}

import { credentialUnavailable } from "../../backends/identity/failure.ts";
import { type Connection, type ConnectionToken, connectionKey } from "../../gateway/connections.ts";
import { GatewayError } from "../../gateway/errors.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import { definePolicy } from "../../gateway/policy.ts";
import { TokenFailure } from "../../tokens/failure.ts";
import { checkCaller } from "./caller.ts";
import { authorizationOf } from "./claims.ts";

const SOURCE = "get-authorization-context";

/**
 * The token of a connection of the credential manager, as an `Authorization` in a variable (`ai-backends-auth.md` §9.2). Who
 * asks is the gateway itself or the bearer of a Microsoft Entra token; an access policy of the connection must name it. Without
 * a token the exchange fails with 500, or, with `ignore-error`, goes on with null in the variable.
 */
export const getAuthorizationContext = definePolicy({
  element: SOURCE,
  summary: "Puts the OAuth token of a credential connection into a variable.",
  sections: ["inbound"],
  shape: {
    attributes: {
      "provider-id": {
        type: "string",
        expression: true,
        required: true,
        references: "authorization-provider",
        doc: "The credential provider.",
      },
      "authorization-id": {
        type: "string",
        expression: true,
        required: true,
        doc: "The connection of this provider.",
      },
      "context-variable-name": {
        type: "string",
        expression: true,
        required: true,
        doc: "The variable that gets the Authorization: AccessToken and Claims.",
      },
      "identity-type": {
        type: "string",
        expression: true,
        oneOf: ["managed", "jwt"],
        default: "managed",
        doc: "Who asks: managed is the gateway's own identity, jwt the bearer of the token in identity.",
      },
      identity: {
        type: "string",
        expression: true,
        doc: "With jwt: a Microsoft Entra token for https://azure-api.net/authorization-manager.",
      },
      "ignore-error": {
        type: "bool",
        expression: true,
        default: false,
        doc: "true: without a token the variable is null and the request goes on.",
      },
    },
  },
  check: ({ attributes }, report) => {
    const type = attributes["identity-type"];
    if (type.isConstant && type.constant === "jwt" && attributes.identity === undefined)
      report('identity-type="jwt" needs a token', undefined, "add the attribute identity");
  },
  prepare: ({ attributes }) => {
    const {
      "provider-id": provider,
      "authorization-id": authorization,
      "context-variable-name": variable,
      "identity-type": identityType,
      "ignore-error": ignoreError,
      identity,
    } = attributes;
    const fetch = (exchange: Exchange): ConnectionToken | Promise<ConnectionToken> => {
      const { context, snapshot, services } = exchange;
      const connection = find(snapshot.connections, provider(context), authorization(context));
      const type = identityType(context).trim().toLowerCase();
      if (type === "managed") {
        if (!connection.access.managed)
          throw failure("AccessDenied", `No access policy of ${connection.id} names the gateway's identity.`);
        return services.connections.token(connection);
      }
      if (type !== "jwt") throw failure("InvalidIdentity", `identity-type is managed or jwt, not "${type}".`);
      const checking = checkCaller(exchange, connection, identity?.(context) ?? "");
      if (checking === undefined) return services.connections.token(connection);
      return checking.then(() => services.connections.token(connection));
    };
    const fail = (exchange: Exchange, error: unknown): void => {
      const given = gatewayErrorOf(error);
      if (!(given instanceof GatewayError) || !ignoreError(exchange.context)) throw given;
      exchange.remark(SOURCE, `Ignored: ${given.message}`);
      exchange.variables.set(variable(exchange.context), null);
    };
    const keep = (exchange: Exchange, token: ConnectionToken): void =>
      void exchange.variables.set(variable(exchange.context), authorizationOf(token));
    return (exchange) => {
      let token: ConnectionToken | Promise<ConnectionToken>;
      try {
        token = fetch(exchange);
      } catch (error) {
        return fail(exchange, error);
      }
      if (!(token instanceof Promise)) return keep(exchange, token);
      return token.then(
        (fetched) => keep(exchange, fetched),
        (error: unknown) => fail(exchange, error),
      );
    };
  },
});

function find(connections: ReadonlyMap<string, Connection>, provider: string, id: string): Connection {
  const found = connections.get(connectionKey(provider.trim(), id.trim()));
  if (found !== undefined) return found;
  const what = `${provider.slice(0, 100)}/${id.slice(0, 100)}`;
  throw failure("AuthorizationNotFound", `There is no connection ${what} in the credential manager.`);
}

/** Our own mistakes stay what they are. */
function gatewayErrorOf(error: unknown): unknown {
  if (error instanceof TokenFailure) return failure("AccessDenied", error.message, error);
  return credentialUnavailable(SOURCE, error);
}

function failure(reason: string, message: string, cause?: unknown): GatewayError {
  return new GatewayError({ source: SOURCE, reason, message, status: 500, cause });
}

/** The credential manager as one thing: what policies, the callback, commands and the management REST ask of it. */
import type { Connection, ConnectionIndex, Connections } from "../gateway/connections.ts";
import { connectionKey } from "../gateway/connections.ts";
import { type DoorPaths, refusal } from "../gateway/door.ts";
import type { Incoming } from "../transport/transport.ts";
import { answerCallback } from "./callback.ts";
import { ConnectionTokens, type ConnectionStatus } from "./connection-tokens.ts";
import { Consents, LoginRefused } from "./consents.ts";
import type { World } from "./token-endpoint.ts";
import { type Vault, fileVault, lazyVault, memoryVault } from "./vault.ts";

export { LoginRefused };

export interface CredentialOptions {
  /** null: nothing outlives the process. */
  readonly dataDir: string | null;
  /** Origin of Microsoft Entra ID. */
  readonly entra: string;
  /** Where browsers reach the gateway, without final slash; asked when a link is made. */
  readonly publicUrl: () => string;
}

/** Actions on connections (spec "Resource model" 1.16): names without regard to case. All throw LoginRefused. */
export interface ConnectionActions {
  /** `getLoginLinks`. */
  loginLink(provider: string, authorization: string, postLoginRedirectUrl: string | null): string;
  status(provider: string, authorization: string): ConnectionStatus;
  /** What has to be registered with the provider. */
  redirectUrl(provider: string, authorization: string): string;
}

export interface CredentialDesk {
  readonly connections: Connections;
  readonly actions: ConnectionActions;
  readonly doorPaths: DoorPaths;
  /** A new configuration is in force. */
  adopt(connections: ConnectionIndex): void;
  /** Answers the callback; true when it was that. */
  answers(incoming: Incoming): boolean;
  close(): void;
}

export function openCredentials(world: World, options: CredentialOptions): CredentialDesk {
  const vault = vaultOf(world, options.dataDir);
  const tokens = new ConnectionTokens(world, vault, options.entra);
  const consents = new Consents(world, tokens, options.publicUrl);
  let current: ConnectionIndex | null = null;

  const find = (provider: string, authorization: string): Connection => {
    const found = current?.get(connectionKey(provider, authorization));
    if (found !== undefined) return found;
    throw new LoginRefused("ResourceNotFound", `There is no connection ${provider}/${authorization}.`);
  };
  const actions: ConnectionActions = {
    loginLink: (provider, authorization, url) => consents.loginLink(find(provider, authorization), url),
    status: (provider, authorization) => tokens.status(find(provider, authorization)),
    redirectUrl: (provider, authorization) => consents.redirectUrl(find(provider, authorization)),
  };
  return {
    connections: tokens,
    actions,
    doorPaths: loginPaths(actions),
    adopt: (connections) => {
      if (current !== null) tokens.forget([...current.keys()].filter((key) => !connections.has(key)));
      current = connections;
    },
    answers: (incoming) => answerCallback(incoming, consents, current),
    close: () => vault.close(),
  };
}

function vaultOf(world: World, dataDir: string | null): Vault {
  if (dataDir === null) return memoryVault();
  return lazyVault(
    () => fileVault(dataDir),
    (error) =>
      world.log({
        level: "error",
        msg: "kept credentials cannot be opened",
        error: error instanceof Error ? error.message : String(error),
      }),
  );
}

/** Where commands get login links: `{provider, authorization, postLoginRedirectUrl?}`. */
function loginPaths(actions: ConnectionActions): DoorPaths {
  return {
    "/authorizationProviders/getLoginLinks": ({ provider, authorization, postLoginRedirectUrl: url }) => {
      const [one, other] = [String(provider), String(authorization)];
      try {
        const loginLink = actions.loginLink(one, other, typeof url === "string" ? url : null);
        const { status } = actions.status(one, other);
        return { status: 200, body: { loginLink, redirectUrl: actions.redirectUrl(one, other), status } };
      } catch (error) {
        if (!(error instanceof LoginRefused)) throw error;
        return refusal(error.code === "ResourceNotFound" ? 404 : 400, error.code, error.message);
      }
    },
  };
}

/**
 * A question of the gateway's own to a backend entity: an embedding, a judgement of a text. Pools pick, breakers are asked,
 * the backend's credentials are attached, as for a caller's request; the answer is in memory and bounded.
 */
import { HeaderList, sameName } from "../../base/headers.ts";
import { GatewayError } from "../../gateway/errors.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import { composeUrl } from "../../gateway/message.ts";
import type { BackendAnswer, BackendQuestion } from "../../gateway/services.ts";
import type { BackendEntity, EgressOptions } from "../../gateway/snapshot.ts";
import type { ClientRequest } from "../../transport/transport.ts";
import type { Backends } from "../backends.ts";
import { callOut } from "./call-out.ts";
import { attachCredentials, authorizeOwn } from "../credentials.ts";
import type { Lease } from "../pools/lease.ts";

/** Where it goes is the operator's word. One object, so that connections are shared. */
const ANYWHERE: EgressOptions = { allow: ["0.0.0.0/0", "::/0"], loopback: true };

/**
 * @returns the answer, whatever its status
 * @throws GatewayError when there is no such backend or none may be asked; TransportError, CredentialError
 */
export async function askBackend(
  exchange: Exchange,
  question: BackendQuestion,
  backends: Backends,
): Promise<BackendAnswer> {
  const named = backendNamed(exchange, question);
  const { entity, lease } = chosen(named, backends);
  try {
    const request = compose(exchange, entity, question);
    const identity =
      entity.credentials?.identity ??
      (question.identityResource === null || hasAuthorization(request.rawHeaders)
        ? null
        : { kind: "azure" as const, resource: question.identityResource, clientId: null });
    if (identity !== null) await authorizeOwn(exchange.services, request, identity);
    const answer = await callOut(exchange.services, ANYWHERE, {
      request,
      timeoutMs: question.timeoutMs,
      limitBytes: question.limitBytes,
      abort: question.outlives ? null : exchange.abort,
    });
    lease?.answered(answer.statusCode, answer.headers);
    return {
      status: answer.statusCode,
      headers: answer.headers,
      body: answer.body === null ? NOTHING : answer.body.bytes(),
    };
  } catch (error) {
    lease?.failed(error);
    throw error;
  } finally {
    lease?.giveBack();
  }
}

const NO_HEADERS = new HeaderList([]);
const NOTHING = new Uint8Array(0);

function backendNamed(exchange: Exchange, { backendId, source }: BackendQuestion): BackendEntity {
  // A plain name or any form of a resource id.
  const entity = exchange.snapshot.backends.get(
    backendId.slice(backendId.lastIndexOf("/") + 1).toLowerCase(),
  );
  if (entity !== undefined) return entity;
  throw new GatewayError({
    source,
    reason: "BackendNotFound",
    message: `There is no backend '${backendId}'.`,
    status: 500,
    code: "backend_not_found",
  });
}

function chosen(
  named: BackendEntity,
  backends: Backends,
): { readonly entity: BackendEntity; readonly lease: Lease | null } {
  if (named.type === "Single") return { entity: named, lease: backends.admit(named) };
  const { entity, lease } = backends.pick(named, [], NO_HEADERS);
  return { entity, lease };
}

function compose(exchange: Exchange, entity: BackendEntity, question: BackendQuestion): ClientRequest {
  const target = entity.target!;
  const url = composeUrl(target, question.path, question.query);
  const headers = [
    "Host",
    target.authority,
    "Content-Type",
    "application/json",
    "Accept",
    "application/json",
  ];
  const { credentials } = entity;
  if (question.authorization !== null && (credentials === null || !carriesAuthorization(entity)))
    headers.push("Authorization", question.authorization);
  const query =
    credentials === null ? url.queryString : attachCredentials(headers, url.queryString, credentials, false);
  return {
    method: "POST",
    scheme: target.scheme,
    host: target.host,
    port: target.port,
    target: url.path + query,
    rawHeaders: headers,
    body: new TextEncoder().encode(JSON.stringify(question.json)),
    tls: entity.tls ?? undefined,
    abort: exchange.abort,
  };
}

function carriesAuthorization({ credentials }: BackendEntity): boolean {
  return (
    credentials !== null &&
    (credentials.authorization !== null ||
      credentials.identity !== null ||
      credentials.headers.length > 0 ||
      credentials.query !== "")
  );
}

function hasAuthorization(headers: readonly string[]): boolean {
  return headers.some(
    (name, i) =>
      i % 2 === 0 &&
      (sameName(name, "authorization") ||
        sameName(name, "api-key") ||
        sameName(name, "ocp-apim-subscription-key")),
  );
}

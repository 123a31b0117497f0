/**
 * The demo model as a function: request in, answer out. Knows paths, methods and keys; no sockets, no clock.
 */
import type { HeaderList } from "../base/headers.ts";
import { chatChunks, chatCompletion, chatStreamError, type Stamp } from "./chat-reply.ts";
import { readChat } from "./chat.ts";
import { readControl, type Control } from "./control.ts";
import { embeddingsReply, readEmbeddings } from "./embeddings.ts";
import { ApiFailure, orderedFailure } from "./failure.ts";
import { readBody } from "./fields.ts";
import { responseEvents, responseStreamError, responseWhole } from "./responses-reply.ts";
import { readResponses } from "./responses.ts";
import {
  brokenAfter,
  carriageReturned,
  paced,
  pinged,
  sliced,
  toBytes,
  type Answer,
  type Step,
} from "./steps.ts";

export interface DemoRequest {
  readonly method: string;
  /** The request target as received. */
  readonly target: string;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
}

export interface ModelSettings {
  /** What `x-demo-…` headers override. */
  readonly defaults: Control;
  /** Names that `/models` lists. */
  readonly models: readonly string[];
  /** Refuse models that are not listed (404), instead of answering to every name. */
  readonly onlyListed: boolean;
  /** Accepted as `Authorization: Bearer` or `api-key`; null = no key needed. */
  readonly apiKeys: readonly string[] | null;
  /** Longest prompt, in tokens. */
  readonly contextTokens: number;
}

type Endpoint = "chat/completions" | "responses" | "embeddings" | "models";

interface Route {
  readonly endpoint: Endpoint;
  /** Azure's deployment, or null. */
  readonly deployment: string | null;
  /** For `/models/{id}`. */
  readonly id: string | null;
}

/** Everything the model answers, errors included. Never throws for a bad request. */
export function answerRequest(request: DemoRequest, settings: ModelSettings, stamp: Stamp): Answer {
  let latencyMs = settings.defaults.latencyMs;
  try {
    const control = readControl(request.headers, settings.defaults);
    latencyMs = control.latencyMs;
    if (control.status !== null) throw orderedFailure(control.status, control.retryAfter);
    const answer = dispatch(request, settings, control, stamp);
    return latencyMs === 0 ? answer : { ...answer, latencyMs };
  } catch (error) {
    if (!(error instanceof ApiFailure)) throw error;
    return failureAnswer(error, stamp, latencyMs);
  }
}

/** An error as OpenAI sends it. */
export function failureAnswer(failure: ApiFailure, stamp: Stamp, latencyMs = 0): Answer {
  return { ...json(failure.status, failure.body(), stamp, failure.headers), latencyMs };
}

function dispatch(request: DemoRequest, settings: ModelSettings, control: Control, stamp: Stamp): Answer {
  const path = pathOf(request.target);
  const route = findRoute(path);
  if (route === null) throw new ApiFailure(404, `Invalid URL (${request.method} ${path.slice(0, 200)})`);
  checkMethod(request.method, path, route.endpoint === "models" ? "GET" : "POST");
  checkKey(request.headers, settings.apiKeys);
  if (route.endpoint === "models") return json(200, modelsReply(route.id, settings), stamp);
  return withFaults(answerEndpoint(route, request.body, settings, control, stamp), control);
}

function pathOf(target: string): string {
  const end = target.search(/[?#]/);
  return end < 0 ? target : target.slice(0, end);
}

const PLAIN = /^(?:\/openai)?(?:\/v1)?\/(chat\/completions|responses|embeddings|models)(?:\/(.+))?$/;
const DEPLOYMENT = /^\/openai\/deployments\/([^/]+)\/(chat\/completions|responses|embeddings)$/;
/** Azure AI model inference. */
const INFERENCE = /^\/models\/(chat\/completions|embeddings)$/;

/** `/v1/…`, bare, Azure's `/openai/v1/…`, `/openai/…` and `/openai/deployments/{id}/…`, and `/models/…`. */
export function findRoute(path: string): Route | null {
  const inference = INFERENCE.exec(path);
  if (inference !== null) return { endpoint: inference[1] as Endpoint, deployment: null, id: null };
  const deployed = DEPLOYMENT.exec(path);
  if (deployed !== null) {
    const deployment = decoded(deployed[1]!);
    return deployment === null ? null : { endpoint: deployed[2] as Endpoint, deployment, id: null };
  }
  const plain = PLAIN.exec(path);
  if (plain === null) return null;
  const endpoint = plain[1] as Endpoint;
  if (plain[2] === undefined) return { endpoint, deployment: null, id: null };
  const id = endpoint === "models" ? decoded(plain[2]) : null;
  return id === null ? null : { endpoint, deployment: null, id };
}

function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

function checkMethod(method: string, path: string, allowed: "GET" | "POST"): void {
  if (method === allowed) return;
  throw new ApiFailure(
    405,
    `Not allowed to ${method} on ${path.slice(0, 200)}. (HINT: Perhaps you meant to make a ${allowed} request?)`,
    { code: "method_not_supported", headers: ["Allow", allowed] },
  );
}

function checkKey(headers: HeaderList, apiKeys: readonly string[] | null): void {
  if (apiKeys === null) return;
  const bearer = /^Bearer +(\S+)$/i.exec(headers.get("authorization") ?? "");
  const key = headers.get("api-key") ?? bearer?.[1] ?? null;
  if (key !== null && apiKeys.includes(key)) return;
  const message =
    key === null
      ? "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth " +
        "(i.e. Authorization: Bearer YOUR_KEY), or in an api-key header."
      : "Incorrect API key provided.";
  throw new ApiFailure(401, message, { code: key === null ? null : "invalid_api_key" });
}

interface EndpointAnswer {
  readonly answer: Answer;
  /** Writes what the stream says on failing after so many chunks; null when the answer is not streamed. */
  readonly streamError: ((written: number) => Step | Iterable<Step>) | null;
}

function answerEndpoint(
  route: Route,
  bytes: Uint8Array,
  settings: ModelSettings,
  control: Control,
  stamp: Stamp,
): EndpointAnswer {
  const body = readBody(bytes);
  const context = settings.contextTokens;
  switch (route.endpoint) {
    case "chat/completions": {
      const request = readChat(body, route.deployment, control, context);
      checkModel(request.model, settings);
      if (!request.stream) return whole(chatCompletion(request, control, stamp), stamp);
      return { answer: stream(chatChunks(request, control, stamp), stamp), streamError: chatStreamError };
    }
    case "responses": {
      const request = readResponses(body, route.deployment, control, context);
      checkModel(request.model, settings);
      if (!request.stream) return whole(responseWhole(request, control, stamp), stamp);
      return {
        answer: stream(responseEvents(request, control, stamp), stamp),
        streamError: (written) => responseStreamError(request, control, stamp, written),
      };
    }
    default: {
      const request = readEmbeddings(body, route.deployment);
      checkModel(request.model, settings);
      return whole(embeddingsReply(request, control.usage !== "none"), stamp);
    }
  }
}

function checkModel(model: string, settings: ModelSettings): void {
  if (!settings.onlyListed || settings.models.includes(model)) return;
  throw noSuchModel(model);
}

function noSuchModel(model: string): ApiFailure {
  return new ApiFailure(
    404,
    `The model '${model.slice(0, 80)}' does not exist or you do not have access to it.`,
    {
      param: "model",
      code: "model_not_found",
    },
  );
}

function modelsReply(id: string | null, settings: ModelSettings): string {
  const entry = (name: string): object => ({
    id: name,
    object: "model",
    created: 1767225600,
    owned_by: "headgate",
  });
  if (id === null) return JSON.stringify({ object: "list", data: settings.models.map(entry) });
  if (!settings.models.includes(id)) throw noSuchModel(id);
  return JSON.stringify(entry(id));
}

/**
 * Orders about the body's delivery, applied from the inside out: faults, comments, line ends, slices, pace.
 */
function withFaults({ answer, streamError }: EndpointAnswer, control: Control): Answer {
  const { errorAfterChunks, errorKind } = control;
  if (streamError === null) {
    if (errorAfterChunks === null) return answer;
    if (errorKind === "error") throw orderedFailure(500, control.retryAfter);
    const bytes = toBytes(answer.body as string);
    const headers = [...answer.headers, "Content-Length", String(bytes.length)];
    const steps = brokenAfter(sliced([bytes], WHOLE_CHUNK_BYTES), errorAfterChunks, { end: errorKind });
    return { ...answer, headers, body: control.chunkMs > 0 ? paced(steps, control.chunkMs) : steps };
  }
  let steps = answer.body as Iterable<Step>;
  if (errorAfterChunks !== null) {
    const instead = errorKind === "error" ? streamError(errorAfterChunks) : { end: errorKind };
    steps = brokenAfter(steps, errorAfterChunks, instead);
  }
  if (control.pingEvery !== null) steps = pinged(steps, control.pingEvery);
  if (control.newline === "crlf") steps = carriageReturned(steps);
  if (control.sliceBytes !== null) steps = sliced(steps, control.sliceBytes);
  if (control.chunkMs > 0) steps = paced(steps, control.chunkMs);
  return { ...answer, body: steps };
}

/** Pieces in which a whole answer is delivered when it is to break off. */
const WHOLE_CHUNK_BYTES = 64;

function whole(text: string, stamp: Stamp): EndpointAnswer {
  return { answer: json(200, text, stamp), streamError: null };
}

function json(status: number, text: string, stamp: Stamp, extra: readonly string[] = []): Answer {
  return { status, headers: ["Content-Type", "application/json", ...common(stamp), ...extra], body: text };
}

function stream(steps: Iterable<Step>, stamp: Stamp): Answer {
  return {
    status: 200,
    headers: [
      "Content-Type",
      "text/event-stream; charset=utf-8",
      "Cache-Control",
      "no-cache",
      ...common(stamp),
    ],
    body: steps,
  };
}

function common(stamp: Stamp): string[] {
  return ["x-request-id", `req_${stamp.id}`, "openai-version", "2020-10-01"];
}

/**
 * Configurations under test: those of public labs about tokens and models, element for element as their authors deploy them.
 * `{backend-id}` and the like are filled in by the labs' deployments; here by arguments.
 */
import type { Asked, Fixture } from "./clients/upstream.ts";
import { json, sse } from "./clients/upstream.ts";
import { type Files, api } from "./gateway.ts";

const section = (name: string, inner: string): string => `<${name}><base />${inner}</${name}>`;
const policies = (inbound: string): string =>
  `<policies>${section("inbound", inbound)}${section("backend", "")}${section("outbound", "")}${section("on-error", "")}</policies>`;
const toBackend = (id: string): string => `<set-backend-service backend-id="${id}" />`;

export const builtInLogging = (backendId: string): string => policies(toBackend(backendId));
export const geminiModels = builtInLogging;

export const tokenRateLimiting = (backendId: string): string =>
  policies(`${toBackend(backendId)}
    <llm-token-limit counter-key="@(context.Subscription.Id)"
      tokens-per-minute="100" estimate-prompt-tokens="false" remaining-tokens-variable-name="remainingTokens">
    </llm-token-limit>`);

const emitting = (namespace: string): string => `
  <azure-openai-emit-token-metric namespace="${namespace}">
    <dimension name="Subscription ID" value="@(context.Subscription.Id)" />
    <dimension name="Client IP" value="@(context.Request.IpAddress)" />
    <dimension name="API ID" value="@(context.Api.Id)" />
    <dimension name="User ID" value="@(context.Request.Headers.GetValueOrDefault("x-user-id", "N/A"))" />
  </azure-openai-emit-token-metric>`;

export const tokenMetricsEmitting = (backendId: string): string =>
  policies(`${toBackend(backendId)}${emitting("openai")}`);

export const googleGeminiApi = (): string => policies(`${toBackend("gemini-backend")}${emitting("gemini")}`);

export interface Product {
  readonly name: string;
  readonly tpm: number;
  readonly tokenQuota: number;
  readonly tokenQuotaPeriod: string;
}

/** What the deployment puts in the place of `{product-token-limits}`. */
export const productTokenLimits = (products: readonly Product[]): string =>
  products
    .map(
      (product) =>
        `<when condition='@((string)context.Product?.Id == "${product.name}")'><llm-token-limit counter-key="@(context.Subscription.Id)" tokens-per-minute="${product.tpm}" token-quota="${product.tokenQuota}" token-quota-period="${product.tokenQuotaPeriod}" estimate-prompt-tokens="false" remaining-tokens-variable-name="remainingTokens" remaining-quota-tokens-variable-name="remainingQuotaTokens" tokens-consumed-variable-name="consumedTokens" /></when>`,
    )
    .join("");

export const finopsFramework = (backendId: string, products: readonly Product[]): string =>
  policies(`${toBackend(backendId)}
    <choose>
      ${productTokenLimits(products)}
    </choose>
    <azure-openai-emit-token-metric namespace="aiusage">
      <dimension name="Product" value="@(context.Product.Id)" />
    </azure-openai-emit-token-metric>`);

export const finopsProduct = (): string => policies("");

export const realtimeAudio = (): string =>
  policies(`
    <authentication-managed-identity resource="https://cognitiveservices.azure.com" output-token-variable-name="managed-id-access-token" ignore-error="false" />
    <set-header name="Authorization" exists-action="override">
      <value>@("Bearer " + (string)context.Variables["managed-id-access-token"])</value>
    </set-header>`);

/** The diagnostic of every API of the labs. */
export const LLM_DIAGNOSTIC = {
  properties: {
    alwaysLog: "allErrors",
    verbosity: "verbose",
    logClientIp: true,
    loggerId: "/loggers/azuremonitor",
    sampling: { samplingType: "fixed", percentage: 100 },
    frontend: message(),
    backend: message(),
    largeLanguageModel: {
      logs: "enabled",
      requests: { messages: "all", maxSizeInBytes: 262144 },
      responses: { messages: "all", maxSizeInBytes: 262144 },
    },
  },
};

function message(): object {
  const none = { headers: [], body: { bytes: 0 } };
  return { request: none, response: none };
}

/** Beneath every lab: the document of a new service, and its logger. */
export const SERVICE: Files = {
  "policy.xml":
    "<policies><inbound /><backend><forward-request /></backend><outbound /><on-error /></policies>",
  "loggers/azuremonitor/loggerInformation.json": {
    properties: { loggerType: "azureMonitor", isBuffered: false },
  },
};

/** One of the labs' accounts of AI services, called with the service's own identity. */
const account = (url: string): object => ({
  properties: {
    url,
    protocol: "http",
    credentials: { managedIdentity: { resource: "https://cognitiveservices.azure.com" } },
  },
});

/** The pool of labs that deploy two accounts. */
export function inferencePool(urls: readonly string[]): Files {
  const files: Record<string, object> = {};
  urls.forEach((url, i) => {
    files[`backends/foundry${i + 1}/backendInformation.json`] = account(url);
  });
  const services = urls.map((_url, i) => ({ id: `/backends/foundry${i + 1}` }));
  const description = "Load balancer for multiple inference endpoints";
  files["backends/inference-backend-pool/backendInformation.json"] = {
    properties: { description, type: "Pool", pool: { services } },
  };
  return files;
}

/** The labs' inference API in front of one account, `foundry1`. */
export function inferenceApi(kind: "AzureOpenAI" | "AzureOpenAIV1", url: string, document: string): Files {
  const v1 = kind === "AzureOpenAIV1";
  const end = v1 ? "openai/v1" : "openai";
  const operations = v1
    ? ["POST /chat/completions", "POST /responses", "POST /embeddings"]
    : ["POST /deployments/{deployment-id}/chat/completions", "POST /deployments/{deployment-id}/embeddings"];
  return {
    ...SERVICE,
    ...api("inference-api", undefined, operations, {
      properties: {
        displayName: "Inference API",
        path: `inference/${end}`,
        subscriptionRequired: true,
        subscriptionKeyParameterNames: {
          header: "api-key",
          query: "api-key",
          ...(v1 ? { bearer: "enabled" } : {}),
        },
      },
      policy: document,
    }),
    "apis/inference-api/diagnostics/azuremonitor/diagnosticInformation.json": LLM_DIAGNOSTIC,
    "backends/foundry1/backendInformation.json": account(`${url}/${end}`),
  };
}

/** Names that deployments are served under. */
const SERVED: Readonly<Record<string, string>> = {
  "gpt-4.1-mini": "gpt-4.1-mini-2025-04-14",
  "gpt-4.1": "gpt-4.1-2025-04-14",
  "model-router": "gpt-4.1-mini-2025-04-14",
};

/** A model's answers in the form of Azure OpenAI, whole or streaming as asked, at a price in tokens that is always the same. */
export const chatModel =
  (prompt_tokens: number, completion_tokens: number, text: string) =>
  ({ target, body }: Asked): Fixture => {
    const asked = JSON.parse(body.toString()) as { model?: string; stream?: boolean };
    const name = /\/deployments\/([^/]+)\//.exec(target)?.[1] ?? asked.model ?? "";
    const base = { id: "chatcmpl-1", created: 1741569952, model: SERVED[name] ?? name };
    const usage = { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
    if (asked.stream !== true) {
      const choice = { index: 0, message: { role: "assistant", content: text }, finish_reason: "stop" };
      return json({ ...base, object: "chat.completion", choices: [choice], usage });
    }
    const chunk = (delta: object, finish_reason: string | null, more: object = {}): [null, object] => [
      null,
      { ...base, object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason }], ...more },
    ];
    return sse([
      chunk({ role: "assistant", content: "" }, null),
      ...text.match(/.{1,400}/gsu)!.map((content) => chunk({ content }, null)),
      chunk({}, "stop"),
      [null, { ...base, object: "chat.completion.chunk", choices: [], usage }],
      [null, "[DONE]"],
    ]);
  };

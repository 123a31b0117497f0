/** `diagnostics` of the service and of an API → what is recorded of it. An API's own replaces the service's of that name whole. */
import type { DiagnosticMessage, DiagnosticProperties } from "../contract/telemetry.ts";
import type { Resource, ResourceId } from "../contract/resource.ts";
import * as ids from "../store/ids.ts";
import type { ResourceSet } from "../store/resource-set.ts";
import type { ApiDiagnostics, Diagnostic, LlmRule, MessageRule } from "../telemetry/diagnostic.ts";
import type { Logger } from "../telemetry/logger.ts";

/** Of messages to models, per direction (`resources.md` §1.13). */
const DEFAULT_MESSAGE_BYTES = 32_768;

/** @returns null when nothing is recorded */
export function diagnosticsOf(
  resources: ResourceSet,
  api: ResourceId,
  loggers: ReadonlyMap<string, Logger>,
): ApiDiagnostics | null {
  const found = new Map<string, Diagnostic>();
  const workspace = ids.workspaceOf(api);
  const levels = [ids.SERVICE_ID, ...(workspace === ids.SERVICE_ID ? [] : [workspace]), api];
  for (const level of levels) {
    for (const resource of resources.childrenOf<DiagnosticProperties>(level, "diagnostics"))
      found.set(resource.name.toLowerCase(), diagnosticOf(resource, loggers));
  }
  if (found.size === 0) return null;
  const each = [...found.values()];
  const most = (of: (rule: LlmRule) => number): number =>
    each.reduce((all, { llm }) => (llm === null ? all : Math.max(all, of(llm))), 0);
  const metricLoggers = each.flatMap(({ metrics, logger }) =>
    metrics && logger?.kind === "application-insights" ? [logger] : [],
  );
  return {
    each,
    metricLoggers: metricLoggers.length === 0 ? null : metricLoggers,
    correlates: each.some(
      ({ logger, correlation }) => logger?.kind === "application-insights" && correlation === "W3C",
    ),
    llm: each.some(({ llm }) => llm !== null),
    requestBytes: most((rule) => rule.requestBytes),
    responseBytes: most((rule) => rule.responseBytes),
  };
}

function diagnosticOf(
  { name, properties }: Resource<DiagnosticProperties>,
  loggers: ReadonlyMap<string, Logger>,
): Diagnostic {
  const { sampling, largeLanguageModel: llm } = properties;
  const logger = properties.loggerId === undefined ? "" : ids.nameOf(properties.loggerId).toLowerCase();
  return {
    id: name.toLowerCase(),
    logger: loggers.get(logger) ?? null,
    allErrors: properties.alwaysLog === "allErrors",
    percentage: sampling?.percentage ?? 100,
    verbosity: properties.verbosity ?? "information",
    logClientIp: properties.logClientIp ?? false,
    correlation: properties.httpCorrelationProtocol ?? "Legacy",
    metrics: properties.metrics ?? false,
    operationNames: properties.operationNameFormat ?? "Name",
    frontendRequest: messageRule(properties.frontend?.request),
    frontendResponse: messageRule(properties.frontend?.response),
    backendRequest: messageRule(properties.backend?.request),
    backendResponse: messageRule(properties.backend?.response),
    llm:
      llm?.logs !== "enabled"
        ? null
        : { requestBytes: bytesOf(llm.requests), responseBytes: bytesOf(llm.responses) },
  };
}

function bytesOf(
  messages: { readonly messages?: string; readonly maxSizeInBytes?: number } | undefined,
): number {
  return messages?.messages?.toLowerCase() === "all" ? (messages.maxSizeInBytes ?? DEFAULT_MESSAGE_BYTES) : 0;
}

function messageRule(message: DiagnosticMessage | undefined): MessageRule | null {
  if (message === undefined) return null;
  const headers = (message.headers ?? []).map((name) => name.toLowerCase());
  const bodyBytes = message.body?.bytes ?? 0;
  const { headers: maskHeaders = [], queryParams = [] } = message.dataMasking ?? {};
  const masks = (list: typeof maskHeaders): Map<string, "Mask" | "Hide"> =>
    new Map(list.map(({ value, mode }) => [(value ?? "").toLowerCase(), mode ?? "Mask"]));
  const maskedQuery = masks(queryParams);
  if (headers.length === 0 && bodyBytes === 0 && maskedQuery.size === 0) return null;
  return { headers, bodyBytes, maskedHeaders: masks(maskHeaders), maskedQuery };
}

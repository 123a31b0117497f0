import type { OpenProperties, Reference } from "./resource.ts";

/** `loggers`. Source: spec "Resource model" 1.13. */
export interface LoggerProperties extends OpenProperties {
  /** `applicationInsights`, `azureEventHub`, `azureMonitor`, and ours: `otlp`, `file`, `kafka`. */
  loggerType?: string;
  credentials?: { [name: string]: string };
  resourceId?: string;
  description?: string;
  isBuffered?: boolean;
}

/** `diagnostics` of the service, a workspace or an API. */
export interface DiagnosticProperties extends OpenProperties {
  loggerId?: Reference;
  alwaysLog?: "allErrors";
  sampling?: { samplingType?: string; percentage?: number };
  verbosity?: "error" | "information" | "verbose";
  logClientIp?: boolean;
  httpCorrelationProtocol?: "None" | "Legacy" | "W3C";
  metrics?: boolean;
  operationNameFormat?: "Name" | "Url";
  frontend?: { request?: DiagnosticMessage; response?: DiagnosticMessage };
  backend?: { request?: DiagnosticMessage; response?: DiagnosticMessage };
  largeLanguageModel?: LargeLanguageModelDiagnostic;
}

export interface DiagnosticMessage extends OpenProperties {
  headers?: string[];
  /** `bytes` 0-8192. */
  body?: { bytes?: number };
  dataMasking?: { headers?: DataMask[]; queryParams?: DataMask[] };
}

export interface DataMask extends OpenProperties {
  value?: string;
  mode?: "Mask" | "Hide";
}

export interface LargeLanguageModelDiagnostic extends OpenProperties {
  logs?: "enabled" | "disabled";
  requests?: { messages?: string; maxSizeInBytes?: number };
  responses?: { messages?: string; maxSizeInBytes?: number };
}

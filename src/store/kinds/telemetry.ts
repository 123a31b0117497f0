import { defineKind, names } from "./kind.ts";
import * as is from "./shape.ts";

const mask = is.object({ value: is.text(), mode: is.oneOf("Mask", "Hide") });
const message = is.object({
  headers: is.list(is.text()),
  body: is.object({ bytes: is.integer(0, 8192) }),
  dataMasking: is.object({ headers: is.list(mask), queryParams: is.list(mask) }),
});
const exchange = is.object({ request: message, response: message });
const prompts = is.object({ messages: is.text(), maxSizeInBytes: is.integer(1, 262_144) });

const diagnosticProperties = {
  loggerId: is.text(),
  alwaysLog: is.oneOf("allErrors"),
  sampling: is.object({ samplingType: is.text(), percentage: is.number(0, 100) }),
  verbosity: is.oneOf("error", "information", "verbose"),
  logClientIp: is.boolean,
  httpCorrelationProtocol: is.oneOf("None", "Legacy", "W3C"),
  metrics: is.boolean,
  operationNameFormat: is.oneOf("Name", "Url"),
  frontend: exchange,
  backend: exchange,
  largeLanguageModel: is.object({
    logs: is.oneOf("enabled", "disabled"),
    requests: prompts,
    responses: prompts,
  }),
};

const loggerReference = { at: "loggerId", to: "loggers", noun: "logger" };

export const logger = defineKind("loggers", {
  noun: "logger",
  properties: {
    loggerType: is.text(),
    credentials: is.map(is.text()),
    resourceId: is.text(),
    description: is.text(256),
    isBuffered: is.boolean,
  },
  required: ["loggerType"],
  names: names.long,
  artifact: { folders: ["loggers"], files: ["loggerInformation"] },
});

export const diagnostic = defineKind("diagnostics", {
  noun: "diagnostic",
  properties: diagnosticProperties,
  required: ["loggerId"],
  references: [loggerReference],
  artifact: { folders: ["diagnostics"], files: ["diagnosticInformation"] },
});

export const apiDiagnostic = defineKind("apis/diagnostics", {
  noun: "diagnostic",
  properties: diagnosticProperties,
  required: ["loggerId"],
  references: [loggerReference],
  artifact: { folders: ["diagnostics"], files: ["diagnosticInformation", "apiDiagnosticInformation"] },
});

/** The operations of an OpenAPI 3 document. */
import type { Problem } from "../../../base/problem.ts";
import type {
  OperationProperties,
  OperationRequest,
  OperationResponse,
  ParameterContract,
} from "../../../contract/apis.ts";
import { operationAlias } from "../../ids.ts";
import { isObject, type PropertyPath } from "../../kinds/shape.ts";
import { problem } from "../../messages.ts";
import type { ParsedFile } from "../source.ts";
import type { ImportedOperation, ImportOptions } from "./import.ts";
import type { References } from "./references.ts";
import { readRepresentations, toParameter } from "./representations.ts";

const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
/** The cloud drops bodies of these on import. */
const BODILESS = new Set(["get", "head", "options"]);
const MAX_OPERATIONS = 20_000;

/** What reading one document needs everywhere. */
export interface Reading {
  readonly references: References;
  readonly options: ImportOptions;
  readonly problems: Problem[];
  readonly file: ParsedFile;
}

export function readOperations(
  document: Record<string, unknown>,
  references: References,
  options: ImportOptions,
  problems: Problem[],
  file: ParsedFile,
): ImportedOperation[] {
  const reading: Reading = { references, options, problems, file };
  const names = new Set<string>();
  const operations: ImportedOperation[] = [];
  for (const section of ["paths", "x-ms-paths"]) {
    const paths = document[section];
    if (!isObject(paths)) continue;
    for (const [template, value] of Object.entries(paths)) {
      if (!template.startsWith("/")) {
        if (!template.startsWith("x-")) skip(reading, `\`${template}\` is not a path`, [section, template]);
        continue;
      }
      const item = references.follow(value, [section, template]);
      if (!item) continue;
      for (const method of METHODS) {
        const operation = item[method];
        if (!isObject(operation)) continue;
        if (operations.length >= MAX_OPERATIONS) {
          skip(reading, `the specification has more than ${MAX_OPERATIONS} operations`, [section, template]);
          return operations;
        }
        const path = [section, template, method];
        const name = uniqueName(nameOf(operation, method, template), names, reading, path);
        operations.push({
          name,
          path,
          properties: readOperation(reading, operation, item, method, template, path),
        });
      }
    }
  }
  return operations;
}

function skip({ problems, file }: Reading, reason: string, path: PropertyPath): void {
  problems.push(problem("HG5307", { reason }, file.locate(path, { key: true })));
}

/** A legal `operationId` as it is; else made legal; without one `{method}-{path words}`. */
function nameOf(operation: Record<string, unknown>, method: string, template: string): string {
  const id = operation["operationId"];
  if (typeof id === "string" && id.trim() !== "") {
    return id.length <= 80 && /^[^*#&+:<>?/\\%\s]+$/.test(id) ? id : operationAlias(id) || method;
  }
  return operationAlias(`${method}-${template}`) || method;
}

/** `-1`, `-2`, … on collision; two operations with one id are legal nowhere but common. */
function uniqueName(wanted: string, taken: Set<string>, reading: Reading, path: PropertyPath): string {
  let name = wanted;
  for (let i = 1; taken.has(name.toLowerCase()); i++) name = `${wanted}-${i}`;
  taken.add(name.toLowerCase());
  if (name !== wanted) {
    const at = reading.file.locate([...path, "operationId"]);
    reading.problems.push(problem("HG5306", { id: wanted, name }, at));
  }
  return name;
}

function readOperation(
  reading: Reading,
  operation: Record<string, unknown>,
  item: Record<string, unknown>,
  method: string,
  template: string,
  path: PropertyPath,
): OperationProperties {
  const parameters = collectParameters(reading, operation, item, path);
  const { urlTemplate, templateParameters, queryParameters } = urlOf(reading, template, parameters, path);
  const headers = parameters.filter(({ place }) => place === "header").map(({ contract }) => contract);
  const id = textOf(operation["operationId"]);
  const upper = method.toUpperCase();
  const request: OperationRequest = {};
  if (queryParameters.length > 0) request.queryParameters = queryParameters;
  if (headers.length > 0) request.headers = headers;
  const body = BODILESS.has(method)
    ? undefined
    : reading.references.follow(operation["requestBody"], [...path, "requestBody"]);
  if (body) {
    if (body["required"] === true) request.required = true;
    if (textOf(body["description"])) request.description = textOf(body["description"]);
    const representations = readRepresentations(reading, body["content"], [
      ...path,
      "requestBody",
      "content",
    ]);
    if (representations.length > 0) request.representations = representations;
  }
  const description = textOf(operation["description"]) ?? textOf(operation["summary"]);
  return {
    displayName: (textOf(operation["summary"]) ?? id ?? `${upper} ${template}`).slice(0, 300),
    method: upper,
    urlTemplate,
    templateParameters,
    ...(description !== undefined && { description: description.slice(0, 1000) }),
    ...(Object.keys(request).length > 0 && { request }),
    responses: readResponses(reading, operation["responses"], [...path, "responses"]),
  };
}

interface Parameter {
  readonly place: string;
  readonly contract: ParameterContract;
}

/** Parameters of the path item and of the operation; the latter win (OpenAPI 3.1 §4.8.10). */
function collectParameters(
  reading: Reading,
  operation: Record<string, unknown>,
  item: Record<string, unknown>,
  path: PropertyPath,
): Parameter[] {
  const found = new Map<string, Parameter>();
  const add = (list: unknown, at: PropertyPath) => {
    if (!Array.isArray(list)) return;
    list.forEach((entry, i) => {
      const parameter = reading.references.follow(entry, [...at, i]);
      const name = parameter && textOf(parameter["name"]);
      const place = parameter && textOf(parameter["in"])?.toLowerCase();
      if (!parameter || name === undefined || place === undefined) return;
      const key = `${place}\n${place === "header" ? name.toLowerCase() : name}`;
      found.set(key, { place, contract: toParameter(reading, name, parameter, [...at, i]) });
    });
  };
  add(item["parameters"], [...path.slice(0, -1), "parameters"]);
  add(operation["parameters"], [...path, "parameters"]);
  return [...found.values()];
}

/**
 * The URL template and what it names. Names the path uses but nobody declares are added: the router
 * needs them, and documents without them are common.
 */
function urlOf(
  { options, problems, file }: Reading,
  template: string,
  parameters: Parameter[],
  path: PropertyPath,
) {
  const inPath = new Set([...template.matchAll(/\{\*?([^{}]+?)\*?\}/g)].map((match) => match[1]!));
  const declared = parameters.filter(({ place }) => place === "path").map(({ contract }) => contract);
  const templateParameters: ParameterContract[] = [];
  for (const name of inPath) {
    const known = declared.find((contract) => contract.name === name);
    templateParameters.push({ ...(known ?? { name, type: "string" }), required: true });
  }
  const queryParameters: ParameterContract[] = [];
  const pairs: string[] = [];
  for (const { place, contract } of parameters) {
    if (place !== "query") continue;
    const clash = inPath.has(contract.name!);
    if (contract.required === true && options.requiredQueryParameters === "template" && !clash) {
      pairs.push(`${contract.name}={${contract.name}}`);
      templateParameters.push(contract);
    } else {
      if (clash && contract.required === true) {
        problems.push(problem("HG5310", { name: contract.name! }, file.locate(path, { key: true })));
      }
      queryParameters.push(contract);
    }
  }
  const joined = pairs.length === 0 ? "" : (template.includes("?") ? "&" : "?") + pairs.join("&");
  return { urlTemplate: template + joined, templateParameters, queryParameters };
}

function readResponses(reading: Reading, responses: unknown, path: PropertyPath): OperationResponse[] {
  if (!isObject(responses)) return [];
  const read: OperationResponse[] = [];
  // Exact codes first: whoever looks for one finds its own description before that of its range.
  const statuses = Object.keys(responses).sort((a, b) => rank(a) - rank(b));
  for (const status of statuses) {
    const code = statusOf(status, statuses.length === 1);
    if (code === undefined) continue;
    const at = [...path, status];
    const response = reading.references.follow(responses[status], at);
    if (!response) continue;
    const representations = readRepresentations(reading, response["content"], [...at, "content"]);
    const headers = isObject(response["headers"]) ? Object.entries(response["headers"]) : [];
    read.push({
      ...code,
      ...(textOf(response["description"]) !== undefined && { description: textOf(response["description"]) }),
      ...(headers.length > 0 && {
        headers: headers.map(([name, header]) => {
          const target = reading.references.follow(header, [...at, "headers", name]) ?? {};
          return toParameter(reading, name, target, [...at, "headers", name]);
        }),
      }),
      ...(representations.length > 0 && { representations }),
    });
  }
  return read;
}

const rank = (status: string): number => (/^\d+$/.test(status) ? 0 : status === "default" ? 2 : 1);

/**
 * `4XX` stands for 400 where one code is asked for, `default` alone for 200 and beside others for 500; the range says what
 * else they describe.
 */
function statusOf(
  status: string,
  alone: boolean,
): Pick<OperationResponse, "statusCode" | "range"> | undefined {
  if (/^[1-5]\d\d$/.test(status)) return { statusCode: Number(status) };
  if (/^[1-5]XX$/i.test(status)) return { statusCode: Number(status[0]) * 100, range: status.toUpperCase() };
  return status === "default" ? { statusCode: alone ? 200 : 500, range: status } : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

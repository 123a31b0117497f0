/** `apis/operations` → what the router matches and `mock-response` answers with. */
import { exampleFor } from "../base/schema-example.ts";
import { isJsonObject } from "../base/json-object.ts";
import type { ApiSchemaProperties, OperationProperties, Representation } from "../contract/apis.ts";
import type { Resource } from "../contract/resource.ts";
import type { MockResponse } from "../gateway/snapshot.ts";
import { compileTemplate, type TemplateMatcher } from "../gateway/template.ts";
import type { ResourceSet } from "../store/resource-set.ts";

/** @returns the matcher, or why the template cannot be used */
export function templateOf(operation: Resource<OperationProperties>): TemplateMatcher | string {
  return compileTemplate(operation.properties.urlTemplate ?? "/");
}

/** Examples as text, in order of definition; samples from schemas are made when there is no example. */
export function mockResponses(
  resources: ResourceSet,
  apiId: string,
  operation: Resource<OperationProperties>,
): MockResponse[] {
  return (operation.properties.responses ?? []).map((response) => ({
    status: Number(response.statusCode ?? 200),
    representations: (response.representations ?? []).map((representation) => {
      const examples = examplesOf(representation);
      return {
        contentType: representation.contentType ?? "application/json",
        examples,
        sample: examples.length > 0 ? null : sampleOf(resources, apiId, representation),
      };
    }),
  }));
}

function examplesOf(representation: Representation): string[] {
  const named = Object.values(representation.examples ?? {}).flatMap((example) =>
    isJsonObject(example) && example["value"] !== undefined ? [asText(example["value"])] : [],
  );
  const legacy = representation["sample"];
  return typeof legacy === "string" && legacy !== "" ? [legacy, ...named] : named;
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function sampleOf(resources: ResourceSet, apiId: string, representation: Representation): string | null {
  if (!/json/i.test(representation.contentType ?? "")) return null;
  const schema = schemaOf(resources, apiId, representation);
  return schema === null ? null : JSON.stringify(exampleFor(schema, ""));
}

function schemaOf(resources: ResourceSet, apiId: string, representation: Representation): unknown {
  if (representation["schema"] !== undefined) return representation["schema"];
  const { schemaId, typeName } = representation;
  if (schemaId === undefined || typeName === undefined) return null;
  const schema = resources.get<ApiSchemaProperties>(
    `${apiId}/schemas/${schemaId.slice(schemaId.lastIndexOf("/") + 1)}`,
  );
  const document = schema?.properties.document;
  if (!isJsonObject(document)) return null;
  const pointer = isJsonObject(document["components"]) ? "#/components/schemas/" : "#/definitions/";
  return { ...document, $ref: pointer + typeName.replaceAll("~", "~0").replaceAll("/", "~1") };
}

/** `apis/operations` → what the router matches and `mock-response` answers with. */
import { exampleFor } from "../base/schema-example.ts";
import { isJsonObject } from "../base/json-object.ts";
import { stepsOf } from "../compiler/compile.ts";
import type { Plan } from "../compiler/policy.ts";
import type { OperationProperties, Representation } from "../contract/apis.ts";
import type { Resource } from "../contract/resource.ts";
import type { MockResponse, Operation, OperationContract } from "../gateway/snapshot.ts";
import type { TemplateMatcher } from "../gateway/template.ts";
import type { SchemaPlaces } from "./contracts.ts";

/** One operation, which may serve many snapshots: it holds nothing but what is handed in here. */
export function buildOperation(
  { name, properties }: Resource<OperationProperties>,
  matcher: TemplateMatcher,
  plan: Plan,
  productPlans: ReadonlyMap<string, Plan>,
  schemas: SchemaPlaces,
  contract: () => OperationContract,
): Operation {
  return {
    id: name,
    name: properties.displayName ?? name,
    method: (properties.method ?? "GET").toUpperCase(),
    urlTemplate: properties.urlTemplate ?? "/",
    matcher,
    plan,
    productPlans,
    cors: stepsOf("cors", plan.inbound),
    responses: mockResponses(schemas, properties),
    get contract() {
      return contract();
    },
  };
}

const NONE: readonly MockResponse[] = [];

/** Examples as text, in order of definition; samples from schemas are made when there is no example. */
function mockResponses(schemas: SchemaPlaces, { responses }: OperationProperties): readonly MockResponse[] {
  if (responses === undefined) return NONE;
  return responses.map((response) => ({
    status: Number(response.statusCode ?? 200),
    representations: (response.representations ?? []).map((representation) => {
      const examples = examplesOf(representation);
      return {
        contentType: representation.contentType ?? "application/json",
        examples,
        sample: examples.length > 0 ? null : sampleOf(schemas, representation),
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

function sampleOf(schemas: SchemaPlaces, representation: Representation): string | null {
  if (!/json/i.test(representation.contentType ?? "")) return null;
  const schema = schemaOf(schemas, representation);
  return schema === null ? null : JSON.stringify(exampleFor(schema, ""));
}

function schemaOf({ own }: SchemaPlaces, representation: Representation): unknown {
  if (representation["schema"] !== undefined) return representation["schema"];
  const { schemaId, typeName } = representation;
  if (schemaId === undefined || typeName === undefined) return null;
  const document = own.get(schemaId.slice(schemaId.lastIndexOf("/") + 1).toLowerCase())?.document;
  if (!isJsonObject(document)) return null;
  const pointer = isJsonObject(document["components"]) ? "#/components/schemas/" : "#/definitions/";
  return { ...document, $ref: pointer + typeName.replaceAll("~", "~0").replaceAll("/", "~1") };
}

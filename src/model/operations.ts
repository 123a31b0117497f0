/** `apis/operations` → what the router matches and `mock-response` answers with. */
import { exampleFor } from "../base/schema-example.ts";
import { isJsonObject } from "../base/json-object.ts";
import { stepsOf } from "../compiler/compile.ts";
import type { Plan, Step } from "../compiler/policy.ts";
import type { OperationProperties, Representation } from "../contract/apis.ts";
import type { Resource } from "../contract/resource.ts";
import type { MockResponse, Operation, OperationContract } from "../gateway/snapshot.ts";
import type { TemplateMatcher } from "../gateway/template.ts";
import { contractOf, inlineSchema, type SchemaPlaces } from "./contracts.ts";

/** One operation, which may serve many snapshots: it holds nothing but what is handed in here. */
export class BuiltOperation implements Operation {
  readonly id: string;
  readonly name: string;
  readonly method: string;
  readonly urlTemplate: string;
  readonly matcher: TemplateMatcher;
  readonly plan: Plan;
  readonly productPlans: ReadonlyMap<string, Plan>;
  readonly cors: readonly Step[];
  readonly productCors: ReadonlyMap<string, readonly Step[]>;
  readonly responses: readonly MockResponse[];
  readonly #properties: OperationProperties;
  readonly #schemas: SchemaPlaces;
  #contract: OperationContract | null = null;

  constructor(
    { name, properties }: Resource<OperationProperties>,
    matcher: TemplateMatcher,
    plan: Plan,
    productPlans: readonly (readonly [string, Plan])[],
    schemas: SchemaPlaces,
  ) {
    this.id = name;
    this.name = properties.displayName ?? name;
    this.method = (properties.method ?? "GET").toUpperCase();
    this.urlTemplate = properties.urlTemplate ?? "/";
    this.matcher = matcher;
    this.plan = plan;
    this.productPlans = productPlans.length === 0 ? NO_PLANS : new Map(productPlans);
    this.cors = corsOf(plan);
    this.productCors =
      productPlans.length === 0 ? NO_CORS : new Map(productPlans.map(([id, one]) => [id, corsOf(one)]));
    this.responses = mockResponses(schemas, properties);
    this.#properties = properties;
    this.#schemas = schemas;
  }

  /** Most operations are never validated: made when it is first asked for, and then always the same. */
  get contract(): OperationContract {
    return (this.#contract ??= contractOf(this.#schemas, this.#properties));
  }
}

const NO_PLANS: ReadonlyMap<string, Plan> = new Map();
const NO_CORS: ReadonlyMap<string, readonly Step[]> = new Map();
const NO_STEPS: readonly Step[] = [];
const NONE: readonly MockResponse[] = [];

function corsOf(plan: Plan): readonly Step[] {
  const steps = stepsOf("cors", plan.inbound);
  return steps.length === 0 ? NO_STEPS : steps;
}

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

function schemaOf(schemas: SchemaPlaces, representation: Representation): unknown {
  const inline = inlineSchema(schemas, representation);
  if (inline !== null) return inline;
  const { schemaId, typeName } = representation;
  if (schemaId === undefined || typeName === undefined) return null;
  const document = schemas.own.get(schemaId.slice(schemaId.lastIndexOf("/") + 1).toLowerCase())?.document;
  if (!isJsonObject(document)) return null;
  const pointer = isJsonObject(document["components"]) ? "#/components/schemas/" : "#/definitions/";
  return { ...document, $ref: pointer + typeName.replaceAll("~", "~0").replaceAll("/", "~1") };
}

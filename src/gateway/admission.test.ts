import { expect, test } from "vitest";
import { admit } from "./admission.ts";
import { GatewayError, errorBody } from "./errors.ts";
import type { GatewayOptions, Subscription } from "./snapshot.ts";
import {
  type ApiFields,
  REQUEST_ID,
  type RequestFields,
  apiOf,
  exchangeOf,
  productOf,
  snapshotOf,
  subscriptionOf,
} from "./testing.ts";

const mine = productOf("mine", ["a"]);
const other = productOf("other", ["b"]);
const open = productOf("open", ["a"], { subscriptionRequired: false });
const unpublished = productOf("draft", ["a"], { state: "NotPublished" });
const user = {
  id: "u",
  email: "",
  firstName: "",
  lastName: "",
  note: "",
  registrationMs: 0,
  groups: [],
  identities: [],
  blocked: false,
};

const subscriptions: readonly Subscription[] = [
  subscriptionOf("master", { kind: "all" }),
  subscriptionOf("api-a", { kind: "api", apiId: "a" }),
  subscriptionOf("api-b", { kind: "api", apiId: "b" }),
  subscriptionOf("mine", { kind: "product", product: mine }),
  subscriptionOf("other", { kind: "product", product: other }),
  subscriptionOf("draft", { kind: "product", product: unpublished }),
  ...(["suspended", "submitted", "rejected", "cancelled", "expired"] as const).map((state) =>
    subscriptionOf(state, { kind: "product", product: mine }, { state }),
  ),
  subscriptionOf("blocked", { kind: "all" }, { user: { ...user, blocked: true } }),
  subscriptionOf("ended", { kind: "all" }, { endMs: 1, startMs: 0 }),
];

interface Setting {
  readonly required?: boolean;
  readonly openProduct?: boolean;
  readonly api?: Partial<ApiFields>;
  readonly options?: Partial<GatewayOptions>;
}

function admitted(fields: RequestFields, setting: Setting = {}) {
  const api = apiOf({
    path: "a",
    subscriptionRequired: setting.required ?? true,
    openProduct: setting.openProduct === true ? open : null,
    ...setting.api,
  });
  const snapshot = snapshotOf({ apis: [api], subscriptions, options: setting.options });
  const exchange = exchangeOf(fields, snapshot);
  exchange.api = api;
  let outcome = "";
  try {
    admit(snapshot, exchange);
    outcome = `${exchange.subscription?.id ?? "anonymous"} ${exchange.product?.id ?? "-"}`;
  } catch (error) {
    outcome = (error as GatewayError).reason;
    return { outcome, exchange, error: error as GatewayError };
  }
  return { outcome, exchange, error: null };
}

const withKey = (key: string): RequestFields => ({ headers: ["Ocp-Apim-Subscription-Key", key] });
const MISSING = "SubscriptionKeyNotFound";
const INVALID = "SubscriptionKeyInvalid";

/** `routing.md` §4.2, row by row. */
test.each<[key: string | null, required: boolean, openProduct: boolean, outcome: string]>([
  ["master-1", true, false, "master -"],
  ["master-1", false, true, "master -"],
  ["master-2", true, false, "master -"],
  ["api-a-1", true, false, "api-a -"],
  ["api-a-1", true, true, "api-a -"],
  ["mine-1", true, false, "mine mine"],
  ["mine-2", true, true, "mine mine"],
  ["mine-1", false, false, "mine mine"],
  // Another API, or a product without this one
  ["api-b-1", true, false, INVALID],
  ["other-1", true, false, INVALID],
  ["other-1", true, true, "anonymous open"],
  ["other-1", false, true, "anonymous open"],
  ["other-1", false, false, "anonymous -"],
  // Unknown or not active
  ["nobody", true, false, INVALID],
  ["MINE-1", true, false, INVALID],
  ["suspended-1", true, false, INVALID],
  ["submitted-1", true, false, INVALID],
  ["rejected-1", true, false, INVALID],
  ["cancelled-1", true, false, INVALID],
  ["expired-1", true, false, INVALID],
  ["blocked-1", true, false, INVALID],
  ["nobody", true, true, "anonymous open"],
  ["suspended-1", false, true, "anonymous open"],
  ["nobody", false, false, "anonymous -"],
  ["suspended-1", false, false, "anonymous -"],
  // No key
  [null, true, true, "anonymous open"],
  [null, false, true, "anonymous open"],
  [null, false, false, "anonymous -"],
  [null, true, false, MISSING],
  // Neither a product's state nor dates count
  ["draft-1", true, false, "draft draft"],
  ["ended-1", true, false, "ended -"],
])("key %s, required %s, open product %s: %s", (key, required, openProduct, outcome) => {
  expect(admitted(key === null ? {} : withKey(key), { required, openProduct }).outcome).toBe(outcome);
});

const bearer: Partial<ApiFields> = { bearerKey: true };
const named: Partial<ApiFields> = { subscriptionKeyParameterNames: { header: "api-key", query: "k" } };
const inAuthorization: Partial<ApiFields> = {
  subscriptionKeyParameterNames: { header: "Authorization", query: "" },
};

/** `routing.md` §4.1. */
test.each<[string, RequestFields, Partial<ApiFields>, string]>([
  ["the header's name has no case", { headers: ["OCP-APIM-subscription-key", "mine-1"] }, {}, "mine mine"],
  ["query", { target: "/?subscription-key=mine-1" }, {}, "mine mine"],
  ["query, name without case", { target: "/?x=1&Subscription-Key=mine-1" }, {}, "mine mine"],
  ["query, encoded", { target: "/?subscription-key=mine%2D1" }, {}, "mine mine"],
  [
    "several query values: the first",
    { target: "/?subscription-key=mine-1&subscription-key=x" },
    {},
    "mine mine",
  ],
  ["header wrong, query right", { target: "/?subscription-key=mine-1", ...withKey("x") }, {}, INVALID],
  ["header empty, query right", { target: "/?subscription-key=mine-1", ...withKey("") }, {}, "mine mine"],
  ["both empty", { target: "/?subscription-key=", ...withKey("") }, {}, MISSING],
  ["own names", { headers: ["Api-Key", "mine-1"] }, named, "mine mine"],
  ["own names, query", { target: "/?k=mine-1" }, named, "mine mine"],
  ["own names: the default is no key", withKey("mine-1"), named, MISSING],
  ["own names: nor in the query", { target: "/?subscription-key=mine-1" }, named, MISSING],
  ["whole Authorization header", { headers: ["Authorization", "mine-1"] }, inAuthorization, "mine mine"],
  ["bearer", { headers: ["Authorization", "Bearer mine-1"] }, bearer, "mine mine"],
  ["bearer, any case and spaces", { headers: ["authorization", "bearer   mine-1 "] }, bearer, "mine mine"],
  ["bearer where not enabled", { headers: ["Authorization", "Bearer mine-1"] }, {}, MISSING],
  ["unknown bearer", { headers: ["Authorization", "Bearer eyJ.x.y"] }, bearer, INVALID],
  ["another scheme", { headers: ["Authorization", "Basic mine-1"] }, bearer, MISSING],
  [
    "a token beside a key",
    { headers: ["Authorization", "Bearer eyJ.x.y", "Ocp-Apim-Subscription-Key", "mine-1"] },
    bearer,
    "mine mine",
  ],
  ["a very long key", withKey("x".repeat(100_000)), {}, INVALID],
])("%s", (_name, fields, api, outcome) => {
  expect(admitted(fields, { api }).outcome).toBe(outcome);
});

test("the 401s, to the byte", () => {
  const missing = admitted({ headers: ["Host", "gw.example:8443"] }, { api: { path: "/a/b/" } }).error!;
  expect(errorBody(missing, REQUEST_ID)).toBe(
    '{ "statusCode": 401, "message": "Access denied due to missing subscription key. Make sure to include subscription key when making requests to an API." }',
  );
  expect(Buffer.byteLength(errorBody(missing, REQUEST_ID))).toBe(152);
  expect(missing).toMatchObject({
    source: "authorization",
    message:
      "Access denied due to missing subscription key. Make sure to include subscription key when making requests to this API.",
    headers: [
      "WWW-Authenticate",
      'AzureApiManagementKey realm="https://gw.example:8443/a/b",name="Ocp-Apim-Subscription-Key",type="header"',
    ],
  });
  const invalid = admitted(withKey("x"), {
    api: { ...named, subscriptionKeyParameterNames: { header: "Ocp-Apim-Subscription-Key", query: "" } },
  }).error!;
  expect(errorBody(invalid, REQUEST_ID)).toBe(
    '{ "statusCode": 401, "message": "Access denied due to invalid subscription key. Make sure to provide a valid key for an active subscription." }',
  );
  expect(Buffer.byteLength(errorBody(invalid, REQUEST_ID))).toBe(143);
});

/** `routing.md` §4.4. */
test.each<[string, RequestFields, Setting, (string | null)[]]>([
  [
    "keys pass on",
    { target: "/?q=1&subscription-key=mine-1", ...withKey("mine-1") },
    {},
    ["mine-1", null, "q=1&subscription-key=mine-1"],
  ],
  [
    "a bearer key does not",
    { headers: ["Authorization", "Bearer mine-1"] },
    { api: bearer },
    [null, null, ""],
  ],
  [
    "another bearer does",
    { headers: ["Authorization", "Bearer t", "Ocp-Apim-Subscription-Key", "mine-1"] },
    { api: bearer },
    ["mine-1", "Bearer t", ""],
  ],
  [
    "known keys are stripped if so set",
    withKey("mine-1"),
    { options: { stripSubscriptionKey: "knownKeys" } },
    [null, null, ""],
  ],
  [
    "from the query too",
    { target: "/?a=1&Subscription%2Dkey=mine-1&b" },
    { options: { stripSubscriptionKey: "knownKeys" } },
    [null, null, "a=1&b"],
  ],
  [
    "unknown ones are not",
    withKey("x"),
    { required: false, options: { stripSubscriptionKey: "knownKeys" } },
    ["x", null, ""],
  ],
])("what the backend sees: %s", (_name, fields, setting, expected) => {
  const { request } = admitted(fields, setting).exchange;
  expect([
    request.headers.get("ocp-apim-subscription-key"),
    request.headers.get("authorization"),
    request.query,
  ]).toEqual(expected);
});

test("the key that was used is in the context", () => {
  expect(admitted(withKey("mine-2")).exchange.subscription).toMatchObject({
    id: "mine",
    key: "mine-2",
    primaryKey: "mine-1",
  });
});

/** The context object over a host (`expressions.md` §4). */
import { beforeEach, expect, test } from "vitest";
import { HeaderList } from "../../../base/headers.ts";
import { compileDetailed } from "../../csharp/compile-expression.ts";
import { configureBudget } from "../budget.ts";
import { NetException } from "../errors.ts";
import type { HostBody, HostContext, HostUrl } from "../host.ts";
import { textOf, typeOf } from "../values.ts";

beforeEach(() => configureBudget(() => 0));

const encoder = new TextEncoder();

class Body implements HostBody {
  readonly charset: string | null;
  readonly parsed = new Map<string, unknown>();
  consumed = false;
  reads = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: string | Uint8Array, charset: string | null = null) {
    this.#bytes = typeof bytes === "string" ? encoder.encode(bytes) : bytes;
    this.charset = charset;
  }

  bytes(): Uint8Array {
    this.reads++;
    return this.#bytes;
  }

  consume(): void {
    this.consumed = true;
  }
}

const url = (path: string, queryString: string, port = 443): HostUrl => ({
  scheme: "https",
  host: "h.example",
  port,
  path,
  queryString,
});

function host(body: HostBody | null = null, response: HostContext["response"] = null): HostContext {
  return {
    requestId: "0f8fad5b-d9cb-469f-a165-70867728950e",
    timestampMs: Date.UTC(2024, 2, 5),
    elapsedMs: () => 1500.25,
    request: {
      method: "GET",
      headers: new HeaderList(["Accept", "a", "X-One", "1", "accept", "b,c", "X-Empty", ""]),
      url: url("/a%20b", "?q=a%20b+c&Q=2&%6Eame=x&flag&e="),
      originalUrl: url("/o", "", 8443),
      matchedParameters: new Map([["Id", "42"]]),
      ipAddress: "203.0.113.7",
      body,
      certificate: null,
    },
    response,
    variables: new Map<string, unknown>([
      ["n", 7],
      ["s", "text"],
      ["nothing", null],
    ]),
    api: null,
    operation: null,
    product: null,
    subscription: null,
    user: null,
    lastError: null,
    backend: null,
    workspace: null,
    deployment: {
      region: "r",
      serviceName: "n",
      serviceId: "i",
      gatewayId: "managed",
      gateway: { id: "managed", instanceId: "x", isManaged: true },
      certificates: new Map(),
    },
    tracing: false,
    trace: () => undefined,
  };
}

function outcome(code: string, context: HostContext): string {
  const { value, diagnostics } = compileDetailed(
    code,
    /\breturn\b/.test(code) ? "block" : "expression",
    "any",
  );
  if (value === null) return diagnostics.map((d) => `${d.code} ${d.message}`).join("; ");
  try {
    const result = value(context);
    return result === null
      ? "null"
      : typeof result === "string"
        ? result
        : `${typeOf(result).name} ${textOf(result)}`;
  } catch (error) {
    if (error instanceof NetException) return `!${error.typeName.replace(/^.*\./, "")}`;
    throw error;
  }
}

const READS: readonly (readonly [string, string])[] = [
  [`context.Request.Headers.GetValueOrDefault("ACCEPT")`, "a,b,c"],
  [`string name = "accept"; return context.Request.Headers.GetValueOrDefault(name, "x");`, "a,b,c"],
  [`context.Request.Headers["accept"].Length`, "System.Int32 2"],
  [`context.Request.Headers["nope"]`, "!KeyNotFoundException"],
  [`context.Request.Headers.GetValueOrDefault("x-empty", "d") + "|"`, "|"],
  [`context.Request.Headers.GetValueOrDefault("nope", new[] { "d" })[0]`, "d"],
  [`string.Join(",", context.Request.Headers.Keys)`, "Accept,X-One,X-Empty"],
  [`context.Request.Headers.Count`, "System.Int32 3"],
  [
    `string.Join(";", context.Request.Headers.Select(h => h.Key + "=" + string.Join("&", h.Value)))`,
    "Accept=a&b,c;X-One=1;X-Empty=",
  ],
  [
    `context.Request.Headers.Where(h => h.Key.StartsWith("X-")).ToDictionary(h => h.Key, h => h.Value.First())["X-One"]`,
    "1",
  ],
  [
    `JsonConvert.SerializeObject(context.Request.Headers)`,
    `{"Accept":["a","b,c"],"X-One":["1"],"X-Empty":[""]}`,
  ],
  [`context.Request.Headers.GetValueOrDefault(null)`, "!ArgumentNullException"],
  [`string.Join("|", context.Request.Url.Query["q"])`, "a%20b+c|2"],
  [`context.Request.Url.Query.GetValueOrDefault("name")`, "x"],
  [
    `context.Request.Url.Query.GetValueOrDefault("flag", "d") + "|" + context.Request.Url.Query.GetValueOrDefault("zz", "d")`,
    "|d",
  ],
  [`context.Request.Url.ToString()`, "https://h.example/a%20b?q=a%20b+c&Q=2&%6Eame=x&flag&e="],
  [
    `context.Request.OriginalUrl.ToString() + context.Request.OriginalUrl.ToUri().Port`,
    "https://h.example:8443/o8443",
  ],
  [`context.Request.OriginalUrl + ""`, "https://h.example:8443/o"],
  [
    `context.Request.MatchedParameters["ID"] + context.Request.MatchedParameters.GetValueOrDefault("zz", "d")`,
    "42d",
  ],
  [`context.Request.MatchedParameters["zz"]`, "!KeyNotFoundException"],
  [`context.Variables["missing"] == null`, "System.Boolean True"],
  [`(int)context.Variables["missing"]`, "!NullReferenceException"],
  [`context.Variables.GetValueOrDefault<int>("nothing")`, "System.Int32 0"],
  [`context.Variables.GetValueOrDefault<string>("nothing", "d")`, "null"],
  [`context.Variables.GetValueOrDefault<string>("n")`, "!InvalidCastException"],
  [`context.Variables.GetValueOrDefault<int?>("n")`, "System.Int32 7"],
  [`context.Variables.GetValueOrDefault("n", 0L)`, "!InvalidCastException"],
  [`object v; return context.Variables.TryGetValue("s", out v) + (string)v;`, "Truetext"],
  [`string.Join(",", context.Variables.Select(v => v.Key + "=" + v.Value))`, "n=7,s=text,nothing="],
  [`context.Elapsed.TotalMilliseconds`, "System.Double 1500.25"],
  [`context.Timestamp.ToString("o")`, "2024-03-05T00:00:00.0000000Z"],
  [`context.RequestId.ToString("N")`, "0f8fad5bd9cb469fa16570867728950e"],
  [`context.User?.Email ?? "none"`, "none"],
  [`context.LastError.Message`, "!NullReferenceException"],
  [
    `context.Request.Body == null && context.Request.Certificate == null && context.GraphQL == null`,
    "System.Boolean True",
  ],
  [
    `context.Deployment.Certificates.Count + context.Deployment.SustainabilityInfo.CurrentCarbonIntensity.ToString()`,
    "0NotAvailable",
  ],
  [`"Bearer a.b".AsJwt() == null && ((string)null).AsJwt() == null`, "System.Boolean True"],
  [`"Basic dTpwOnE=".AsBasic().UserId + " " + "Basic dTpwOnE=".AsBasic().Password`, "u p:q"],
];

test.each(READS)("%s", (code, expected) => {
  expect(outcome(code, host())).toBe(expected);
});

const BODIES: readonly (readonly [code: string, body: string, expected: string])[] = [
  [
    `(string)context.Request.Body.As<JObject>(true)["d"]`,
    `{"d":"2024-03-05T10:20:30.000Z"}`,
    "03/05/2024 10:20:30",
  ],
  [
    `context.Request.Body.As<JObject>(true).ToString(Formatting.None)`,
    `{"d":"2024-03-05T10:20:30.000+02:00","n":1.50}`,
    `{"d":"2024-03-05T10:20:30.000+02:00","n":1.5}`,
  ],
  [
    `try { return context.Request.Body.As<JObject>().ToString(); } catch (Exception e) { return e.Message; }`,
    "oops",
    "The message body is not a valid JSON. Unexpected character encountered while parsing value: o. Path '', line 0, position 0.",
  ],
  [
    `try { return context.Request.Body.As<JObject>().ToString(); } catch (Exception e) { return e.Message; }`,
    "[1]",
    "The message body is not a valid JSON. Error reading JObject from JsonReader. Current JsonReader item is not an object: StartArray. Path '', line 1, position 1.",
  ],
  [`context.Request.Body.As<JArray>()[1].ToString()`, "\uFEFF[1,2]", "2"],
  [`context.Request.Body.As<XDocument>().Root.Name.LocalName`, "<a/>", "a"],
  [`((XElement)context.Request.Body.As<XNode>()).Value`, "<a>x</a>", "x"],
  [
    `context.Request.Body.As<string>(); return context.Request.Body.As<string>();`,
    "x",
    "!InvalidOperationException",
  ],
  [
    `var f = context.Request.Body.AsFormUrlEncodedContent(); f["new"].Add("a b"); return f.ToFormUrlEncodedContent() + f.ToQueryString();`,
    "x=1&x=%26&y",
    "x=1&x=%26&y=&new=a+b?x=1&x=%26&y=&new=a%20b",
  ],
  [
    `context.Request.Body.AsFormUrlEncodedContent().ToFormUrlEncodedContent() == null`,
    "",
    "System.Boolean True",
  ],
];

test.each(BODIES)("%s of %s", (code, body, expected) => {
  expect(outcome(code, host(new Body(body)))).toBe(expected);
});

test("a body is read as its charset says", () => {
  expect(
    outcome(`context.Request.Body.As<string>()`, host(new Body(Uint8Array.of(0xe9), "iso-8859-1"))),
  ).toBe("é");
});

test("a body is parsed once, and one reader's changes are not another's", () => {
  const body = new Body(`{"a":{"b":1}}`);
  const context = host(body);
  expect(
    outcome(
      `var o = context.Request.Body.As<JObject>(true); o["a"]["b"] = 2; return o.ToString(Formatting.None);`,
      context,
    ),
  ).toBe(`{"a":{"b":2}}`);
  expect(outcome(`context.Request.Body.As<JObject>(true).ToString(Formatting.None)`, context)).toBe(
    `{"a":{"b":1}}`,
  );
  expect(body.reads).toBe(1);
});

test("reading without preserveContent consumes", () => {
  const body = new Body("{}");
  outcome(`context.Request.Body.As<JObject>()`, host(body));
  expect(body.consumed).toBe(true);
});

test("a response in a variable is an IResponse, whatever class the host gives it", () => {
  const response = {
    statusCode: 201,
    statusReason: "Created",
    headers: new HeaderList(["X-R", "1"]),
    body: null,
  };
  const context = { ...host(), variables: new Map<string, unknown>([["r", response]]) };
  expect(outcome(`((IResponse)context.Variables["r"]).StatusCode`, context)).toBe("System.Int32 201");
  expect(outcome(`context.Variables["r"] is IRequest`, context)).toBe("System.Boolean False");
  expect(outcome(`(JObject)context.Variables["r"]`, context)).toBe("!InvalidCastException");
});

test("views follow what policies change", () => {
  const context = host();
  expect(outcome(`context.Request.Headers.ContainsKey("new")`, context)).toBe("System.Boolean False");
  context.request.headers.set("New", "1");
  expect(outcome(`context.Request.Headers.ContainsKey("new")`, context)).toBe("System.Boolean True");
});

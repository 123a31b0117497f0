import { describe, expect, test } from "vitest";
import { type Signable, signRequest } from "./sign.ts";
import { type Received, signatureProblem, signatureOf } from "./verify.fixture.ts";

const EXAMPLE = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  sessionToken: null,
};
const SUITE = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  sessionToken: null,
};

/** Amazon S3 API reference, "Examples: Signature Calculations": those whose signed headers are ours. */
test.each([
  ["/?lifecycle", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"],
  ["/?max-keys=2&prefix=J", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"],
])("published: GET %s", (target, signature) => {
  const rawHeaders = ["Host", "examplebucket.s3.amazonaws.com"];
  const nowMs = Date.parse("2013-05-24T00:00:00Z");
  signRequest(
    { method: "GET", target, rawHeaders, body: null },
    { keys: EXAMPLE, region: "us-east-1", service: "s3", nowMs },
  );
  expect(rawHeaders.slice(2)).toEqual([
    "X-Amz-Date",
    "20130524T000000Z",
    "X-Amz-Content-Sha256",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "Authorization",
    "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, " +
      `SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=${signature}`,
  ]);
});

/** The signature test suite (`aws-sig-v4-test-suite`): what the tests below verify with is itself right. */
test.each<[string, Partial<Received>, string, string]>([
  ["get-vanilla", {}, "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"],
  [
    "get-vanilla-query-order-key-case",
    { target: "/?Param2=value2&Param1=value1" },
    "host;x-amz-date",
    "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
  ],
  [
    "get-utf8",
    { target: "/%E1%88%B4" },
    "host;x-amz-date",
    "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
  ],
  [
    "post-vanilla",
    { method: "POST" },
    "host;x-amz-date",
    "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
  ],
  [
    "post-x-www-form-urlencoded",
    {
      method: "POST",
      body: Buffer.from("Param1=value1"),
      headers: { "content-type": "application/x-www-form-urlencoded" },
    },
    "content-type;host;x-amz-date",
    "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
  ],
])("suite: %s", (_name, given, signedHeaders, signature) => {
  const headers = { host: "example.amazonaws.com", "x-amz-date": "20150830T123600Z", ...given.headers };
  const received = { method: "GET", target: "/", body: Buffer.alloc(0), ...given, headers };
  expect(
    signatureOf(
      received,
      signedHeaders.split(";"),
      SUITE.secretAccessKey,
      "20150830/us-east-1/service/aws4_request",
    ),
  ).toBe(signature);
});

describe("verified as a server does", () => {
  const MODEL = "/model/anthropic.claude-3-5-sonnet-20240620-v1%3A0/converse-stream";
  const body = Buffer.from('{"messages":[]}');
  const signed = (
    changed: Partial<Signable>,
    sessionToken: string | null = null,
    service = "bedrock",
  ): Received => {
    const request = {
      method: "POST",
      target: MODEL,
      rawHeaders: ["Host", "bedrock-runtime.us-east-1.amazonaws.com"],
      body,
      ...changed,
    };
    signRequest(request, {
      keys: { ...SUITE, sessionToken },
      region: "us-east-1",
      service,
      nowMs: 1_700_000_000_123,
    });
    const headers: Record<string, string> = {};
    for (let i = 0; i < request.rawHeaders.length; i += 2) {
      const name = request.rawHeaders[i]!.toLowerCase();
      headers[name] =
        headers[name] === undefined
          ? request.rawHeaders[i + 1]!
          : `${headers[name]},${request.rawHeaders[i + 1]!}`;
    }
    return { method: request.method, target: request.target, headers, body: Buffer.from(request.body ?? "") };
  };

  test.each<[string, Partial<Signable>]>([
    ["a model id, escaped on the wire", {}],
    ["a model id, not escaped", { target: "/model/anthropic.claude-v2:1/invoke" }],
    [
      "an inference profile's ARN",
      {
        target:
          "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aapplication-inference-profile%2Fabc/converse",
      },
    ],
    ["no body", { method: "GET", target: "/", body: null }],
    ["a query out of order", { target: "/x?b=2&a=1&a=0&B=3&flag&=&e=%20%2f%7E'()*!&&plus=a+b" }],
    ["a query that is no escape", { target: "/x?a=%zz&b=%e4" }],
    ["dots and slashes", { target: "/a/./b//../c/" }],
    ["characters that want escaping", { target: "/a'b(c)*d!e~f$g" }],
    [
      "headers with much space and two lines",
      {
        rawHeaders: [
          "host",
          "h",
          "Content-Type",
          "  application/json;   charset=utf-8 ",
          "X-Amz-Meta",
          "a",
          "x-amz-meta",
          "b",
        ],
      },
    ],
    [
      "a caller's own empty signature",
      {
        rawHeaders: [
          "Host",
          "h",
          "authorization",
          "AWS4-HMAC-SHA256 Credential=/",
          "X-AMZ-Date",
          "1",
          "x-amz-security-token",
          "t",
          "x-amz-content-sha256",
          "0",
        ],
      },
    ],
  ])("%s", (_name, changed) => {
    for (const sessionToken of [null, "IQoJb3JpZ2luX2VjE//8="]) {
      const received = signed(changed, sessionToken);
      expect(signatureProblem(received, SUITE, "bedrock")).toBe(null);
      expect(received.headers["x-amz-security-token"]).toBe(sessionToken ?? undefined);
      expect(received.headers["x-amz-date"]).toBe("20231114T221320Z");
    }
  });

  test("the path of a model is escaped twice in what is signed", () => {
    const { headers, ...rest } = signed({});
    const scope = "20231114/us-east-1/bedrock/aws4_request";
    const names = ["host", "x-amz-content-sha256", "x-amz-date"];
    expect(headers["authorization"]).toContain(
      signatureOf({ ...rest, headers }, names, SUITE.secretAccessKey, scope),
    );
    expect(headers["authorization"]).not.toContain(
      signatureOf({ ...rest, headers }, names, SUITE.secretAccessKey, scope, false),
    );
  });

  test.each<[string, (received: Received) => Received]>([
    ["another path", (received) => ({ ...received, target: "/model/other/converse" })],
    ["another body", (received) => ({ ...received, body: Buffer.from("{}") })],
    ["another host", (received) => ({ ...received, headers: { ...received.headers, host: "h" } })],
    [
      "another token",
      (received) => ({ ...received, headers: { ...received.headers, "x-amz-security-token": "t" } }),
    ],
  ])("%s does not fit", (_name, change) => {
    expect(signatureProblem(change(signed({}, "token")), SUITE, "bedrock")).not.toBe(null);
  });
});

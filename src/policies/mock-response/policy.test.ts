import { expect, test } from "vitest";
import type { ResponseMessage } from "../../gateway/message.ts";
import type { MockResponse } from "../../gateway/snapshot.ts";
import { exchangeOf, operationOf, policyStep } from "../../gateway/testing.ts";
import { mockResponse } from "./policy.ts";

const responses: readonly MockResponse[] = [
  {
    status: 200,
    representations: [
      { contentType: "application/json", examples: ['{"a":1}', '{"a":2}'], sample: '{"a":0}' },
      { contentType: "text/xml", examples: [], sample: "<a/>" },
      { contentType: "text/plain", examples: [], sample: null },
    ],
  },
  { status: 404, representations: [] },
];

test.each<[Readonly<Record<string, unknown>>, string]>([
  [{}, '200 application/json {"a":1}'],
  [{ index: 1 }, '200 application/json {"a":2}'],
  [{ index: 9 }, '200 application/json {"a":1}'],
  [{ "content-type": "TEXT/xml" }, "200 text/xml <a/>"],
  [{ "content-type": "text/plain" }, "200 text/plain nothing"],
  [{ "content-type": "image/png" }, '200 application/json {"a":1}'],
  [{ "status-code": 404 }, "404 null nothing"],
  [{ "status-code": 500, "content-type": "text/html" }, "500 text/html nothing"],
])("%o", (attributes, expected) => {
  const exchange = exchangeOf();
  exchange.operation = operationOf({ template: "/", responses });
  const { statusCode, headers, body } = policyStep(mockResponse, { attributes }).run(
    exchange,
    null,
  ) as ResponseMessage;
  expect(
    `${statusCode} ${headers.get("content-type")} ${body === null ? "nothing" : new TextDecoder().decode(body.bytes())}`,
  ).toBe(expected);
});

test("without an operation there is an empty answer", () => {
  expect(policyStep(mockResponse).run(exchangeOf(), null)).toMatchObject({ statusCode: 200, body: null });
});

import { expect, test } from "vitest";
import { GatewayError, bodyTooLarge, errorBody, expressionFailed, operationNotFound } from "./errors.ts";
import { REQUEST_ID } from "./testing.ts";

const refusal = (message: string, status = 429, own = false): GatewayError =>
  new GatewayError({
    source: "s",
    reason: "R",
    message: "private",
    status,
    clientMessage: message,
    own,
    code: "a_code",
  });

test.each<[string, GatewayError, string, number?]>([
  // The captured length of `policies-document.md` 6.3.
  [
    "a policy's",
    refusal("Rate limit is exceeded. Try again in 57 seconds."),
    '{ "statusCode": 429, "message": "Rate limit is exceeded. Try again in 57 seconds." }',
    84,
  ],
  ["not found", operationNotFound(), '{ "statusCode": 404, "message": "Resource not found" }', 54],
  ["quotes and line breaks", refusal('a "b"\n\\'), '{ "statusCode": 429, "message": "a \\"b\\"\\n\\\\" }'],
  [
    "an unexpected one",
    expressionFailed("set-body", "secret", null),
    `{ "statusCode": 500, "message": "Internal server error", "activityId": "${REQUEST_ID}" }`,
  ],
  [
    "a 500 with words of its own",
    refusal("Ask again later", 500),
    '{ "statusCode": 500, "message": "Ask again later" }',
  ],
  [
    "one that the original does not know",
    refusal("No", 400, true),
    `{ "statusCode": 400, "message": "No", "code": "a_code", "requestId": "${REQUEST_ID}" }`,
  ],
  [
    "a response too large for memory",
    bodyTooLarge("response", 5),
    `{ "statusCode": 500, "message": "Internal server error", "activityId": "${REQUEST_ID}" }`,
  ],
])("%s", (_name, error, expected, length) => {
  expect(errorBody(error, REQUEST_ID)).toBe(expected);
  if (length !== undefined) expect(Buffer.byteLength(expected)).toBe(length);
});

test.each([
  [200, 200],
  [999, 999],
  [100, 500],
  [0, 500],
  [1000, 500],
  [Number.NaN, 500],
])("status %d is answered as %d", (given, answered) => {
  expect(refusal("x", given).status).toBe(answered);
});

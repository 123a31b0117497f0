import { describe, expect, test } from "vitest";
import { Mask, hidesName } from "./mask.ts";

function maskWith(...secrets: string[]): Mask {
  const mask = new Mask();
  for (const secret of secrets) mask.addSecret(secret);
  return mask;
}

test.each<[string[], string, string]>([
  [["hunter2!"], "password is hunter2!", "password is ***"],
  [["hunter2!"], "?a=hunter2!&b=1", "?a=***&b=1"],
  [["a b&c"], "x=a%20b%26c", "x=***"],
  [['say "hi"'], '{"v":"say \\"hi\\""}', '{"v":"***"}'],
  [["long-secret-one", "long-secret"], "long-secret-one", "***"],
  [["abc"], "abc stays: too short to hide", "abc stays: too short to hide"],
  [[], "Authorization: Bearer abcdef123456", "Authorization: Bearer ***"],
  [[], "basic dXNlcjpwYXNz", "basic ***"],
  [[], "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "***"],
  [
    [],
    "Endpoint=sb://x/;SharedAccessKeyName=n;SharedAccessKey=abc+/=;EntityPath=h",
    "Endpoint=sb://x/;SharedAccessKeyName=n;SharedAccessKey=***;EntityPath=h",
  ],
  [[], "sk-0123456789abcdefABCD", "***"],
  [[], "nothing to see", "nothing to see"],
])("secrets %j in %j", (secrets, text, shown) => {
  expect(maskWith(...secrets).text(text)).toBe(shown);
});

test.each<[string, boolean]>([
  ["Authorization", true],
  ["authorization", true],
  ["Ocp-Apim-Subscription-Key", true],
  ["api-key", true],
  ["X-Api-Key", true],
  ["x-goog-api-key", true],
  ["X-Amz-Security-Token", true],
  ["Cookie", true],
  ["Set-Cookie", true],
  ["My-Key", true],
  ["Content-Type", false],
  ["X-Monkey", false],
  ["Keep-Alive", false],
  ["Token-Count", false],
])("header %s: %s", (name, hidden) => {
  expect(new Mask().hidesHeader(name)).toBe(hidden);
});

test.each<[string, boolean]>([
  ["accessToken", true],
  ["access_token", true],
  ["apiKey", true],
  ["backend-secret", true],
  ["password", true],
  ["tokens", true],
  ["count", false],
  ["tokenCount", false],
  ["keyboard", false],
])("variable %s: %s", (name, hidden) => {
  expect(hidesName(name)).toBe(hidden);
});

describe("what is hidden in one place is hidden in others", () => {
  test("headers and their parts", () => {
    const mask = new Mask();
    mask.learnHeaders(["Accept", "text/plain", "Authorization", "Bearer tok-123", "X-Api-Key", "k-123456"]);
    expect(mask.text("tok-123, k-123456, text/plain")).toBe("***, ***, text/plain");
    mask.learnHeaders(["Authorization", `Basic ${Buffer.from("user:pass-word").toString("base64")}`]);
    expect(mask.text("user pass-word")).toBe("user ***");
  });

  test("query parameters, the API's own name for the key among them", () => {
    const mask = new Mask();
    mask.addKeyNames("X-Own", "own-name");
    mask.learnQuery("a=1&own-name=first%2Dkey&code=second");
    expect(mask.url("https://h/p?a=1&own-name=first%2Dkey&code=second&API_KEY=x")).toBe(
      "https://h/p?a=1&own-name=***&code=***&API_KEY=***",
    );
    expect(mask.text("first-key first%2Dkey second")).toBe("*** *** ***");
    expect(mask.hidesHeader("x-own")).toBe(true);
  });
});

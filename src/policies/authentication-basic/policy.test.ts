import { expect, test } from "vitest";
import { exchangeOf, policyStep } from "../../gateway/testing.ts";
import { authenticationBasic } from "./policy.ts";

test.each<[unknown, unknown, string]>([
  ["Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="], // RFC 7617 §2
  ["test", "123£", "Basic dGVzdDoxMjPCow=="], // RFC 7617 §2.1
  ["", "", "Basic Og=="],
  [() => "me", () => "a:b", "Basic bWU6YTpi"],
])("%j, %j", (username, password, expected) => {
  const exchange = exchangeOf({
    headers: ["authorization", "Bearer old", "X", "1", "Authorization", "Bearer older"],
  });
  policyStep(authenticationBasic, { attributes: { username, password } }).run(exchange, null);
  expect(exchange.request.headers.getAll("Authorization")).toEqual([expected]);
});

test("inside send-request it is that request's", () => {
  const exchange = exchangeOf();
  const own = exchangeOf().request;
  policyStep(authenticationBasic, { attributes: { username: "a", password: "b" } }).run(exchange, own);
  expect(own.headers.get("authorization")).toBe("Basic YTpi");
  expect(exchange.request.headers.has("authorization")).toBe(false);
});

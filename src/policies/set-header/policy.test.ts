import { expect, test } from "vitest";
import { HeaderList } from "../../base/headers.ts";
import { ResponseMessage } from "../../gateway/message.ts";
import { exchangeOf, policyStep, responseOf } from "../../gateway/testing.ts";
import { setHeader } from "./policy.ts";

function after(
  before: readonly string[],
  name: unknown,
  action: unknown,
  values: readonly unknown[],
): string {
  const message = new ResponseMessage(200, "", new HeaderList([...before]));
  const written = {
    attributes: { name, "exists-action": action },
    children: { value: values.map((text) => ({ text })) },
  };
  policyStep(setHeader, written).run(exchangeOf(), message);
  return message.headers.raw.map((part, i) => (i % 2 === 0 ? `${part}:` : `${part};`)).join("");
}

const X = ["a", "1", "X", "old", "b", "2"];
const NONE: readonly string[] = [];

test.each<[readonly string[], unknown, unknown, readonly unknown[], string]>([
  // The table of `policies.md` 6
  [X, "X", "override", ["new"], "a:1;X:new;b:2;"],
  [X, "x", "override", ["new"], "a:1;x:new;b:2;"],
  [NONE, "X", "override", ["new"], "X:new;"],
  [X, "x", "skip", ["new"], "a:1;X:old;b:2;"],
  [NONE, "X", "skip", ["new"], "X:new;"],
  [X, "X", "append", ["new"], "a:1;X:old,new;b:2;"],
  [NONE, "X", "append", ["new"], "X:new;"],
  [X, "x", "delete", ["ignored"], "a:1;b:2;"],
  [NONE, "X", "delete", [], ""],
  [["X", "1", "x", "2"], "X", "delete", [], ""],
  [["X", "1", "x", "2"], "X", "override", ["n"], "X:n;"],
  // Several values
  [NONE, "X", "override", ["1", "2"], "X:1,2;"],
  [X, "X", "append", ["1", "2"], "a:1;X:old,1,2;b:2;"],
  [NONE, "Set-Cookie", "override", ["1", "2"], "Set-Cookie:1;Set-Cookie:2;"],
  [["set-cookie", "0"], "Set-Cookie", "append", ["1"], "Set-Cookie:0;Set-Cookie:1;"],
  [
    NONE,
    "WWW-Authenticate",
    "override",
    ["Basic a, b", "Bearer"],
    "WWW-Authenticate:Basic a, b;WWW-Authenticate:Bearer;",
  ],
  // Null and nothing
  [X, "X", "override", [() => null], "a:1;b:2;"],
  [X, "X", "override", [], "a:1;b:2;"],
  [X, "X", "append", [() => null], "a:1;X:old;b:2;"],
  [NONE, "X", "override", [() => null, "1"], "X:1;"],
  [NONE, "X", "override", [""], "X:;"],
  [NONE, "X", "override", [undefined], "X:;"],
  // Framing is not to be touched
  [["Content-Length", "5"], "content-length", "delete", [], "Content-Length:5;"],
  [NONE, "Transfer-Encoding", "override", ["chunked"], ""],
  [NONE, "Connection", "append", ["close"], ""],
  [NONE, "keep-alive", "override", ["1"], ""],
  // Expressions; case of the action does not matter
  [X, () => "X", () => "Delete", [], "a:1;b:2;"],
  // Letters beyond Latin-1 travel as UTF-8
  [NONE, "X", "override", ["€"], "X:\u00e2\u0082\u00ac;"],
  [NONE, "X", "override", ["\u00e9"], "X:\u00e9;"],
])("%j %s %s %j", (before, name, action, values, expected) => {
  expect(after(before, name, action, values)).toBe(expected);
});

test.each<[unknown, unknown, unknown, string]>([
  ["X", "override", "a\r\nEvil: 1", "The value of header X contains a line break or control character."],
  ["X", "override", () => "a\nb", "The value of header X contains a line break or control character."],
  ["X", "override", "a\0b", "The value of header X contains a line break or control character."],
  ["X Y", "override", "1", '"X Y" is not a header name.'],
  [() => "", "override", "1", '"" is not a header name.'],
  ["X", () => "replace", "1", 'exists-action is override, skip, append or delete, not "replace".'],
])("%s %s %s is refused", (name, action, value, message) => {
  expect(() => after([], name, action, [value])).toThrow(
    expect.objectContaining({ source: "set-header", status: 500, message }),
  );
});

test("it acts on the request before the backend has answered, on the response after", () => {
  const target = (section: "inbound" | "backend" | "outbound" | "on-error"): string => {
    const exchange = exchangeOf();
    exchange.response = responseOf(200);
    const written = { attributes: { name: "X" }, children: { value: [{ text: "1" }] } };
    policyStep(setHeader, written, { section }).run(exchange, null);
    return exchange.request.headers.has("x")
      ? "request"
      : exchange.response.headers.has("x")
        ? "response"
        : "nothing";
  };
  expect([target("inbound"), target("backend"), target("outbound"), target("on-error")]).toEqual([
    "request",
    "request",
    "response",
    "response",
  ]);
});

test("a Host that was set is sent, until it is deleted", () => {
  const exchange = exchangeOf();
  const run = (action: string): void => {
    const written = {
      attributes: { name: "host", "exists-action": action },
      children: { value: [{ text: "other" }] },
    };
    policyStep(setHeader, written).run(exchange, null);
  };
  run("skip");
  expect(exchange.request.hostSet).toBe(false);
  run("override");
  expect(exchange.request).toMatchObject({ hostSet: true });
  run("delete");
  expect(exchange.request.hostSet).toBe(false);
});

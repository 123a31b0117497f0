import { expect, test } from "vitest";
import { parseRange } from "../base/addresses.ts";
import { HeaderList } from "../base/headers.ts";
import { callerBehind } from "./caller.ts";

const trusted = ["10.0.0.0/8", "2001:db8::/32"].map((text) => parseRange(text)!);

const from = (...hops: string[]): string[] => hops.flatMap((hop) => ["X-Forwarded-For", hop]);

test.each<[string, string, readonly string[], string]>([
  ["nobody trusted", "192.0.2.1", from("1.1.1.1"), "192.0.2.1"],
  ["a proxy that says nothing", "10.0.0.1", [], "10.0.0.1"],
  ["a proxy", "10.0.0.1", from("192.0.2.1"), "192.0.2.1"],
  ["a proxy, as IPv6 writes it", "::ffff:10.0.0.1", from("192.0.2.1"), "192.0.2.1"],
  ["what the caller claims comes before", "10.0.0.1", from("1.1.1.1, 192.0.2.1"), "192.0.2.1"],
  ["on a line of its own", "10.0.0.1", from("1.1.1.1", "192.0.2.1"), "192.0.2.1"],
  ["two proxies", "10.0.0.1", from("1.1.1.1, 192.0.2.1, 10.0.0.2"), "192.0.2.1"],
  ["only proxies", "10.0.0.1", from("10.0.0.3,10.0.0.2"), "10.0.0.3"],
  ["with a port", "10.0.0.1", from("192.0.2.1:4711"), "192.0.2.1"],
  ["IPv6", "2001:db8::1", from("2001:470::1"), "2001:470::1"],
  ["IPv6 in brackets", "10.0.0.1", from("[2001:470::1]:443"), "2001:470::1"],
  ["empty places", "10.0.0.1", from("192.0.2.1, ,"), "192.0.2.1"],
  ["no address", "10.0.0.1", from("192.0.2.1, unknown"), "unknown"],
])("%s", (_name, peer, headers, expected) => {
  expect(callerBehind(peer, new HeaderList([...headers]), trusted).address).toBe(expected);
});

test.each<[string, readonly string[], string | null]>([
  ["192.0.2.1", ["X-Forwarded-Proto", "https"], null],
  ["10.0.0.1", ["X-Forwarded-Proto", "https"], "https"],
  ["10.0.0.1", ["x-forwarded-proto", "https, HTTP"], "http"],
  ["10.0.0.1", ["X-Forwarded-Proto", "gopher"], null],
  ["10.0.0.1", [], null],
])("scheme of %s with %j: %s", (peer, headers, expected) => {
  expect(callerBehind(peer, new HeaderList([...headers]), trusted).scheme).toBe(expected);
});

import { expect, test } from "vitest";
import type { GatewayError } from "../../gateway/errors.ts";
import { type Written, exchangeOf, mistakesOf, policyStep } from "../../gateway/testing.ts";
import { parseAddress, parseRange, rangeOf, within } from "../../base/addresses.ts";
import { ipFilter } from "./policy.ts";

const written = (
  action: string,
  addresses: readonly unknown[],
  ranges: readonly (readonly [unknown, unknown])[] = [],
): Written => ({
  attributes: { action },
  children: {
    address: addresses.map((text) => ({ text })),
    "address-range": ranges.map(([from, to]) => ({ attributes: { from, to } })),
  },
});

function filter(remoteAddress: string, given: Written): string {
  try {
    policyStep(ipFilter, given).run(exchangeOf({ remoteAddress }), null);
    return "ok";
  } catch (error) {
    const { status, reason, message, clientMessage } = error as GatewayError;
    return `${status} ${clientMessage} ${reason}: ${message}`;
  }
}

const notAllowed = (ip: string): string =>
  `403 Forbidden CallerIpNotAllowed: Caller IP address ${ip} is not allowed. Access denied.`;
const blocked = "403 Forbidden CallerIpBlocked: Caller IP address is blocked. Access denied.";
const unknown =
  "403 Forbidden FailedToParseCallerIP: Failed to establish IP address for the caller. Access denied.";

test.each<[string, Written, string]>([
  ["10.0.0.1", written("allow", ["10.0.0.1"]), "ok"],
  ["10.0.0.2", written("allow", ["10.0.0.1"]), notAllowed("10.0.0.2")],
  ["10.0.0.1", written("forbid", ["10.0.0.1"]), blocked],
  ["10.0.0.2", written("forbid", ["10.0.0.1"]), "ok"],
  ["10.0.0.5", written("allow", [], [["10.0.0.1", "10.0.0.5"]]), "ok"],
  ["10.0.0.6", written("allow", [], [["10.0.0.1", "10.0.0.5"]]), notAllowed("10.0.0.6")],
  ["10.0.1.0", written("allow", ["1.1.1.1"], [["10.0.0.255", "10.0.2.0"]]), "ok"],
  ["10.1.2.3", written("allow", ["10.0.0.0/8"]), "ok"],
  ["11.1.2.3", written("allow", ["10.0.0.0/8"]), notAllowed("11.1.2.3")],
  ["2001:db8::7", written("allow", ["2001:DB8:0:0:0:0:0:7"]), "ok"],
  ["2001:db8::7", written("allow", ["2001:db8::/32"]), "ok"],
  ["::ffff:10.0.0.1", written("allow", ["10.0.0.1"]), "ok"],
  ["10.0.0.1", written("allow", ["::ffff:a00:1"]), "ok"],
  ["fe80::1%eth0", written("allow", ["fe80::1"]), "ok"],
  ["", written("allow", ["10.0.0.1"]), unknown],
  ["unknown", written("forbid", ["10.0.0.1"]), unknown],
  ["10.0.0.1", written("allow", [() => "10.0.0.1"]), "ok"],
  ["10.0.0.1", written("allow", [() => "nonsense"]), notAllowed("10.0.0.1")],
  ["10.0.0.9", written("forbid", [], [[() => "10.0.0.1", "10.0.0.9"]]), blocked],
  [
    "10.0.0.9",
    written("forbid", ["10.0.0.1", () => "nonsense"]),
    "500 Internal server error AddressInvalid: An expression gave something that is no address, CIDR block or range of addresses.",
  ],
  [
    "10.0.0.9",
    { ...written("allow", ["10.0.0.9"]), attributes: { action: () => "Deny" } },
    '500 Internal server error AddressInvalid: action is allow or forbid, not "deny".',
  ],
])("%s %#", (address, given, expected) => {
  expect(filter(address, given)).toBe(expected);
});

test("X-Forwarded-For does not count", () => {
  const step = policyStep(ipFilter, written("allow", ["10.0.0.1"]));
  const exchange = exchangeOf({ remoteAddress: "10.0.0.2", headers: ["X-Forwarded-For", "10.0.0.1"] });
  expect(() => step.run(exchange, null)).toThrow("10.0.0.2");
});

test.each<[Written, readonly string[]]>([
  [written("allow", ["10.0.0.1"]), []],
  [written("allow", []), ["at least one <address> or <address-range> is needed"]],
  [written("allow", ["10.0.0.256"]), ['"10.0.0.256" is not an IP address or CIDR block']],
  [written("allow", ["10.0.0.0/33"]), ['"10.0.0.0/33" is not an IP address or CIDR block']],
  [
    written("allow", [], [["10.0.0.2", "10.0.0.1"]]),
    ['"10.0.0.2" to "10.0.0.1" is not a range of addresses'],
  ],
  [written("allow", [], [["10.0.0.2", "::1"]]), ['"10.0.0.2" to "::1" is not a range of addresses']],
])("mistakes %#", (given, expected) => {
  expect(mistakesOf(ipFilter, given)).toEqual(expected);
});

test.each<[string, string | null]>([
  ["0.0.0.0", "ffff00000000"],
  ["255.255.255.255", "ffffffffffff"],
  ["::", "0"],
  ["::1", "1"],
  ["1::", "10000000000000000000000000000"],
  ["1:2:3:4:5:6:7:8", "10002000300040005000600070008"],
  ["::ffff:1.2.3.4", "ffff01020304"],
  ["1:2:3:4:5:6:1.2.3.4", "10002000300040005000601020304"],
  ["1.2.3", null],
  ["1.2.3.4.5", null],
  ["01.2.3.400", null],
  ["1:2:3:4:5:6:7", null],
  ["1:2:3:4:5:6:7:8:9", null],
  ["1::2::3", null],
  ["12345::", null],
  ["g::", null],
  ["1.2.3.4:5::", null],
])("address %s", (text, expected) => {
  expect(parseAddress(text)?.toString(16) ?? null).toBe(expected);
});

test("a block holds its first and last address", () => {
  const range = parseRange("192.168.4.0/22")!;
  for (const [address, inside] of [
    ["192.168.3.255", false],
    ["192.168.4.0", true],
    ["192.168.7.255", true],
    ["192.168.8.0", false],
  ] as const) {
    expect(within(parseAddress(address)!, range)).toBe(inside);
  }
  expect(parseRange("0.0.0.0/0")).toEqual(rangeOf("0.0.0.0", "255.255.255.255"));
});

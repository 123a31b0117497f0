import { expect, test } from "vitest";
import type { EgressOptions } from "../../gateway/snapshot.ts";
import { egressGuard } from "./egress.ts";

/** By name or literal first, then (as the transport asks) by the address connected to. */
function refuses(host: string, options: Partial<EgressOptions> = {}): boolean {
  return egressGuard({ allow: [], loopback: true, ...options }).refusesHost(host);
}

function refusesAddress(address: string, options: Partial<EgressOptions> = {}, host = "h"): boolean {
  return egressGuard({ allow: [], loopback: true, ...options }).refuseFor(host)?.(address) ?? false;
}

test.each([
  "169.254.169.254",
  "169.254.0.1",
  "169.254.170.2",
  "2852039166",
  "0xa9fea9fe",
  "0xA9.254.0251.0376",
  "0251.0376.0251.0376",
  "169.254.43518",
  "169.254.169.254.",
  "１６９.254.169.254",
  "169。254。169。254",
  "[::ffff:169.254.169.254]",
  "[::ffff:a9fe:a9fe]",
  "[0:0:0:0:0:FFFF:A9FE:A9FE]",
  "[::169.254.169.254]",
  "[64:ff9b::169.254.169.254]",
  "[64:ff9b:1::a9fe:a9fe]",
  "[2002:a9fe:a9fe::1]",
  "[2001:0:0:0:0:0:5601:5601]",
  "[fe80::1]",
  "[fe80::1%eth0]",
  "[febf::1]",
  "[fd00:ec2::254]",
  "[FD00:0EC2:0:0:0:0:0:0254]",
  "[::]",
  "0.0.0.0",
  "0",
  "0.1.2.3",
  "100.100.100.200",
  "168.63.129.16",
  "metadata.google.internal",
  "METADATA.google.internal.",
  "metadata",
  "instance-data.ec2.internal",
])("refused: %s", (host) => {
  expect(refuses(host)).toBe(true);
});

test.each([
  "example.com",
  "127.0.0.1",
  "localhost",
  "[::1]",
  "[::ffff:127.0.0.1]",
  "10.0.0.1",
  "192.168.1.1",
  "169.253.255.255",
  "169.255.0.0",
  "100.100.100.201",
  "[fd00:ec2::253]",
  "[fec0::1]",
  "[2002:0a00:0001::1]",
  "my-metadata",
  "metadata.google.internal.example.com",
  "1.2.3.4.5",
])("not refused: %s", (host) => {
  expect(refuses(host)).toBe(false);
});

test.each<[string, Partial<EgressOptions>, boolean]>([
  ["169.254.169.254", {}, true],
  ["::ffff:169.254.169.254", {}, true],
  ["fe80::1%lo", {}, true],
  ["10.0.0.1", {}, false],
  ["127.0.0.1", {}, false],
  ["127.0.0.1", { loopback: false }, true],
  ["127.9.9.9", { loopback: false }, true],
  ["::1", { loopback: false }, true],
  ["::ffff:127.0.0.1", { loopback: false }, true],
  ["127.0.0.1", { loopback: false, allow: ["127.0.0.1"] }, false],
  ["127.0.0.2", { loopback: false, allow: ["127.0.0.1"] }, true],
  ["169.254.169.254", { allow: ["169.254.169.254/32"] }, false],
  ["169.254.169.253", { allow: ["169.254.169.254/32"] }, true],
  ["not an address", {}, true],
])("address %s with %j: %s", (address, options, expected) => {
  expect(refusesAddress(address, options)).toBe(expected);
});

test.each<[string, readonly string[], boolean]>([
  ["metadata.google.internal", ["metadata.google.internal"], false],
  ["Metadata.Google.Internal.", ["METADATA.google.internal"], false],
  ["metadata.google.internal", ["*.google.internal"], false],
  ["google.internal", ["*.google.internal"], false],
  ["metadata.google.internal", ["google.internal"], true],
  ["169.254.169.254", ["169.254.0.0/16"], false],
  ["2852039166", ["169.254.169.254"], false],
])("host %s with %j allowed: %s", (host, allow, expected) => {
  expect(refuses(host, { allow })).toBe(expected);
});

test("a host allowed by its name may resolve to anything", () => {
  const options = { allow: ["imds.test"], loopback: true };
  expect(egressGuard(options).refuseFor("IMDS.test")).toBeUndefined();
  expect(refusesAddress("169.254.169.254", options, "other.test")).toBe(true);
});

test("the same options give the same function, so that connections are shared", () => {
  const options = { allow: [], loopback: true };
  expect(egressGuard(options).refuseFor("a")).toBe(egressGuard(options).refuseFor("b"));
});

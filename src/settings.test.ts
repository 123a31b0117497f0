import { expect, test } from "vitest";
import { parseRange } from "./base/addresses.ts";
import { DEFAULT_GATEWAY_OPTIONS } from "./gateway/snapshot.ts";
import { readSettings, unknownVariables } from "./settings.ts";

test.each<[Record<string, string>, object]>([
  [{}, { allow: [], loopback: true }],
  [{ HEADGATE_EGRESS_LOOPBACK: "off" }, { allow: [], loopback: false }],
  [
    {
      HEADGATE_EGRESS_ALLOW:
        " 169.254.169.254, 10.0.0.0/8,fd00::/8 ,metadata.google.internal,*.corp.example, ",
    },
    {
      allow: ["169.254.169.254", "10.0.0.0/8", "fd00::/8", "metadata.google.internal", "*.corp.example"],
      loopback: true,
    },
  ],
])("egress of %j", (environment, expected) => {
  expect(readSettings({}, environment).egress).toEqual(expected);
});

test.each<[Record<string, string>, string]>([
  [
    { HEADGATE_EGRESS_ALLOW: "10.0.0.0/33" },
    'HEADGATE_EGRESS_ALLOW takes hosts, addresses and CIDR blocks separated by commas, not "10.0.0.0/33".',
  ],
  [
    { HEADGATE_EGRESS_ALLOW: "https://a.example" },
    'HEADGATE_EGRESS_ALLOW takes hosts, addresses and CIDR blocks separated by commas, not "https://a.example".',
  ],
  [
    { HEADGATE_EGRESS_ALLOW: "a.*.example" },
    'HEADGATE_EGRESS_ALLOW takes hosts, addresses and CIDR blocks separated by commas, not "a.*.example".',
  ],
  [
    { HEADGATE_FORWARDING__TRUSTED_PROXIES: "lb.example" },
    'HEADGATE_FORWARDING__TRUSTED_PROXIES takes addresses and CIDR blocks separated by commas, not "lb.example".',
  ],
  [{ HEADGATE_EGRESS_LOOPBACK: "no" }, 'HEADGATE_EGRESS_LOOPBACK takes on, off, not "no".'],
  [
    { HEADGATE_FORWARDING__GATEWAY_STATUS_CODES: "502" },
    'HEADGATE_FORWARDING__GATEWAY_STATUS_CODES takes on, off, not "502".',
  ],
  [{ HEADGATE_ACCESS_LOG: "no" }, '--access-log takes on, off, auto, not "no".'],
])("%j is refused", (environment, expected) => {
  expect(() => readSettings({}, environment)).toThrow(expected);
});

test.each<[Record<string, string>, boolean]>([
  [{}, false],
  [{ HEADGATE_TLS_CLIENT_CERTIFICATES: "request" }, true],
])("client certificates are asked for: %j", (environment, expected) => {
  expect(readSettings({}, environment).tlsClientCertificates).toBe(expected);
});

test.each<[Record<string, string>, object]>([
  [{ HEADGATE_ROUTING__FALL_THROUGH: "on" }, { fallThrough: true }],
  [{ HEADGATE_ROUTING__IGNORE_PROTOCOL: "off" }, { ignoreProtocol: false }],
  [{ HEADGATE_BACKENDS__MATCH_BY_URL: "off" }, { matchBackendsByUrl: false }],
  [{ HEADGATE_FORWARDING__EXTENDED: "on" }, { extendedForwarding: true }],
  [
    { HEADGATE_FORWARDING__TRUSTED_PROXIES: " 10.0.0.0/8, fd00::1 " },
    { trustedProxies: [parseRange("10.0.0.0/8"), parseRange("fd00::1")] },
  ],
  [{ HEADGATE_FORWARDING__GATEWAY_STATUS_CODES: "on" }, { gatewayStatusCodes: true }],
  [{ HEADGATE_SECURITY__STRIP_SUBSCRIPTION_KEY: "knownKeys" }, { stripSubscriptionKey: "knownKeys" }],
])("the gateway's own settings: %j, and nothing else is changed", (environment, expected) => {
  const byDefault = readSettings({}, {}).gateway;
  expect(readSettings({}, environment).gateway).toEqual({ ...byDefault, ...expected });
  expect(byDefault).not.toMatchObject(expected);
  expect(DEFAULT_GATEWAY_OPTIONS).toMatchObject(byDefault);
  expect(unknownVariables(environment)).toEqual([]);
});

test("variables that mean nothing are found, those that the store reads are none of them", () => {
  const environment = {
    HEADGATE_SECRETS_DIR: "/run/secrets",
    HEADGATE_NAMED_VALUE_A_KEY: "x",
    HEADGATE_PROT: "1",
    PATH: "",
  };
  expect(unknownVariables(environment)).toEqual(["HEADGATE_PROT"]);
});

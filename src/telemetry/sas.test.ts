import { expect, test } from "vitest";
import { SasSigner, parsePlace, parseSasConnection, sasToken } from "./sas.ts";

test.each<[string, unknown]>([
  [
    "Endpoint=sb://Ns.servicebus.windows.net/;SharedAccessKeyName=send;SharedAccessKey=abc+/def=;EntityPath=hub",
    {
      place: { scheme: "https", host: "ns.servicebus.windows.net", port: 443 },
      credential: { kind: "key", name: "send", key: "abc+/def=" },
      entityPath: "hub",
    },
  ],
  [
    " endpoint = http://127.0.0.1:5300 ; sharedaccesskeyname=n ; sharedaccesskey=k== ",
    {
      place: { scheme: "http", host: "127.0.0.1", port: 5300 },
      credential: { kind: "key", name: "n", key: "k==" },
      entityPath: null,
    },
  ],
  [
    "Endpoint=sb://ns/;SharedAccessSignature=SharedAccessSignature sr=a&sig=b&se=1&skn=c",
    {
      place: { scheme: "https", host: "ns", port: 443 },
      credential: { kind: "signature", token: "SharedAccessSignature sr=a&sig=b&se=1&skn=c" },
      entityPath: null,
    },
  ],
  ["", "it has no Endpoint"],
  ["Endpoint=sb://;SharedAccessKeyName=n;SharedAccessKey=k", "its Endpoint is not sb://host/"],
  ["Endpoint=sb://h/;SharedAccessKey=k", "it has no SharedAccessKeyName"],
  ["Endpoint=sb://h/;SharedAccessKeyName=n", "it has no SharedAccessKey"],
])("%s", (text, connection) => {
  expect(parseSasConnection(text)).toEqual(connection);
});

test.each<[string, unknown]>([
  ["ns.servicebus.windows.net", { scheme: "https", host: "ns.servicebus.windows.net", port: 443 }],
  ["https://h:8443/", { scheme: "https", host: "h", port: 8443 }],
  ["http://[::1]:80", { scheme: "http", host: "::1", port: 80 }],
  ["h/path", null],
  ["user@h", null],
  ["h:0", null],
  ["ftp://h", null],
])("place %s", (text, place) => {
  expect(parsePlace(text)).toEqual(place);
});

// Computed with: printf 'https%%3A%%2F%%2Fcontoso.servicebus.windows.net%%2Feh\n1735693200' | openssl dgst -sha256 -hmac key -binary | base64
test("a token is what the page's own code makes", () => {
  expect(sasToken("https://contoso.servicebus.windows.net/eh", "send", "key", 1_735_693_200)).toBe(
    "SharedAccessSignature sr=https%3A%2F%2Fcontoso.servicebus.windows.net%2Feh&sig=14SOwJjy6LOwTH04sCKd5uYxX5GkKGy%2FOWsLVSAzZBk%3D&se=1735693200&skn=send",
  );
});

test("a token serves until five minutes before its end", () => {
  const signer = new SasSigner(parsePlace("h")!, "Hub", { kind: "key", name: "n", key: "k" });
  const first = signer.authorization(0);
  expect(first).toContain("sr=https%3A%2F%2Fh%2Fhub&");
  expect(signer.authorization(3_300_000)).toBe(first);
  expect(signer.authorization(3_301_000)).not.toBe(first);
});

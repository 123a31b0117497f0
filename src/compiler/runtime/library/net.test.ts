/** Uri, WebUtility, IPAddress: C# → result. */
import { describe } from "vitest";
import { type Row, check } from "./testing.ts";

const ABSOLUTE: readonly Row[] = [
  ["https://User@Example.COM:8443/p/A%20b?q=1&r=%2F#f", "https://User@example.com:8443/p/A%20b?q=1&r=%2F#f"],
  ["https://example.com", "https://example.com/"],
  ["HTTP://H:80/ü?ö=1", "http://h/%C3%BC?%C3%B6=1"],
  ["http://h/a/../b/./c?x=a b", "http://h/b/c?x=a%20b"],
  ["http://h/%41%2f%7e", "http://h/A%2f~"],
  ["http://h/a%zzb", "http://h/a%25zzb"],
  ["http://h?x=1", "http://h/?x=1"],
  ["http://[2001:DB8:0::1]:8080/x", "http://[2001:db8::1]:8080/x"],
  ["http://0x7f.1/", "http://127.0.0.1/"],
  ["foo://bar", "foo://bar/"],
  ["mailto:a@b.com", "mailto:a@b.com"],
  ["urn:isbn:123", "urn:isbn:123"],
  ["  http://h/ ", "http://h/"],
  ["not a uri", "!UriFormatException"],
  ["/abc", "!UriFormatException"],
  ["", "!UriFormatException"],
  ["http://", "!UriFormatException"],
  ["http://h:99999/", "!UriFormatException"],
  ["http://a b/", "!UriFormatException"],
].map(([text, expected]): Row => [`new Uri("${text!}").AbsoluteUri`, expected!]);

const RESOLVED: readonly Row[] = [
  ["g", "http://a/b/c/g"],
  ["./g/", "http://a/b/c/g/"],
  ["/g", "http://a/g"],
  ["//g", "http://g/"],
  ["?y", "http://a/b/c/d;p?y"],
  ["#s", "http://a/b/c/d;p?q#s"],
  ["..", "http://a/b/"],
  ["../../../g", "http://a/g"],
  ["https://z/", "https://z/"],
].map(([text, expected]): Row => [
  `new Uri(new Uri("http://a/b/c/d;p?q"), "${text!}").ToString()`,
  expected!,
]);

const LONG = `new Uri("https://User@Example.COM:8443/p/A%20b?q=1&r=%2F#f")`;
const MEMBERS: readonly Row[] = [
  [`${LONG}.ToString()`, "https://User@example.com:8443/p/A b?q=1&r=%2F#f"],
  [`${LONG}.Authority`, "example.com:8443"],
  [`${LONG}.UserInfo`, "User"],
  [`${LONG}.PathAndQuery`, "/p/A%20b?q=1&r=%2F"],
  [`${LONG}.GetLeftPart(UriPartial.Authority)`, "https://User@example.com:8443"],
  [`${LONG}.LocalPath`, "/p/A b"],
  [`new Uri("https://h/a/b/").Segments`, "[/|a/|b/]"],
  [`new Uri("https://h/x#a") == new Uri("https://H/x#b")`, "Boolean True"],
  [`new Uri("a/b", UriKind.Relative).IsAbsoluteUri`, "Boolean False"],
  [`new Uri("a/b", UriKind.Relative).Host`, "!InvalidOperationException"],
  [`{ Uri u; return Uri.TryCreate("x y", UriKind.Absolute, out u) + (u == null).ToString(); }`, "FalseTrue"],
  [`new Uri("http://h/a/b").MakeRelativeUri(new Uri("http://h/a/c/d")).ToString()`, "c/d"],
  [`new Uri("http://münchen.de/").IdnHost`, "xn--mnchen-3ya.de"],
  [`Uri.EscapeDataString("a b!*'()é/~")`, "a%20b%21%2A%27%28%29%C3%A9%2F~"],
  [`Uri.EscapeDataString("\\ud800")`, "%EF%BF%BD"],
  [`Uri.EscapeUriString("a b%20?x=é")`, "a%20b%2520?x=%C3%A9"],
  [`Uri.UnescapeDataString("a%20b+c%zz%C3%A9%ff")`, "a b+c%zzé%ff"],
  [`Uri.CheckHostName("10.0.0.1")`, "UriHostNameType IPv4"],
  [`Uri.IsWellFormedUriString("http://h/a b", UriKind.Absolute)`, "Boolean False"],
];

const WEB: readonly Row[] = [
  [`WebUtility.UrlEncode("a b&c=d/é~!*'()")`, "a+b%26c%3Dd%2F%C3%A9%7E!*%27()"],
  [`WebUtility.UrlDecode("a+b%20c%C3%A9%zz%")`, "a b cé%zz%"],
  [`WebUtility.UrlDecode("%ff")`, "\ufffd"],
  [`WebUtility.UrlEncode(null)`, "null"],
  [
    `WebUtility.HtmlEncode("<a href='x'>\\"&é€\\U0001F600</a>")`,
    "&lt;a href=&#39;x&#39;&gt;&quot;&amp;&#233;€&#128512;&lt;/a&gt;",
  ],
  [`WebUtility.HtmlDecode("&lt;&eacute;&#233;&#xE9;&apos;&nope;&")`, "<ééé'&nope;&"],
  [`WebUtility.HtmlDecode("&constructor;&__proto__;")`, "&constructor;&__proto__;"],
];

const ADDRESSES: readonly Row[] = [
  ["10.0.0.1", "10.0.0.1"],
  ["0x7f.1", "127.0.0.1"],
  ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
  ["::", "::"],
  ["::1", "::1"],
  ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
  ["::ffff:10.0.0.1", "::ffff:10.0.0.1"],
  ["fe80::1%5", "fe80::1%5"],
  ["[::1]", "::1"],
  ["256.0.0.1", "!FormatException"],
  ["1::2::3", "!FormatException"],
  ["1:2:3", "!FormatException"],
  ["", "!FormatException"],
].map(([text, expected]): Row => [`IPAddress.Parse("${text!}").ToString()`, expected!]);

const ADDRESS_MEMBERS: readonly Row[] = [
  [`IPAddress.Parse("10.0.0.1").AddressFamily.ToString()`, "InterNetwork"],
  [`IPAddress.Parse("::1").GetAddressBytes().Length`, "Int32 16"],
  [`IPAddress.IsLoopback(IPAddress.Parse("127.9.9.9"))`, "Boolean True"],
  [`IPAddress.Parse("10.0.0.1").Equals(new IPAddress(new byte[] { 10, 0, 0, 1 }))`, "Boolean True"],
  [`IPAddress.Parse("::ffff:10.0.0.1").MapToIPv4().ToString()`, "10.0.0.1"],
  [`{ IPAddress a; return IPAddress.TryParse("x", out a) + (a == null).ToString(); }`, "FalseTrue"],
];

const all: Readonly<Record<string, readonly Row[]>> = {
  ABSOLUTE,
  RESOLVED,
  MEMBERS,
  WEB,
  ADDRESSES,
  ADDRESS_MEMBERS,
};
for (const [name, rows] of Object.entries(all)) describe(name.toLowerCase(), () => check(rows));

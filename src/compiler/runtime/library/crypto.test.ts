/** Hashes, ciphers, RSA and certificates: C# → result. */
import { describe } from "vitest";
import { CERTIFICATE_DER, PFX_LEGACY, PFX_MODERN } from "./crypto.fixtures.ts";
import { type Row, check } from "./testing.ts";

const utf8 = (text: string): string => `Encoding.UTF8.GetBytes("${text}")`;
const hex = (bytes: string): string => `BitConverter.ToString(${bytes}).Replace("-", "").ToLower()`;

const HASHES: readonly Row[] = [
  [
    hex(`SHA256.Create().ComputeHash(${utf8("abc")})`),
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  ],
  [hex(`MD5.Create().ComputeHash(new byte[0])`), "d41d8cd98f00b204e9800998ecf8427e"],
  [hex(`new SHA1Managed().ComputeHash(${utf8("abc")})`), "a9993e364706816aba3e25717850c26c9cd0d89d"],
  [`SHA384.Create().ComputeHash(${utf8("abc")}).Length`, "Int32 48"],
  [`HashAlgorithm.Create("SHA-512").HashSize`, "Int32 512"],
  [`HashAlgorithm.Create("nope") == null`, "Boolean True"],
  [
    hex(`SHA256.Create().ComputeHash(${utf8("xabcx")}, 1, 3)`).replace(".ToLower()", ".Substring(0, 8)"),
    "BA7816BF",
  ],
  [
    `{ var h = SHA256.Create(); var a = h.ComputeHash(${utf8("a")}); var b = h.ComputeHash(${utf8("a")}); return a.SequenceEqual(b); }`,
    "Boolean True",
  ],
  [
    `{ var h = SHA256.Create(); var b = ${utf8("abc")}; h.TransformBlock(b, 0, 2, null, 0); h.TransformFinalBlock(b, 2, 1); return ${hex("h.Hash")}.Substring(0, 8); }`,
    "ba7816bf",
  ],
  [
    `{ var h = SHA256.Create(); h.Dispose(); return h.ComputeHash(new byte[0]); }`,
    "!ObjectDisposedException",
  ],
  [`SHA256.Create().ComputeHash((byte[])null)`, "!ArgumentNullException"],
  [
    `Convert.ToBase64String(new HMACSHA256(${utf8("key")}).ComputeHash(${utf8("The quick brown fox jumps over the lazy dog")}))`,
    "97yD9DBThCSxMpjmqm+xQ+9NWaFJRhdZl0edvC0aPNg=",
  ],
  [`new HMACSHA512().Key.Length`, "Int32 128"],
  [`{ var h = new HMACSHA1(); h.Key = ${utf8("k")}; return h.Key.Length + h.HashName; }`, "1SHA1"],
  [`new HMACSHA256(null)`, "!ArgumentNullException"],
];

const CIPHERS: readonly Row[] = [
  [
    `Convert.ToBase64String(${utf8("secret")}.Encrypt("Aes", new byte[16], new byte[16]))`,
    "HWqEqL2vZ3XK4bXvH3zRWA==",
  ],
  [
    `Encoding.UTF8.GetString(${utf8("secret")}.Encrypt("Aes", new byte[32], new byte[16]).Decrypt("AES", new byte[32], new byte[16]))`,
    "secret",
  ],
  [`new byte[16].Encrypt("Aes", new byte[16], new byte[16]).Length`, "Int32 32"],
  [`new byte[5].Decrypt("Aes", new byte[16], new byte[16])`, "!CryptographicException"],
  [`new byte[16].Decrypt("Aes", new byte[16], new byte[16])`, "!CryptographicException"],
  [`new byte[16].Encrypt("Aes", new byte[5], new byte[16])`, "!ArgumentException"],
  [
    `{ var name = "DES"; return new byte[8].Encrypt(name, new byte[8], new byte[8]); }`,
    "!CryptographicException",
  ],
  [`{ var name = "3DES"; return SymmetricAlgorithm.Create(name); }`, "!CryptographicException"],
  [
    `{ var a = SymmetricAlgorithm.Create("Aes"); a.Mode = CipherMode.ECB; a.Padding = PaddingMode.None; a.Key = new byte[16]; return ${hex("a.CreateEncryptor().TransformFinalBlock(new byte[16], 0, 16)")}; }`,
    "66e94bd4ef8a2c3b884cfa59ca342b2e",
  ],
  [
    `{ var a = SymmetricAlgorithm.Create("Aes"); a.Padding = PaddingMode.ANSIX923; var e = a.CreateEncryptor().TransformFinalBlock(${utf8("abc")}, 0, 3); return Encoding.UTF8.GetString(e.Decrypt(a)); }`,
    "abc",
  ],
  [
    `{ var a = SymmetricAlgorithm.Create("Aes"); a.Mode = CipherMode.CTS; return a; }`,
    "!CryptographicException",
  ],
  [
    `{ var b = new byte[32]; using (var r = new RNGCryptoServiceProvider()) { r.GetBytes(b); } return b.Any(x => x != 0); }`,
    "Boolean True",
  ],
];

const PUBLIC = `new X509Certificate2(Convert.FromBase64String("${CERTIFICATE_DER}"))`;
const pfx = (data: string, password: string): string =>
  `new X509Certificate2(Convert.FromBase64String("${data}"), "${password}")`;

const CERTIFICATES: readonly Row[] = [
  [`${PUBLIC}.Subject`, `CN=gateway.contoso.example, OU=Gateway, O="Contoso, Ltd.", S=Washington, C=US`],
  [`${PUBLIC}.SubjectName.Name == ${PUBLIC}.Issuer`, "Boolean True"],
  [`${PUBLIC}.SerialNumber`, "0123456789ABCDEF"],
  [`${PUBLIC}.Thumbprint == BitConverter.ToString(${PUBLIC}.GetCertHash()).Replace("-", "")`, "Boolean True"],
  [`${PUBLIC}.HasPrivateKey`, "Boolean False"],
  [`${PUBLIC}.GetRSAPrivateKey() == null`, "Boolean True"],
  [`${PUBLIC}.GetRSAPublicKey().KeySize`, "Int32 1024"],
  [`${PUBLIC}.GetNameInfo(X509NameType.EmailName, false)`, "ops@contoso.example"],
  [`${PUBLIC}.NotAfter > ${PUBLIC}.NotBefore`, "Boolean True"],
  [`${PUBLIC}.Verify()`, "Boolean False"],
  [`new X509Certificate2(new byte[] { 1, 2, 3 })`, "!CryptographicException"],
  [`${pfx(PFX_MODERN, "secret")}.HasPrivateKey`, "Boolean True"],
  [`${pfx(PFX_MODERN, "secret")}.FriendlyName`, "friendly"],
  [`${pfx(PFX_MODERN, "wrong")}`, "!CryptographicException"],
  [`${pfx(PFX_LEGACY, "secret")}.Thumbprint == ${PUBLIC}.Thumbprint`, "Boolean True"],
];

const data = utf8("abc");
const SHA = "HashAlgorithmName.SHA256";
const key = `var c = ${pfx(PFX_LEGACY, "secret")}; var rsa = c.GetRSAPrivateKey(); var pub = c.GetRSAPublicKey();`;
const CNG: readonly Row[] = [
  [
    `{ ${key} RSACng cng = c.GetRSAPrivateKey() as RSACng; return cng.KeySize == rsa.KeySize; }`,
    "Boolean True",
  ],
  [`{ ${key} return ((System.Security.Cryptography.RSACng)pub).SignatureAlgorithm; }`, "RSA"],
  [`(RSA.Create() as RSACng) == null`, "Boolean True"],
];
const RSA: readonly Row[] = ["Pkcs1", "Pss"]
  .map((name) => `RSASignaturePadding.${name}`)
  .flatMap((padding): Row[] => [
    [
      `{ ${key} return pub.VerifyData(${data}, rsa.SignData(${data}, ${SHA}, ${padding}), ${SHA}, ${padding}); }`,
      "Boolean True",
    ],
    [
      `{ ${key} var h = SHA256.Create().ComputeHash(${data}); return pub.VerifyData(${data}, rsa.SignHash(h, ${SHA}, ${padding}), ${SHA}, ${padding}); }`,
      "Boolean True",
    ],
    [
      `{ ${key} var h = SHA256.Create().ComputeHash(${data}); return pub.VerifyHash(h, rsa.SignData(${data}, ${SHA}, ${padding}), ${SHA}, ${padding}); }`,
      "Boolean True",
    ],
    [
      `{ ${key} var s = rsa.SignData(${data}, ${SHA}, ${padding}); s[5] ^= 1; return pub.VerifyData(${data}, s, ${SHA}, ${padding}); }`,
      "Boolean False",
    ],
  ]);
const MORE_RSA: readonly Row[] = [
  [
    `{ ${key} var p = RSAEncryptionPadding.OaepSHA256; return Encoding.UTF8.GetString(rsa.Decrypt(pub.Encrypt(${data}, p), p)); }`,
    "abc",
  ],
  [`{ ${key} return pub.SignData(${data}, ${SHA}, RSASignaturePadding.Pkcs1); }`, "!CryptographicException"],
  [
    `{ ${key} for (int i = 0; i < 200; i++) rsa.SignData(${data}, ${SHA}, RSASignaturePadding.Pkcs1); return 1; }`,
    "!!steps",
  ],
];

const all: Readonly<Record<string, readonly Row[]>> = { HASHES, CIPHERS, CERTIFICATES, RSA, MORE_RSA, CNG };
for (const [name, rows] of Object.entries(all)) describe(name.toLowerCase(), () => check(rows));

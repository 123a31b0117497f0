/** RC2 in CBC (RFC 2268), decryption only: old PFX files have it, OpenSSL 3 no longer does. */

/** RFC 2268 §2: a permutation of the octets, made from the digits of pi. */
const PI_HEX =
  "d978f9c419ddb5ed28e9fd794aa0d89dc67e37832b76538e624c6488448bfba2" +
  "179a59f587b34f1361456d8d09817d32bd8f40eb86b77b0bf09521225c6b4e82" +
  "54d66593ce60b21c7356c014a78cf1dc1275ca1f3bbee4d1423dd430a33cb626" +
  "6fbf0eda4669075727f21d9bbc944303f811c7f690ef3ee706c3d52fc8661ed7" +
  "08e8eade8052eef784aa72ac354d6a2a961ad2715a1549744b9fd05e0418a4ec" +
  "c2e0416e0f51cbcc2491af50a1f47039997c3a8523b8b47afc02365b25559731" +
  "2d5dfa98e38a92ae05df2910676cbac9d300e6cfe19ea82c6316013f58e289a9" +
  "0d38341bab33ffb0bb480c5fb9b1cd2ec5f3db47e5a59c770aa62068fe7fc1ad";
const PI = Uint8Array.from(PI_HEX.match(/../g)!, (hex) => Number.parseInt(hex, 16));

/** 64 words from a key; its effective length is the whole key. */
function expand(key: Uint8Array): Uint16Array {
  const l = new Uint8Array(128);
  l.set(key);
  const size = key.length;
  for (let i = size; i < 128; i++) l[i] = PI[(l[i - 1]! + l[i - size]!) & 255]!;
  l[128 - size] = PI[l[128 - size]!]!;
  for (let i = 127 - size; i >= 0; i--) l[i] = PI[l[i + 1]! ^ l[i + size]!]!;
  return Uint16Array.from({ length: 64 }, (_, i) => l[i * 2]! | (l[i * 2 + 1]! << 8));
}

const ROTATIONS = [1, 2, 3, 5];

function decryptBlock(words: Uint16Array, key: Uint16Array): void {
  let at = 63;
  const mix = (): void => {
    for (let i = 3; i >= 0; i--) {
      const turn = ROTATIONS[i]!;
      const word = (words[i]! >>> turn) | (words[i]! << (16 - turn));
      const a = words[(i + 3) & 3]!;
      words[i] = word - key[at--]! - (a & words[(i + 2) & 3]!) - (~a & words[(i + 1) & 3]!);
    }
  };
  const mash = (): void => {
    for (let i = 3; i >= 0; i--) words[i] = words[i]! - key[words[(i + 3) & 3]! & 63]!;
  };
  for (const rounds of [5, 6, 5]) {
    for (let i = 0; i < rounds; i++) mix();
    if (at >= 0) mash();
  }
}

/** PKCS#7 padding undone; null when the input does not fit the key. */
export function decryptRc2(secret: Uint8Array, iv: Uint8Array, encrypted: Uint8Array): Uint8Array | null {
  if (encrypted.length === 0 || encrypted.length % 8 !== 0) return null;
  const key = expand(secret);
  const plain = new Uint8Array(encrypted.length);
  const words = new Uint16Array(4);
  for (let at = 0; at < encrypted.length; at += 8) {
    for (let i = 0; i < 4; i++) words[i] = encrypted[at + i * 2]! | (encrypted[at + i * 2 + 1]! << 8);
    decryptBlock(words, key);
    for (let i = 0; i < 8; i++) {
      const before = at === 0 ? iv[i]! : encrypted[at - 8 + i]!;
      plain[at + i] = ((words[i >> 1]! >>> ((i & 1) * 8)) & 255) ^ before;
    }
  }
  const count = plain[plain.length - 1]!;
  return count >= 1 && count <= 8 ? plain.slice(0, plain.length - count) : null;
}

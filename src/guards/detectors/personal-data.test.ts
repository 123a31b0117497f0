import { expect, test } from "vitest";
import { PERSONAL_KINDS, type PersonalKind, findPersonalData } from "./personal-data.ts";

const found = (text: string, kinds: readonly PersonalKind[] = PERSONAL_KINDS): string[] =>
  findPersonalData(text, kinds).map(({ kind, start, end }) => `${kind} ${text.slice(start, end)}`);

/** What is found, between brackets; without any, nothing is. */
const CASES: Readonly<Record<PersonalKind, readonly string[]>> = {
  email: [
    "Mail [ann@example.com].",
    "<[o'neil+tag@mail.example.co.uk]>",
    "mailto:[a.b-c_d%e@sub.example.museum]",
    "[müller@exämple.de]",
    "[ann@xn--bcher-kva.example]",
    "ann@example",
    "ann@@example.com",
    "@handle and user@",
    "ann at example dot com",
    "image@2x.png is a file".replace("png", "1"),
    "[ＡＮＮ＠ｅｘａｍｐｌｅ．ｃｏｍ]",
    "[ann\u200b@exam\u00adple.com]",
    "[аnn@example.com]",
  ],
  phone: [
    "Call [+1 (415) 555-2671] now",
    "[+44 20 7946 0958]",
    "[+4915123456789]",
    "[0049 30 901820]",
    "[(415) 555-2671]",
    "[415.555.2671]",
    "[030 901820 44]",
    "Phone: [5552671]",
    "my number: tel. [555 26 71]",
    "155-555-2671",
    "Order 4155552671 shipped",
    "[٠٣٠ ٩٠١٨٢٠ ٤٤]",
    "1 + 2345678 = 2345679",
    "05/06/2024",
    "0.123456789",
    "12:30-14:45",
  ],
  card: [
    "[4111 1111 1111 1111]",
    "[4111-1111-1111-1111] 12/27",
    "[378282246310005]",
    "[5555555555554444]",
    "[6011111111111117]",
    "[3530111333300000]",
    "[2223003122003222]",
    "4111 1111 1111 1112",
    "1234567890123452",
    "4111111111111111111111",
    "0000 0000 0000 0000",
    "4111 1111",
    "[４１１１ １１１１ １１１１ １１１１]",
    "[4111 1111 1111 1111] 123",
  ],
  iban: [
    "[DE89 3704 0044 0532 0130 00]",
    "[GB29NWBK60161331926819]",
    "[FR14 2004 1010 0505 0001 3M02 606] please",
    "[nl91abna0417164300]",
    "DE89 3704 0044 0532 0130 01",
    "DE89 3704 0044 0532 0130",
    "XX89 3704 0044 0532 0130 00",
    "DE89370400440532013000X",
  ],
  ssn: [
    "[123-45-6789]",
    "[123 45 6789]",
    "SSN: [123456789]",
    "123456789",
    "000-45-6789",
    "666-45-6789",
    "912-45-6789",
    "123-00-6789",
    "123-45-0000",
    "123-45 6789",
    "1123-45-6789",
  ],
  "national-id": [
    "DNI [12345678Z]",
    "12345678A",
    "NIE [X1234567L]",
    "[RSSMRA85T10A562S]",
    "RSSMRA85T10A562T",
    "[1 84 12 76 451 089 46]",
    "1 84 12 76 451 089 47",
    "Steuer-ID: [86095742719]",
    "86095742719",
    "NI number [QQ 12 34 56 C]".replace("QQ", "AB"),
    "BG 12 34 56 C",
    "NHS [943 476 5919]",
    "NHS 943 476 5918",
    "BSN [111222333]",
    "BSN 111222334",
    "PESEL [44051401359]",
    "PESEL 44051401358",
    "[811228-9874]",
    "811228-9873",
    "[131052-308T]",
    "131052-308U",
    "[529.982.247-25]",
    "529.982.247-26",
    "[2341 2341 2346]",
    "2341 2341 2347",
    "PAN [ABCPE1234F]",
    "[11010519491231002X]",
    "110105194912310021",
    "SIN [046 454 286]",
    "046 454 286",
  ],
  passport: [
    "Passport no. [C01X00T47]",
    "passport number: [123456789]",
    "Reisepass [C01X00T47]",
    "passport photo",
    "C01X00T47",
  ],
  ip: [
    "[192.168.1.20]",
    "[8.8.8.8], and",
    "[2001:db8::8a2e:370:7334]",
    "[fe80::1]",
    "127.0.0.1",
    "version 1.2.3.4",
    "1.2.3.4.5",
    "256.1.1.1",
    "12:30:45",
    "std::vector",
    "::1",
  ],
  "date-of-birth": [
    "born on [12 March 1984]",
    "DOB: [03/12/1984]",
    "date of birth is [1984-03-12]",
    "geboren am [12.3.1984]",
    "Birthday: [March 12th, 1984]",
    "The meeting is on 12 March 2024",
    "1984-03-12",
  ],
  address: [
    "at [742 Evergreen Terrace]",
    "[1600 Pennsylvania Ave], Washington",
    "[12 High Street, London, SW1A 1AA]",
    "[742 Evergreen Terrace, Springfield, OR 97403].",
    "[Musterstraße 12a, 10115 Berlin]",
    "[P.O. Box 123]",
    "3 Ways to cook rice",
    "in 5 easy steps",
    "the way I drive",
    "Platz 3",
  ],
};

for (const kind of PERSONAL_KINDS) {
  test.each(CASES[kind])(`${kind}: %s`, (marked) => {
    const text = marked.replace(/[[\]]/g, "");
    const expected = [...marked.matchAll(/\[([^\]]*)\]/g)].map(([, inner]) => `${kind} ${inner}`);
    expect(found(text, [kind])).toEqual(expected);
  });
}

test("what overlaps is one finding, over all of it", () => {
  expect(found("IBAN GB29 NWBK 6016 1331 9268 19, tel +49 30 901820, 4111 1111 1111 1111")).toEqual([
    "iban GB29 NWBK 6016 1331 9268 19",
    "phone +49 30 901820",
    "card 4111 1111 1111 1111",
  ]);
});

test("ordinary prose, code and numbers hold nothing", () => {
  const prose = `In 2024 the company sold 1,234,567 units at $19.99 (up 12.5 %), see section 3.4.1 and RFC 9110.
    const total = items.reduce((sum, { price }) => sum + price * 100, 0); // 0x7fffffff 1e10
    at Object.<anonymous> (/app/src/index.ts:12:34) 550e8400-e29b-41d4-a716-446655440000 sha256:9f86d081884c7d65
    2024-05-06T07:08:09.123Z 1714979289123 [1, 2, 3] 10:15-11:45 3:2 ISBN 978-3-16-148410-0 commit 4b825dc642cb`;
  expect(found(prose)).toEqual([]);
});

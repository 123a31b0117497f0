/** Check digits of numbers that people are known by. All take the bare number; none throws. */

/** ISO/IEC 7812: cards, some national numbers. */
export function luhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    let digit = digits.charCodeAt(digits.length - 1 - i) - 48;
    if (i % 2 === 1 && (digit *= 2) > 9) digit -= 9;
    sum += digit;
  }
  return sum % 10 === 0;
}

/** ISO 13616. @param iban without separators, upper case */
export function ibanIsValid(iban: string): boolean {
  let rest = 0;
  for (const character of iban.slice(4) + iban.slice(0, 4)) {
    const value = parseInt(character, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1;
}

/** Sum of digits times weights. */
export function weighted(digits: string, weights: readonly number[]): number {
  return weights.reduce((sum, weight, i) => sum + weight * (digits.charCodeAt(i) - 48), 0);
}

/** ISO 7064 MOD 11,10: the German tax number. Of its first ten digits exactly one comes twice or thrice. */
export function germanTaxNumber(digits: string): boolean {
  if (digits[0] === "0") return false;
  const counts = new Map<string, number>();
  for (const digit of digits.slice(0, 10)) counts.set(digit, (counts.get(digit) ?? 0) + 1);
  const repeated = [...counts.values()].filter((count) => count > 1);
  if (repeated.length !== 1 || repeated[0]! > 3) return false;
  let product = 10;
  for (const digit of digits.slice(0, 10)) {
    const sum = (Number(digit) + product) % 10 || 10;
    product = (sum * 2) % 11;
  }
  return (11 - product) % 10 === Number(digits[10]);
}

const MULTIPLY = [
  "0123456789",
  "1234067895",
  "2340178956",
  "3401289567",
  "4012395678",
  "5987604321",
  "6598710432",
  "7659821043",
  "8765932104",
  "9876543210",
];
const PERMUTE = [
  "0123456789",
  "1576283094",
  "5803796142",
  "8916043527",
  "9453126870",
  "4286573901",
  "2793806415",
  "7046913258",
];

/** Verhoeff: Aadhaar. */
export function verhoeff(digits: string): boolean {
  let check = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(PERMUTE[i % 8]![Number(digits[digits.length - 1 - i])]);
    check = Number(MULTIPLY[check]![digit]);
  }
  return check === 0;
}

/** Spain: DNI and NIE. @param id 8 characters and a letter, upper case */
export function spanishId(id: string): boolean {
  const number = Number(id.slice(0, 8).replace("X", "0").replace("Y", "1").replace("Z", "2"));
  return "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23] === id[8];
}

const ODD = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];

/** Italy: codice fiscale. @param code 16 characters, upper case */
export function codiceFiscale(code: string): boolean {
  let sum = 0;
  for (let i = 0; i < 15; i++) {
    const character = code.charCodeAt(i);
    const value = character < 65 ? character - 48 : character - 65;
    sum += i % 2 === 0 ? ODD[value]! : value;
  }
  return String.fromCharCode(65 + (sum % 26)) === code[15];
}

/** France: 13 digits (2A and 2B for Corsica) and a key of two. */
export function frenchNir(number: string): boolean {
  const digits = number.slice(0, 13).replace("2A", "19").replace("2B", "18");
  return 97 - Number(BigInt(digits) % 97n) === Number(number.slice(13));
}

/** Brazil. */
export function cpf(digits: string): boolean {
  if (/^(\d)\1*$/.test(digits)) return false;
  const check = (length: number): number => {
    let sum = 0;
    for (let i = 0; i < length; i++) sum += Number(digits[i]) * (length + 1 - i);
    return ((sum * 10) % 11) % 10;
  };
  return check(9) === Number(digits[9]) && check(10) === Number(digits[10]);
}

/** China: GB 11643. */
export function chineseId(id: string): boolean {
  const sum = weighted(id, [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]);
  return "10X98765432"[sum % 11] === id[17] && isDate(id.slice(6, 10), id.slice(10, 12), id.slice(12, 14));
}

/** Poland: the month says the century, too. */
export function pesel(digits: string): boolean {
  const month = Number(digits.slice(2, 4)) % 20;
  if (!isDate("2000", String(month), digits.slice(4, 6))) return false;
  return (10 - (weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10)) % 10 === Number(digits[10]);
}

/** Finland: date, mark of the century, number, check character. */
export function hetu(id: string): boolean {
  if (!isDate("2000", id.slice(2, 4), id.slice(0, 2))) return false;
  return "0123456789ABCDEFHJKLMNPRSTUVWXY"[Number(id.slice(0, 6) + id.slice(7, 10)) % 31] === id[10];
}

/** The Netherlands. */
export function bsn(digits: string): boolean {
  return digits !== "000000000" && weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0;
}

/** The British health service. */
export function nhsNumber(digits: string): boolean {
  const check = (11 - (weighted(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 11;
  return check === Number(digits[9]);
}

export function isDate(year: string, month: string, day: string): boolean {
  const y = Number(year);
  const m = Number(month);
  const d = Number(day);
  return y >= 1850 && y <= 2100 && m >= 1 && m <= 12 && d >= 1 && d <= 31;
}

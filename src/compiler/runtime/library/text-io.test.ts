/** Guid, encodings, StringBuilder, readers and writers, enums, tuples, nullables, exceptions, delegates: C# → result. */
import { describe } from "vitest";
import { type Row, check } from "./testing.ts";

const ID = `Guid.Parse("0F8FAD5B-D9CB-469F-A165-70867728950E")`;
const GUIDS: readonly Row[] = [
  [`${ID}.ToString()`, "0f8fad5b-d9cb-469f-a165-70867728950e"],
  [`${ID}.ToString("N")`, "0f8fad5bd9cb469fa16570867728950e"],
  [`${ID}.ToString("B")`, "{0f8fad5b-d9cb-469f-a165-70867728950e}"],
  [`${ID}.ToString("P")`, "(0f8fad5b-d9cb-469f-a165-70867728950e)"],
  [`${ID}.ToString("X")`, "{0x0f8fad5b,0xd9cb,0x469f,{0xa1,0x65,0x70,0x86,0x77,0x28,0x95,0x0e}}"],
  [`${ID}.ToString("Q")`, "!FormatException"],
  [`${ID}.ToByteArray()`, "bytes 5bad8f0fcbd99f46a16570867728950e"],
  [`new Guid(${ID}.ToByteArray()) == ${ID}`, "Boolean True"],
  [`new Guid(new byte[3])`, "!ArgumentException"],
  [`Guid.Parse(" {0f8fad5b-d9cb-469f-a165-70867728950e} ") == ${ID}`, "Boolean True"],
  [`Guid.Parse(${ID}.ToString("X")) == ${ID}`, "Boolean True"],
  [`Guid.Parse("0f8fad5b-d9cb-469f-a165")`, "!FormatException"],
  [`Guid.Parse("(0f8fad5b-d9cb-469f-a165-70867728950e}")`, "!FormatException"],
  [
    `{ Guid g; return Guid.TryParse("x", out g) + g.ToString(); }`,
    "False00000000-0000-0000-0000-000000000000",
  ],
  [`Guid.ParseExact(${ID}.ToString("N"), "D")`, "!FormatException"],
  [`Guid.NewGuid() == Guid.NewGuid()`, "Boolean False"],
  [`default(Guid) == Guid.Empty`, "Boolean True"],
];

const ENCODINGS: readonly Row[] = [
  [`Encoding.UTF8.GetBytes("é€")`, "bytes c3a9e282ac"],
  [`Encoding.UTF8.GetBytes("\\ud800")`, "bytes efbfbd"],
  [`Encoding.UTF8.GetString(new byte[] { 65, 255, 66 })`, "A\ufffdB"],
  [`Encoding.UTF8.GetString(new byte[] { 0xEF, 0xBB, 0xBF, 65 }).Length`, "Int32 2"],
  [`Encoding.UTF8.GetString(new byte[] { 65, 66, 67 }, 1, 2)`, "BC"],
  [`Encoding.UTF8.GetString(new byte[] { 65 }, 1, 2)`, "!ArgumentOutOfRangeException"],
  [`Encoding.UTF8.GetByteCount("é")`, "Int32 2"],
  [`Encoding.ASCII.GetBytes("aé\\U0001F600b")`, "bytes 613f3f62"],
  [`Encoding.ASCII.GetString(new byte[] { 72, 200 })`, "H?"],
  [`Encoding.Unicode.GetBytes("a€")`, "bytes 6100ac20"],
  [`Encoding.BigEndianUnicode.GetString(new byte[] { 0, 97 })`, "a"],
  [`Encoding.GetEncoding("iso-8859-1").GetBytes("é€")`, "bytes e93f"],
  [`Encoding.GetEncoding("windows-1252").GetBytes("€\\u0081é")`, "bytes 8081e9"],
  [`Encoding.GetEncoding(1252).GetString(new byte[] { 0x80, 0x9f })`, "€Ÿ"],
  [`Encoding.GetEncoding("klingon")`, "!ArgumentException"],
  [`Encoding.UTF8.GetBytes((string)null)`, "!ArgumentNullException"],
  [`Encoding.UTF8.WebName`, "utf-8"],
];

const BUILDERS: readonly Row[] = [
  [
    `new StringBuilder("a").Append(1).Append(true).AppendFormat("{0:D2}", 5).Insert(0, "z").ToString()`,
    "za1True05",
  ],
  [`new StringBuilder().AppendLine("a").AppendLine().Append('b', 3).ToString()`, "a\n\nbbb"],
  [`new StringBuilder("abc").Replace("b", "xx").Remove(0, 1).ToString()`, "xxc"],
  [`{ var b = new StringBuilder("abc"); b[1] = 'X'; b.Length = 2; return b.ToString() + b.Length; }`, "aX2"],
  [`new StringBuilder("abc")[3]`, "!IndexOutOfRangeException"],
  [
    `new StringBuilder().Append(1.5).Append('c').Append(2L).Append((object)null).Append(0.10m).ToString()`,
    "1.5c20.10",
  ],
  [`new StringBuilder("ab").Insert(3, "x")`, "!ArgumentOutOfRangeException"],
  [`new StringBuilder().AppendJoin(",", 1, 2).ToString()`, "1,2"],
  [
    `{ var b = new StringBuilder("x"); for (int i = 0; i < 25; i++) b.Append(b.ToString()); return b.Length; }`,
    "!!memory",
  ],
  [
    `{ var b = new StringBuilder(); for (int i = 0; i < 100000; i++) b.Append('x'); return b.Length; }`,
    "Int32 100000",
  ],
  [
    `{ var r = new StringReader("l1\\r\\nl2\\n"); return r.ReadLine() + r.ReadLine() + (r.ReadLine() == null); }`,
    "l1l2True",
  ],
  [`{ var r = new StringReader("abc"); return r.Read() + "," + r.Peek() + r.ReadToEnd(); }`, "97,98bc"],
  [
    `{ using (var w = new StringWriter()) { w.Write("{0}-{1}", 1, 'x'); w.WriteLine(2.5); return w.ToString(); } }`,
    "1-x2.5\n",
  ],
];

const SMALL: readonly Row[] = [
  [`Enum.Parse(typeof(DayOfWeek), "Friday")`, "DayOfWeek Friday"],
  [`Enum.Parse(typeof(DayOfWeek), "friday")`, "!ArgumentException"],
  [`Enum.Parse(typeof(DayOfWeek), " friday ", true)`, "DayOfWeek Friday"],
  [`Enum.Parse(typeof(DayOfWeek), "5")`, "DayOfWeek Friday"],
  [`{ DayOfWeek d; return Enum.TryParse("x", out d) + d.ToString(); }`, "FalseSunday"],
  [`((DayOfWeek)9).ToString()`, "9"],
  [`DayOfWeek.Friday.ToString("D")`, "5"],
  [`DayOfWeek.Friday.CompareTo(DayOfWeek.Monday) > 0`, "Boolean True"],
  [
    `(StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).ToString()`,
    "RemoveEmptyEntries, TrimEntries",
  ],
  [`default(DayOfWeek)`, "DayOfWeek Sunday"],
  [`Tuple.Create(1, "a").Item2`, "a"],
  [`Tuple.Create(1, 'a', 2.5).ToString()`, "(1, a, 2.5)"],
  [`Tuple.Create(1, "a").Equals(Tuple.Create(1, "a"))`, "Boolean True"],
  [`Tuple.Create(1).Equals(Tuple.Create(1L))`, "Boolean False"],
  [
    `{ int? a = null; return a.HasValue + "," + a.GetValueOrDefault() + "," + a.GetValueOrDefault(7) + a; }`,
    "False,0,7",
  ],
  [`{ int? a = null; return a.Value; }`, "!InvalidOperationException"],
  [`{ double? a = 1.5; return a.ToString(); }`, "1.5"],
  [
    `{ try { throw new ArgumentNullException("key"); } catch (ArgumentException e) { return e.ParamName; } }`,
    "key",
  ],
  [
    `{ try { int.Parse("x"); return ""; } catch (FormatException e) { return e.Message; } }`,
    "Input string was not in a correct format.",
  ],
  [
    `{ try { throw new Exception("a", new FormatException("b")); } catch (Exception e) { return e.ToString(); } }`,
    "System.Exception: a ---> System.FormatException: b",
  ],
  [
    `new InvalidOperationException().Message`,
    "Operation is not valid due to the current state of the object.",
  ],
  [`{ Func<int, int, int> f = (a, b) => a - b; return f(5, 3) + f.Invoke(1, 1); }`, "Int32 2"],
  [`1.Equals(1L)`, "Boolean False"],
  [`((object)1.0).Equals(1.0)`, "Boolean True"],
  [`double.NaN.Equals(double.NaN)`, "Boolean True"],
  [`new object().ToString()`, "System.Object"],
];

const all: Readonly<Record<string, readonly Row[]>> = { GUIDS, ENCODINGS, BUILDERS, SMALL };
for (const [name, rows] of Object.entries(all)) describe(name.toLowerCase(), () => check(rows));

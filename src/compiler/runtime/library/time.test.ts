/** DateTime, DateTimeOffset, TimeSpan, TimeZoneInfo: C# → result. The clock stands at 2024-03-05T07:08:09.123Z. */
import { describe } from "vitest";
import { type Row, check } from "./testing.ts";

const UTC = "new DateTime(2024, 3, 5, 7, 8, 9, DateTimeKind.Utc)";

const FORMATS: readonly Row[] = [
  [`${UTC}.ToString()`, "03/05/2024 07:08:09"],
  [`${UTC}.ToString("d")`, "03/05/2024"],
  [`${UTC}.ToString("D")`, "Tuesday, 05 March 2024"],
  [`${UTC}.ToString("f")`, "Tuesday, 05 March 2024 07:08"],
  [`${UTC}.ToString("F")`, "Tuesday, 05 March 2024 07:08:09"],
  [`${UTC}.ToString("g")`, "03/05/2024 07:08"],
  [`${UTC}.ToString("m")`, "March 05"],
  [`${UTC}.ToString("o")`, "2024-03-05T07:08:09.0000000Z"],
  [`new DateTime(2024, 3, 5).ToString("o")`, "2024-03-05T00:00:00.0000000"],
  [
    `new DateTime(2024, 3, 5, 0, 0, 0, DateTimeKind.Local).ToString("o")`,
    "2024-03-05T00:00:00.0000000+00:00",
  ],
  [`${UTC}.ToString("r")`, "Tue, 05 Mar 2024 07:08:09 GMT"],
  [`${UTC}.ToString("s")`, "2024-03-05T07:08:09"],
  [`${UTC}.ToString("T")`, "07:08:09"],
  [`${UTC}.ToString("u")`, "2024-03-05 07:08:09Z"],
  [`${UTC}.ToString("y")`, "2024 March"],
  [`${UTC}.ToString("x")`, "!FormatException"],
  [`${UTC}.ToString("%d")`, "5"],
  [`${UTC}.ToString("d/M/yy h:m:s tt")`, "5/3/24 7:8:9 AM"],
  [`${UTC}.ToString("ddd dddd MMM MMMM yyy yyyyy")`, "Tue Tuesday Mar March 2024 02024"],
  [`${UTC}.ToString("HH'h'mm \\"m\\" \\\\H")`, `07h08 m H`],
  [`${UTC}.AddMilliseconds(450).ToString("ss.FFF ss.fff s.FF")`, "09.45 09.450 9.45"],
  [`${UTC}.ToString("ss.FFF")`, "09"],
  [`${UTC}.ToString("ffffffff")`, "!FormatException"],
  [`${UTC}.ToString("zzz zz z K")`, "+00:00 +00 +0 Z"],
  [`${UTC}.ToString("'open")`, "!FormatException"],
  [`new DateTime(2024, 1, 1, 12, 0, 0).ToString("hh tt t")`, "12 PM P"],
  [`$"{${UTC}:yyyy-MM-dd}"`, "2024-03-05"],
];

const PARSING: readonly Row[] = [
  ["2024-03-05T10:20:30", "2024-03-05T10:20:30.0000000"],
  ["2024-03-05 10:20:30.5", "2024-03-05T10:20:30.5000000"],
  ["2024-03-05T10:20:30.1234567Z", "2024-03-05T10:20:30.1234567+00:00"],
  ["2024-03-05T10:20:30+02:00", "2024-03-05T08:20:30.0000000+00:00"],
  ["2024-03-05", "2024-03-05T00:00:00.0000000"],
  ["2024/3/5", "2024-03-05T00:00:00.0000000"],
  ["03/05/2024 17:08", "2024-03-05T17:08:00.0000000"],
  ["3/5/24 5:08:09 PM", "2024-03-05T17:08:09.0000000"],
  ["Tue, 05 Mar 2024 07:08:09 GMT", "2024-03-05T07:08:09.0000000+00:00"],
  ["5 March 2024", "2024-03-05T00:00:00.0000000"],
  ["March 5, 2024", "2024-03-05T00:00:00.0000000"],
  ["10:20", "2024-03-05T10:20:00.0000000"],
  ["nonsense", "!FormatException"],
  ["", "!FormatException"],
  ["2024-02-30", "!FormatException"],
  ["2024-13-01", "!FormatException"],
  ["20240305", "!FormatException"],
  ["Wed, 05 Mar 2024", "!FormatException"],
  ["2024-03-05T25:00:00", "!FormatException"],
].map(([text, expected]): Row => [`DateTime.Parse("${text!}").ToString("o")`, expected!]);

const EXACT: readonly Row[] = [
  [`DateTime.ParseExact("20240305T070809Z", "yyyyMMddTHHmmssZ", null).ToString("s")`, "2024-03-05T07:08:09"],
  [`DateTime.ParseExact("05.03.24 5:07 PM", "dd.MM.yy h:mm tt", null).ToString("s")`, "2024-03-05T17:07:00"],
  [`DateTime.ParseExact("2024-03-05", "yyyy/MM/dd", null)`, "!FormatException"],
  [`DateTime.ParseExact("Tue, 05 Mar 2024 07:08:09 GMT", "r", null).Hour`, "Int32 7"],
  [
    `DateTimeOffset.ParseExact("05/03/2024 +05:30", "dd/MM/yyyy zzz", null).ToString("o")`,
    "2024-03-05T00:00:00.0000000+05:30",
  ],
  [`{ DateTime d; return DateTime.TryParse("x", out d) + d.ToString("s"); }`, "False0001-01-01T00:00:00"],
];

const DATES: readonly Row[] = [
  [`DateTime.UtcNow.ToString("o")`, "2024-03-05T07:08:09.1230000Z"],
  [`DateTime.Today.ToString("s")`, "2024-03-05T00:00:00"],
  [`new DateTime(2024, 1, 31).AddMonths(1).ToString("d")`, "02/29/2024"],
  [`new DateTime(2024, 2, 29).AddYears(1).ToString("d")`, "02/28/2025"],
  [`new DateTime(2024, 1, 1).AddMonths(-13).ToString("d")`, "12/01/2022"],
  [`new DateTime(2024, 1, 1).AddDays(-1.5).ToString("s")`, "2023-12-30T12:00:00"],
  [`${UTC}.AddSeconds(0.5).Millisecond`, "Int32 500"],
  [`DateTime.MaxValue.AddDays(1)`, "!ArgumentOutOfRangeException"],
  [`DateTime.MinValue.AddTicks(-1)`, "!ArgumentOutOfRangeException"],
  [`new DateTime(2023, 2, 29)`, "!ArgumentOutOfRangeException"],
  [`new DateTime(2023, 1, 1, 24, 0, 0)`, "!ArgumentOutOfRangeException"],
  [`new DateTime(1970, 1, 1).Ticks`, "Int64 621355968000000000"],
  [`${UTC}.DayOfYear`, "Int32 65"],
  [`${UTC}.DayOfWeek`, "DayOfWeek Tuesday"],
  [`${UTC}.Date.Kind`, "DateTimeKind Utc"],
  [`${UTC}.TimeOfDay`, "TimeSpan 07:08:09"],
  [`DateTime.DaysInMonth(2024, 2)`, "Int32 29"],
  [`DateTime.DaysInMonth(2024, 13)`, "!ArgumentOutOfRangeException"],
  [`DateTime.IsLeapYear(1900)`, "Boolean False"],
  [`new DateTime(2024, 3, 2) - new DateTime(2024, 3, 1)`, "TimeSpan 1.00:00:00"],
  [`new DateTime(2024, 3, 2) - TimeSpan.FromDays(2) < new DateTime(2024, 3, 1)`, "Boolean True"],
  [`DateTime.SpecifyKind(${UTC}, DateTimeKind.Local) == ${UTC}`, "Boolean True"],
  [`default(DateTime) == DateTime.MinValue`, "Boolean True"],
];

const OFFSETS: readonly Row[] = [
  [
    `DateTimeOffset.FromUnixTimeMilliseconds(1500).ToString("yyyy-MM-ddTHH:mm:ss.fffZ")`,
    "1970-01-01T00:00:01.500Z",
  ],
  [`DateTimeOffset.FromUnixTimeSeconds(253402300800)`, "!ArgumentOutOfRangeException"],
  [`new DateTimeOffset(2024, 3, 5, 10, 0, 0, TimeSpan.FromHours(2)).ToUnixTimeSeconds()`, "Int64 1709625600"],
  [`DateTimeOffset.FromUnixTimeMilliseconds(-1).ToUnixTimeSeconds()`, "Int64 -1"],
  [`DateTimeOffset.Parse("2024-03-05T10:00:00+02:00").ToString("o")`, "2024-03-05T10:00:00.0000000+02:00"],
  [`DateTimeOffset.Parse("2024-03-05T10:00:00+02:00").ToString()`, "03/05/2024 10:00:00 +02:00"],
  [`DateTimeOffset.Parse("2024-03-05T10:00:00+02:00").ToString("u")`, "2024-03-05 08:00:00Z"],
  [`DateTimeOffset.Parse("2024-03-05T10:00:00+02:00").ToString("r")`, "Tue, 05 Mar 2024 08:00:00 GMT"],
  [`DateTimeOffset.Parse("2024-03-05T10:00:00-05:30").ToString("yyyy zzz")`, "2024 -05:30"],
  [
    `DateTimeOffset.Parse("2024-03-05T10:00:00+02:00") == DateTimeOffset.Parse("2024-03-05T08:00:00Z")`,
    "Boolean True",
  ],
  [`DateTimeOffset.Parse("2024-03-05T10:00:00+02:00").UtcDateTime.Hour`, "Int32 8"],
  [`DateTimeOffset.UtcNow.ToOffset(TimeSpan.FromHours(1)).ToString("HH:mm zzz")`, "08:08 +01:00"],
  [`{ DateTimeOffset d = ${UTC}; return d.ToString("o"); }`, "2024-03-05T07:08:09.0000000+00:00"],
  [`new DateTimeOffset(${UTC}, TimeSpan.FromHours(1))`, "!ArgumentException"],
  [`new DateTimeOffset(2024, 1, 1, 0, 0, 0, TimeSpan.FromHours(15))`, "!ArgumentOutOfRangeException"],
  [`new DateTimeOffset(2024, 1, 1, 0, 0, 0, TimeSpan.FromSeconds(1))`, "!ArgumentException"],
];

const SPANS: readonly Row[] = [
  [`TimeSpan.FromDays(1.5)`, "TimeSpan 1.12:00:00"],
  [`TimeSpan.FromMilliseconds(1500)`, "TimeSpan 00:00:01.5000000"],
  [`TimeSpan.FromSeconds(-61)`, "TimeSpan -00:01:01"],
  [`TimeSpan.FromDays(1e10)`, "!OverflowException"],
  [`TimeSpan.FromDays(double.NaN)`, "!ArgumentException"],
  [`new TimeSpan(1, 2, 30).TotalMinutes`, "Double 62.5"],
  [`new TimeSpan(1, 2, 3, 4, 5).Milliseconds`, "Int32 5"],
  [`TimeSpan.FromMinutes(90) * 2`, "TimeSpan 03:00:00"],
  [`TimeSpan.FromMinutes(90) / TimeSpan.FromMinutes(60)`, "Double 1.5"],
  [`-TimeSpan.FromMinutes(1) + TimeSpan.FromSeconds(1)`, "TimeSpan -00:00:59"],
  [`TimeSpan.MinValue.Negate()`, "!OverflowException"],
  [`TimeSpan.FromSeconds(3723.5).ToString("g")`, "1:02:03.5"],
  [`TimeSpan.FromSeconds(3723.5).ToString("G")`, "0:01:02:03.5000000"],
  [`TimeSpan.FromSeconds(3723.5).ToString("hh\\\\:mm\\\\:ss\\\\.ff")`, "01:02:03.50"],
  [`TimeSpan.FromSeconds(3723.5).ToString("hh:mm")`, "!FormatException"],
  ...[
    ["14", "14.00:00:00"],
    ["1:2:3", "01:02:03"],
    ["0:0:0.250", "00:00:00.2500000"],
    ["10.20:30:40", "10.20:30:40"],
    ["1:2:3:4", "1.02:03:04"],
    ["24:0:0", "24.00:00:00"],
    [" -0:30 ", "-00:30:00"],
  ].map(([text, expected]): Row => [`TimeSpan.Parse("${text!}")`, `TimeSpan ${expected!}`]),
  [`TimeSpan.Parse("0:60:0")`, "!OverflowException"],
  [`TimeSpan.Parse("10.12")`, "!FormatException"],
];

const CET = `TimeZoneInfo.FindSystemTimeZoneById("Central European Standard Time")`;
const ZONES: readonly Row[] = [
  [
    `TimeZoneInfo.ConvertTimeToUtc(new DateTime(2024, 7, 1, 12, 0, 0), ${CET}).ToString("o")`,
    "2024-07-01T10:00:00.0000000Z",
  ],
  [`TimeZoneInfo.ConvertTimeToUtc(new DateTime(2024, 1, 1, 12, 0, 0), ${CET}).Hour`, "Int32 11"],
  [`TimeZoneInfo.ConvertTimeToUtc(new DateTime(2024, 3, 31, 2, 30, 0), ${CET})`, "!ArgumentException"],
  [`TimeZoneInfo.ConvertTimeToUtc(new DateTime(2024, 10, 27, 2, 30, 0), ${CET}).Hour`, "Int32 1"],
  [`${CET}.IsAmbiguousTime(new DateTime(2024, 10, 27, 2, 30, 0))`, "Boolean True"],
  [`${CET}.IsInvalidTime(new DateTime(2024, 3, 31, 2, 30, 0))`, "Boolean True"],
  [`${CET}.IsDaylightSavingTime(new DateTime(2024, 7, 1))`, "Boolean True"],
  [`${CET}.BaseUtcOffset`, "TimeSpan 01:00:00"],
  [`${CET}.GetUtcOffset(${UTC})`, "TimeSpan 01:00:00"],
  [
    `TimeZoneInfo.ConvertTimeFromUtc(${UTC}, TimeZoneInfo.FindSystemTimeZoneById("America/New_York")).ToString("s")`,
    "2024-03-05T02:08:09",
  ],
  [
    `TimeZoneInfo.ConvertTime(DateTimeOffset.UtcNow, TimeZoneInfo.FindSystemTimeZoneById("India Standard Time")).ToString("zzz")`,
    "+05:30",
  ],
  [`TimeZoneInfo.ConvertTimeBySystemTimeZoneId(${UTC}, "Tokyo Standard Time").Hour`, "Int32 16"],
  [`TimeZoneInfo.FindSystemTimeZoneById("Nowhere")`, "!TimeZoneNotFoundException"],
  [`TimeZoneInfo.FindSystemTimeZoneById("+02:00")`, "!TimeZoneNotFoundException"],
  [`TimeZoneInfo.Utc.Id`, "UTC"],
];

const all: Readonly<Record<string, readonly Row[]>> = {
  FORMATS,
  PARSING,
  EXACT,
  DATES,
  OFFSETS,
  SPANS,
  ZONES,
};
for (const [name, rows] of Object.entries(all)) describe(name.toLowerCase(), () => check(rows));

describe("a local zone other than UTC", () =>
  check(
    [
      [`DateTime.Now.ToString("o")`, "2024-03-05T08:08:09.1230000+01:00"],
      [`DateTime.Parse("2024-07-01T12:00:00Z").ToString("o")`, "2024-07-01T14:00:00.0000000+02:00"],
      [`new DateTime(2024, 7, 1, 12, 0, 0).ToUniversalTime().ToString("o")`, "2024-07-01T10:00:00.0000000Z"],
      [`new DateTime(2024, 7, 1).IsDaylightSavingTime()`, "Boolean True"],
      [`new DateTimeOffset(new DateTime(2024, 1, 1)).Offset`, "TimeSpan 01:00:00"],
      [`DateTimeOffset.Parse("2024-07-01").ToString("zzz")`, "+02:00"],
      [`TimeZoneInfo.Local.Id`, "Europe/Berlin"],
      [`TimeZone.CurrentTimeZone.GetUtcOffset(new DateTime(2024, 7, 1))`, "TimeSpan 02:00:00"],
    ],
    "Europe/Berlin",
  ));

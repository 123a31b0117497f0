/** Collections, arrays, comparers and LINQ (`expressions.md` §5.7). */
import { type Row, check } from "./testing.ts";

const COLLECTIONS: readonly Row[] = [
  [
    `var d = new Dictionary<string,int> { {"a",1}, {"b",2}, {"c",3} }; d.Remove("a"); d.Remove("b"); d["x"] = 4; d["y"] = 5; return string.Join(",", d.Keys);`,
    "y,x,c",
  ],
  [`new Dictionary<string,int>()["k"]`, "!KeyNotFoundException"],
  [`new Dictionary<string,int> { {"A",1} }.ContainsKey("a")`, "Boolean False"],
  [`new Dictionary<string,int>(StringComparer.OrdinalIgnoreCase) { {"Straße",1} }["STRAßE"]`, "Int32 1"],
  [`int v; return new Dictionary<string,int>().TryGetValue("x", out v) + "" + v;`, "False0"],
  [
    `var d = new Dictionary<object,int> { {1,1}, {1L,2}, {"1",3}, {'1',4}, {1.0,5} }; return d.Count + "," + d[1L] + d['1'];`,
    "5,24",
  ],
  [
    `var d = new Dictionary<Guid,int>(); d[Guid.Empty] = 1; return d[new Guid("00000000-0000-0000-0000-000000000000")];`,
    "Int32 1",
  ],
  [`var d = new Dictionary<decimal,int> { { 1.0m, 1 } }; return d.ContainsKey(1.00m);`, "Boolean True"],
  [
    `var d = new Dictionary<string,int> { {"a",1} }; foreach (var p in d) { d["a"] = 2; } return 0;`,
    "!InvalidOperationException",
  ],
  [`new Dictionary<string,int> { {"a",1} }.First().ToString()`, "[a, 1]"],
  [`new Dictionary<string,int>().FirstOrDefault().Key == null`, "Boolean True"],
  [
    `IDictionary<string,int> d = new Dictionary<string,int>(); d.Add("a", 1); return d.Count + d["a"];`,
    "Int32 2",
  ],
  [
    `IReadOnlyDictionary<string,int> d = new Dictionary<string,int> { {"a",5} }; return d.GetValueOrDefault("a") + d.GetValueOrDefault("z", 1);`,
    "Int32 6",
  ],
  [`new Dictionary<string,string> { ["a"] = "x" }.GetValueOrDefault("b", "none")`, "none"],
  [`new Dictionary<string,object> { ["a"] = 1 }.GetValueOrDefault("a", 5) + 1`, "Int32 2"],
  [`new Dictionary<string,object> { ["a"] = 1 }.GetValueOrDefault("a")`, "Int32 1"],
  [`new SortedDictionary<int,int> { [2] = 3 }.GetValueOrDefault(2)`, "Int32 3"],
  [`new[] { 3, 1, 2 }.OrderBy(x => x, Comparer<int>.Create((a, b) => b - a)).First()`, "Int32 3"],
  [`new SortedDictionary<string,int> { {"b",1}, {"a",2} }.First().Key`, "a"],
  [`var l = new List<int> { 1, 2, 3 }; l.RemoveAll(x => x > 1); return l.Count;`, "Int32 1"],
  [`var l = new List<int> { 5, 1, 3 }; l.Sort((a, b) => b - a); return string.Join(",", l);`, "5,3,1"],
  [`var l = new List<int>(); l.Insert(1, 1); return 0;`, "!ArgumentOutOfRangeException"],
  [`new List<int> { 1, 3, 5 }.BinarySearch(4)`, "Int32 -3"],
  [`new List<string> { "a", "b" }.Find(x => x == "z") == null`, "Boolean True"],
  [`new List<int> { 1, 2 }.ConvertAll(x => x + "!").Last()`, "2!"],
  [`new List<int> { 1, 2, 3, 4 }.GetRange(1, 2).Sum()`, "Int32 5"],
  [`new List<int>().ToString()`, "System.Collections.Generic.List`1[System.Int32]"],
  [`IList<string> l = new[] { "a" }; l.Add("b"); return 0;`, "!NotSupportedException"],
  [`IEnumerable<object> o = new[] { "a" }; return o.First() is string;`, "Boolean True"],
  [
    `var h = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { "a" }; return h.Contains("A") && h.IsSubsetOf(new[] { "A", "b" });`,
    "Boolean True",
  ],
  [
    `var h = new HashSet<int> { 1, 2, 3 }; h.IntersectWith(new[] { 2, 3, 4 }); h.SymmetricExceptWith(new[] { 3, 9 }); return string.Join(",", h);`,
    "9,2",
  ],
  [`new Queue<int>().Dequeue()`, "!InvalidOperationException"],
  [`var s = new Stack<int>(new[] { 1, 2 }); s.Push(3); return s.Pop() + "" + string.Join("", s);`, "321"],
  [
    `var e = new List<int> { 1, 2 }.GetEnumerator(); e.MoveNext(); e.MoveNext(); return e.Current;`,
    "Int32 2",
  ],
  [`var l = new List<int>(); while (true) { l.AddRange(l); l.Add(1); } return 0;`, "!!steps"],
];

const ARRAYS: readonly Row[] = [
  [`Array.Exists(new[] { "a", "b" }, s => s == "b")`, "Boolean True"],
  [`Array.FindIndex(new[] { 1, 2 }, x => x == 2)`, "Int32 1"],
  [`string.Join(",", Array.FindAll(new[] { 1, 2, 3 }, x => x > 1))`, "2,3"],
  [`var a = new[] { "b", "a", "B", "A" }; Array.Sort(a); return string.Join("", a);`, "aAbB"],
  [
    `var a = new[] { "b", "a", "B", "A" }; Array.Sort(a, StringComparer.Ordinal); return string.Join("", a);`,
    "ABab",
  ],
  [`var a = new[] { 1, 2, 3 }; Array.Reverse(a); return a[0];`, "Int32 3"],
  [`Array.IndexOf(new byte[] { 1, 2 }, (byte)2)`, "Int32 1"],
  [`var a = new[] { 1, 2, 3, 4 }; Array.Copy(a, 0, a, 1, 3); return string.Join("", a);`, "1123"],
  [`Array.Copy(new int[2], new int[1], 2); return 0;`, "!ArgumentException"],
  [`Array.Copy(new[] { 1 }, new string[1], 1); return 0;`, "!ArrayTypeMismatchException"],
  [`var o = new object[1]; Array.Copy(new[] { "x" }, o, 1); return o[0];`, "x"],
  [`Array.ConvertAll(new[] { "1", "2" }, int.Parse).Sum()`, "Int32 3"],
  [`new[] { 1, 2 }[2]`, "!IndexOutOfRangeException"],
  [`((object)new[] { 1 }) is IEnumerable<int>`, "Boolean True"],
];

const LINQ: readonly Row[] = [
  [`"hello".Count(c => c == 'l')`, "Int32 2"],
  [`"hello".First()`, "Char h"],
  [`string.Concat("hello".Reverse())`, "olleh"],
  [`new string("b2a1".Where(char.IsDigit).ToArray())`, "21"],
  [`new int[0].First()`, "!InvalidOperationException"],
  [`try { return new int[0].Max(); } catch (Exception e) { return e.Message.Length; }`, "Int32 29"],
  [`new string[0].Max() == null`, "Boolean True"],
  [`new int?[] { null, 3, 1 }.Min()`, "Int32 1"],
  [`new int?[] { null }.Sum()`, "Int32 0"],
  [`new[] { int.MaxValue, 1 }.Sum()`, "!OverflowException"],
  [`new[] { 1, 2, 4 }.Average()`, "Double 2.3333333333333335"],
  [`new[] { 1.5m, 2.5m }.Average()`, "Decimal 2.0"],
  [`new[] { "a", "bbb" }.Sum(s => s.Length)`, "Int32 4"],
  [`new[] { "a", "bbb" }.Max(s => s.Length)`, "Int32 3"],
  [`new long[] { 1, 2 }.Sum()`, "Int64 3"],
  [`new[] { 1, 2, 3 }.Aggregate(10, (a, x) => a + x)`, "Int32 16"],
  [`new[] { 1, 2, 3 }.Aggregate("", (a, x) => a + x, a => a.Length)`, "Int32 3"],
  [`string.Join(",", new[] { "b", "A", "a", "B" }.OrderBy(x => x))`, "a,A,b,B"],
  [
    `string.Join(",", new[] { "b1", "a2", "b0", "a1" }.OrderBy(x => x[0]).ThenByDescending(x => x[1]))`,
    "a2,a1,b1,b0",
  ],
  [`string.Join(",", new[] { 3, 1, 2 }.OrderBy(x => x % 2))`, "2,3,1"],
  [
    `string.Join(";", new[] { 1, 2, 3, 4 }.GroupBy(x => x % 2).Select(g => g.Key + ":" + string.Join("", g)))`,
    "1:13;0:24",
  ],
  [`new[] { "a", "A" }.GroupBy(x => x, StringComparer.OrdinalIgnoreCase).Count()`, "Int32 1"],
  [`string.Join(",", new[] { 1, 2 }.GroupBy(x => x, (k, g) => k * 10 + g.Count()))`, "11,21"],
  [
    `var l = new[] { "a", "bb", "cc" }.ToLookup(x => x.Length); return l[2].Count() + l[9].Count() + l.Count;`,
    "Int32 4",
  ],
  [`string.Join(",", new[] { 1, 2 }.Join(new[] { 2, 3 }, a => a, b => b, (a, b) => a * 10 + b))`, "22"],
  [
    `string.Join(",", new[] { 1, 2 }.GroupJoin(new[] { 2, 2 }, a => a, b => b, (a, bs) => a + "-" + bs.Count()))`,
    "1-0,2-2",
  ],
  [`string.Join(",", new[] { "ab", "c" }.SelectMany(s => s, (s, c) => s.Length + "" + c))`, "2a,2b,1c"],
  [`string.Join(",", new[] { "x", "y" }.Select((s, i) => i + s))`, "0x,1y"],
  [`string.Join(",", new object[] { 1, "a", 2L }.OfType<int>())`, "1"],
  [`new object[] { 1, "a" }.Cast<int>().Count()`, "!InvalidCastException"],
  [`new[] { 1, 2, 3 }.SequenceEqual(new List<int> { 1, 2, 3 })`, "Boolean True"],
  [
    `new[] { 1, 2, 2 }.Distinct().Count() + new[] { "a" }.Union(new[] { "A" }, StringComparer.OrdinalIgnoreCase).Count()`,
    "Int32 3",
  ],
  [`string.Join(",", new[] { 1, 1, 2 }.Except(new[] { 3 }))`, "1,2"],
  [
    `string.Join(",", Enumerable.Range(5, 3).Concat(Enumerable.Repeat(1, 2)).Prepend(0).Append(9))`,
    "0,5,6,7,1,1,9",
  ],
  [`Enumerable.Range(1, int.MaxValue).Count()`, "!!steps"],
  [`Enumerable.Empty<int>().DefaultIfEmpty().Single()`, "Int32 0"],
  [`new[] { 1, 2 }.Single()`, "!InvalidOperationException"],
  [`new[] { 1, 2, 3 }.Last(x => x < 3)`, "Int32 2"],
  [`new[] { 1 }.ElementAt(5)`, "!ArgumentOutOfRangeException"],
  [`new[] { "a", "a" }.ToDictionary(x => x)`, "!ArgumentException"],
  [
    `string.Join(",", from x in new[] { 1, 2 } from y in new[] { 10, 20 } let z = x * y where z > 10 orderby z descending select z)`,
    "40,20,20",
  ],
  [
    `string.Join(",", from x in new[] { 1, 2, 3 } group x by x % 2 into g select g.Key + ":" + g.Count())`,
    "1:2,0:1",
  ],
  [`string.Join(",", from a in new[] { 1, 2 } join b in new[] { 2 } on a equals b select a + b)`, "4"],
  [`IEnumerable<int> n = null; return n.Count();`, "!ArgumentNullException"],
  [`new[] { 1, 2, 3 }.MaxBy(x => -x)`, "Int32 1"],
  [`new[] { 1, 2, 3 }.Chunk(2).Count()`, "Int32 2"],
  [`new[] { "x" }.Contains((object)"x")`, "Boolean True"],
];

const COMPARERS: readonly Row[] = [
  [`StringComparer.OrdinalIgnoreCase.Equals("ä", "Ä")`, "Boolean True"],
  [`StringComparer.Ordinal.Compare("a", "B") > 0`, "Boolean True"],
  [`StringComparer.InvariantCulture.Compare("a", "B") < 0`, "Boolean True"],
  [`EqualityComparer<string>.Default.Equals(null, null)`, "Boolean True"],
  [`Comparer<int>.Default.Compare(1, 2)`, "Int32 -1"],
];

check([...COLLECTIONS, ...ARRAYS, ...LINQ, ...COMPARERS]);

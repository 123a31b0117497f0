/** Newtonsoft.Json as policies use it (`expressions.md` §5.8). */
import { type Row, check } from "../testing.ts";

const message = (expression: string): string =>
  `try { return (${expression}).ToString(); } catch (Exception e) { return e.Message; }`;

const PARSING: readonly Row[] = [
  [`JObject.Parse("{a:1,'b':2,\\"c\\":3}").ToString(Formatting.None)`, `{"a":1,"b":2,"c":3}`],
  [`JObject.Parse("{/*x*/a:1,//y\\nb:2,}").ToString(Formatting.None)`, `{"a":1,"b":2}`],
  [`JArray.Parse("[1,,2]").ToString(Formatting.None)`, `[1,undefined,2]`],
  [`JArray.Parse("[1,2,]").Count`, "Int32 2"],
  [`JArray.Parse("[NaN,Infinity,-Infinity]").ToString(Formatting.None)`, `["NaN","Infinity","-Infinity"]`],
  [`JArray.Parse("[0x1F,017,-0,1E3,.5,5.]").ToString(Formatting.None)`, `[31,15,0,1000.0,0.5,5.0]`],
  [
    `JArray.Parse("[12.50,1.0,1e3,1E+25,1e-7,123456789012345680.0]").ToString(Formatting.None)`,
    `[12.5,1.0,1000.0,1E+25,1E-07,1.2345678901234568E+17]`,
  ],
  [`JObject.Parse("{a:1,b:2,a:3}").ToString(Formatting.None)`, `{"a":3,"b":2}`],
  [`JToken.Parse("\\"a\\\\u00e9\\\\n\\\\/\\"").ToString()`, "aé\n/"],
  [`JToken.Parse("9223372036854775808").ToString()`, "9223372036854775808"],
  [`((JValue)JToken.Parse("9223372036854775807")).Value is long`, "Boolean True"],
  [
    `JToken.Parse("true").Type.ToString() + JToken.Parse("null").Type + JToken.Parse("1.5").Type + JToken.Parse("[]").Type`,
    "BooleanNullFloatArray",
  ],
  [`JObject.Parse(null)`, "!ArgumentNullException"],
  [message(`JObject.Parse("")`), "Error reading JObject from JsonReader. Path '', line 0, position 0."],
  [message(`JToken.Parse(" ")`), "Error reading JToken from JsonReader. Path '', line 1, position 1."],
  [
    message(`JObject.Parse("[1]")`),
    "Error reading JObject from JsonReader. Current JsonReader item is not an object: StartArray. Path '', line 1, position 1.",
  ],
  [
    message(`JArray.Parse("{}")`),
    "Error reading JArray from JsonReader. Current JsonReader item is not an array: StartObject. Path '', line 1, position 1.",
  ],
  [
    message(`JObject.Parse("{} x")`),
    "Additional text encountered after finished reading JSON content: x. Path '', line 1, position 3.",
  ],
  [
    message(`JObject.Parse("<html>")`),
    "Unexpected character encountered while parsing value: <. Path '', line 0, position 0.",
  ],
  [
    message(`JObject.Parse("{\\"a\\":{\\"b\\":[1,\\"x]}}")`),
    "Unterminated string. Expected delimiter: \". Path 'a.b[0]', line 1, position 18.",
  ],
  [
    message(`JObject.Parse("{\\"a\\":1 \\"b\\":2}")`),
    "After parsing a value an unexpected character was encountered: \". Path 'a', line 1, position 7.",
  ],
  [
    message(`JObject.Parse("{\\"a\\"")`),
    "Invalid character after parsing property name. Expected ':' but got: \0. Path 'a', line 1, position 4.",
  ],
  [
    message(`JObject.Parse("{\\n\\"a\\":tru}")`),
    "Error parsing boolean value. Path 'a', line 2, position 4.",
  ],
  [
    message(`JObject.Parse("{\\"a\\":1")`),
    "Unexpected end of content while loading JObject. Path 'a', line 1, position 6.",
  ],
  [
    message(`JToken.Parse(new string('[', 65))`),
    `The reader's MaxDepth of 64 has been exceeded. Path '${"[0]".repeat(64)}', line 1, position 65.`,
  ],
];

const DATES: readonly Row[] = [
  [`JObject.Parse("{d:'2024-03-05T10:20:30Z'}")["d"].Type.ToString()`, "Date"],
  [`(string)JObject.Parse("{d:'2024-03-05T10:20:30Z'}")["d"]`, "03/05/2024 10:20:30"],
  [
    `JObject.Parse("{d:'2024-03-05T10:20:30.1200000'}").ToString(Formatting.None)`,
    `{"d":"2024-03-05T10:20:30.12"}`,
  ],
  [
    `JObject.Parse("{d:'2024-03-05T10:20:30+02:00'}").ToString(Formatting.None)`,
    `{"d":"2024-03-05T08:20:30+00:00"}`,
  ],
  [`JObject.Parse("{d:'2024-02-30T10:20:30'}")["d"].Type.ToString()`, "String"],
  [`JObject.Parse("{d:'2024-03-05 10:20:30'}")["d"].Type.ToString()`, "String"],
  [`((DateTime)JObject.Parse("{d:'2024-03-05'}")["d"]).ToString("o")`, "2024-03-05T00:00:00.0000000"],
  [
    `JsonConvert.DeserializeObject<Dictionary<string,string>>("{\\"d\\":\\"2024-03-05T10:20:30Z\\"}")["d"]`,
    "2024-03-05T10:20:30Z",
  ],
  [`new JValue(new DateTime(2024,3,5)).ToString(Formatting.None)`, `"2024-03-05T00:00:00"`],
];

const J = `JObject.Parse("{a:1,s:'x',t:'5',b:true,n:null,f:2.5,g:3.5,o:{p:[1,2]},neg:-7.5}")`;
const CASTS: readonly Row[] = [
  [`(int)${J}["f"] + (int)${J}["g"]`, "Int32 6"],
  [`(long)${J}["t"]`, "Int64 5"],
  [`(bool)${J}["a"]`, "Boolean True"],
  [`(decimal)${J}["f"]`, "Decimal 2.5"],
  [`(int?)${J}["n"]`, "null"],
  [`(string)${J}["n"]`, "null"],
  [`(string)${J}["f"]`, "2.5"],
  [`(int)${J}["zz"]`, "!ArgumentNullException"],
  [message(`(int)${J}["n"]`), "Can not convert Null to Int32."],
  [message(`(string)${J}["o"]`), "Can not convert Object to String."],
  [message(`(bool)${J}["o"]`), "Can not convert Object to Boolean."],
  [`(int)${J}["s"]`, "!FormatException"],
  [
    `(Guid)JToken.Parse("\\"0f8fad5b-d9cb-469f-a165-70867728950e\\"")`,
    "Guid 0f8fad5b-d9cb-469f-a165-70867728950e",
  ],
  [`(TimeSpan)JToken.Parse("\\"00:01:30\\"")`, "TimeSpan 00:01:30"],
  [`(byte[])JToken.Parse("\\"AQI=\\"")`, "bytes 0102"],
  [`(int)${J}.Property("a")`, "Int32 1"],
  [`(int)JToken.Parse("5000000000")`, "!OverflowException"],
  [`(double)JToken.Parse("12345678901234567890123")`, "Double 1.2345678901234568E+22"],
  [`${J}.Value<int>("t")`, "Int32 5"],
  [`${J}.Value<int>("zz")`, "Int32 0"],
  [`${J}.Value<bool>("b")`, "Boolean True"],
  [`${J}.Value<string>("f")`, "2.5"],
  [`${J}.Value<JObject>("o").Count`, "Int32 1"],
  [
    message(`${J}.Value<string>("o")`),
    "Cannot cast Newtonsoft.Json.Linq.JObject to Newtonsoft.Json.Linq.JToken.",
  ],
  [`${J}.Value<int>("n")`, "!InvalidCastException"],
  [`${J}["o"]["p"].Values<int>().Sum()`, "Int32 3"],
  [`JArray.Parse("[1,'2',3.5]").ToObject<List<string>>()[2]`, "3.5"],
  [`JObject.Parse("{a:1,b:2}").ToObject<Dictionary<string,int>>()["b"]`, "Int32 2"],
  [`JToken.Parse("'Monday'").ToObject<DayOfWeek>().ToString()`, "Monday"],
  [`JToken.Parse("1").ToObject<string>()`, "1"],
];

const TREE: readonly Row[] = [
  [message(`${J}["s"]["x"]`), "Cannot access child value on Newtonsoft.Json.Linq.JValue."],
  [
    message(`${J}["o"][0]`),
    "Accessed JObject values with invalid key value: 0. Object property name expected.",
  ],
  [
    message(`${J}["o"]["p"]["x"]`),
    `Accessed JArray values with invalid key value: "x". Int32 array index expected.`,
  ],
  [`JArray.Parse("[1]")[3]`, "!ArgumentOutOfRangeException"],
  [
    message(`new JObject { { "a", 1 }, { "a", 2 } }`),
    "Can not add property a to Newtonsoft.Json.Linq.JObject. Property with the same name already exists on object.",
  ],
  [
    message(`new JObject(new JValue(1))`),
    "Can not add Newtonsoft.Json.Linq.JValue to Newtonsoft.Json.Linq.JObject.",
  ],
  [message(`new JArray('c')`), "Could not determine JSON object type for type System.Char."],
  [
    `var o = ${J}; o["a"] = 9; o["z"] = o["o"]; o["z"]["p"][0] = 5; return o["o"]["p"][0] + "," + o["z"]["p"][0] + "," + o["a"];`,
    "1,5,9",
  ],
  [`var a = JArray.Parse("[1]"); a.Add(a); return a.ToString(Formatting.None);`, "[1,[1]]"],
  [
    `var a = new JArray(); a.Add(new[] { 1, 2 }); a.Add(JArray.Parse("[3]")); return a.ToString(Formatting.None);`,
    "[1,2,[3]]",
  ],
  [`new JArray(new List<int> { 1, 2 }).ToString(Formatting.None)`, "[1,2]"],
  [`new JArray(JArray.Parse("[1,2]")).ToString(Formatting.None)`, "[1,2]"],
  [`new JArray(1, "x", null, true, 1.5m).ToString(Formatting.None)`, `[1,"x",null,true,1.5]`],
  [`new JProperty("k", new[] { "a", "b" }).ToString(Formatting.None)`, `"k":["a","b"]`],
  [`new JProperty("k", null).ToString(Formatting.None)`, `"k":null`],
  [`new JProperty("k", 1, 2).ToString(Formatting.None)`, `"k":[1,2]`],
  [
    `var o = ${J}; o.Property("a").AddAfterSelf(new JProperty("a2", 0)); o.AddFirst(new JProperty("_", 0)); return string.Join(",", o.Properties().Select(p => p.Name).Take(4));`,
    "_,a,a2,s",
  ],
  [
    `var o = ${J}; o["o"].Parent.Remove(); o.Remove("a"); return o.ContainsKey("o") || o.ContainsKey("a");`,
    "Boolean False",
  ],
  [`var o = ${J}; o["s"].Replace(new JArray(1)); return o["s"].ToString(Formatting.None);`, "[1]"],
  [`var o = ${J}; foreach (var p in o) { o.Remove("a"); } return 0;`, "!InvalidOperationException"],
  [`var o = ${J}; foreach (var p in o) { o["a"] = 2; } return (int)o["a"];`, "Int32 2"],
  [
    `${J}["o"]["p"][1].Path + " " + ${J}["o"]["p"][1].Root.Type + " " + ${J}["o"]["p"].Parent.Type`,
    "o.p[1] Object Property",
  ],
  [`JObject.Parse("{'a.b':{'c d':[1]}}").Descendants().Last().Path`, "['a.b']['c d'][0]"],
  [`${J}["o"]["p"].First.Next.ToString() + (${J}["o"]["p"].Last.Next == null)`, "2True"],
  [`${J}.GetValue("S", StringComparison.OrdinalIgnoreCase).ToString()`, "x"],
  [`JToken v; return ${J}.TryGetValue("zz", out v) + " " + (v == null);`, "False True"],
  [
    `var a = JObject.Parse("{x:{y:1,z:[1]},k:1}"); a.Merge(JObject.Parse("{x:{y:2,w:3,z:[2]},k:null}")); return a.ToString(Formatting.None);`,
    `{"x":{"y":2,"z":[1,2],"w":3},"k":1}`,
  ],
  [`JToken.DeepEquals(JToken.Parse("[1,{a:1.0}]"), JToken.Parse("[1,{a:1}]"))`, "Boolean False"],
  [`JToken.DeepEquals(${J}, ${J}.DeepClone())`, "Boolean True"],
  [
    `JToken.Parse("1").Equals(JToken.Parse("1")) + " " + JToken.Parse("[]").Equals(JToken.Parse("[]"))`,
    "True False",
  ],
  [`JToken.Parse("1") == JToken.Parse("1")`, "Boolean False"],
  [`JArray.Parse("['b','a','C']").OrderBy(t => t).Select(t => (string)t).First()`, "C"],
  [`"v" + JObject.Parse("{a:{b:1}}")["a"]`, 'v{\n  "b": 1\n}'],
  [
    `new JObject { ["a"] = new JArray(), ["b"] = new JObject(), ["c"] = new JArray(1) }.ToString()`,
    '{\n  "a": [],\n  "b": {},\n  "c": [\n    1\n  ]\n}',
  ],
  [
    `string s = null; var o = new JObject(); o["k"] = s; return o.ToString(Formatting.None) + o["k"].Type;`,
    `{"k":null}String`,
  ],
  [`JObject.Parse("{'__proto__':1,constructor:2}").Count`, "Int32 2"],
  [`JObject.Parse("{a:1,b:2}").Properties().Sum(p => (int)p.Value)`, "Int32 3"],
  [`JArray.Parse("[{a:1},{a:2}]").Children<JObject>().Sum(o => (int)o["a"])`, "Int32 3"],
  [`JArray.Parse("[{a:1},{a:2}]").Values<int>("a").Max()`, "Int32 2"],
  [`foreach (JObject o in JArray.Parse("[{a:1}]")) { return (int)o["a"]; } return 0;`, "Int32 1"],
  [
    `var o = new JObject(); var x = o; for (int i = 0; i < 1200; i++) { var n = new JObject(); x["a"] = n; x = n; } return o.ToString();`,
    "!!depth",
  ],
];

const PATHS: readonly Row[] = [
  [`(int)JToken.Parse("{a:{b:[{c:5}]}}").SelectToken("$.a.b[0].c")`, "Int32 5"],
  [`(int)JToken.Parse("{'a b':{'c.d':5}}").SelectToken("['a b']['c.d']")`, "Int32 5"],
  [`string.Join(",", JToken.Parse("[0,1,2,3,4]").SelectTokens("[1:4:2]"))`, "1,3"],
  [`string.Join(",", JToken.Parse("[0,1,2,3,4]").SelectTokens("[-2:]"))`, "3,4"],
  [`string.Join(",", JToken.Parse("[0,1,2,3,4]").SelectTokens("[::-2]"))`, "4,2,0"],
  [`string.Join(",", JToken.Parse("[0,1,2]").SelectTokens("[0,2]"))`, "0,2"],
  [`JToken.Parse("{a:{x:1},b:{x:2}}").SelectTokens("$..x").Count()`, "Int32 2"],
  [`JToken.Parse("{a:{x:1},b:{x:2}}").SelectTokens("*.x").Sum(t => (int)t)`, "Int32 3"],
  [
    `string.Join(",", JToken.Parse("[{n:'a',p:5},{n:'b',p:15},{n:'c'}]").SelectTokens("$[?(@.p > 4 && @.n != 'b')].n"))`,
    "a",
  ],
  [`string.Join(",", JToken.Parse("[{n:'a',p:5},{n:'b'},{n:'c',p:1}]").SelectTokens("$[?(@.p)].n"))`, "a,c"],
  [
    `string.Join(",", JToken.Parse("[{n:'a'},{n:'b'}]").SelectTokens("$[?(@.n == 'a' || @.n == 'b')].n"))`,
    "a,b",
  ],
  [`string.Join(",", JToken.Parse("[{n:'apple'},{n:'Bee'}]").SelectTokens("$[?(@.n =~ /^b/i)].n"))`, "Bee"],
  [`JToken.Parse("{a:[{b:1},{b:2}]}").SelectToken("$.a[?(@.b == 2)].b").ToString()`, "2"],
  [`JToken.Parse("{a:1}").SelectToken("b.c") == null`, "Boolean True"],
  [message(`JToken.Parse("{a:1}").SelectToken("b", true)`), "Property 'b' does not exist on JObject."],
  [message(`JToken.Parse("{a:[1,2]}").SelectToken("a[*]")`), "Path returned multiple tokens."],
  [`JToken.Parse("{a:[1,2]}").SelectToken("a[")`, "!JsonException"],
];

const SERIALIZING: readonly Row[] = [
  [`JsonConvert.SerializeObject("a\\"\\\\/\\u2028é<")`, `"a\\"\\\\/\\u2028é<"`],
  [
    `JsonConvert.SerializeObject(new object[] { 1, 2L, 1.5, 'c', null, true, "x" })`,
    `[1,2,1.5,"c",null,true,"x"]`,
  ],
  [
    `JsonConvert.SerializeObject(double.NaN) + JsonConvert.SerializeObject(5m) + JsonConvert.SerializeObject(1e21)`,
    `"NaN"5.01E+21`,
  ],
  [`JsonConvert.SerializeObject(DayOfWeek.Monday)`, "1"],
  [`JsonConvert.SerializeObject(new byte[] { 1, 2 })`, `"AQI="`],
  [`JsonConvert.SerializeObject(new Dictionary<int, string> { { 1, "a" } })`, `{"1":"a"}`],
  [
    `JsonConvert.SerializeObject(new { A = new List<int> { 1 }, B = new { C = (int?)null }, T = Tuple.Create(1, "x") })`,
    `{"A":[1],"B":{"C":null},"T":{"Item1":1,"Item2":"x"}}`,
  ],
  [`JsonConvert.SerializeObject(new KeyValuePair<string, int>("k", 1))`, `{"Key":"k","Value":1}`],
  [`JsonConvert.SerializeObject(new { a = 1 }, Formatting.Indented)`, '{\n  "a": 1\n}'],
  [`JsonConvert.SerializeObject(new[] { 1, 2 }.Select(x => new { x }))`, `[{"x":1},{"x":2}]`],
  [
    `JsonConvert.SerializeObject(Guid.Empty) + JsonConvert.SerializeObject(new Uri("http://a/b"))`,
    `"00000000-0000-0000-0000-000000000000""http://a/b"`,
  ],
  [`JsonConvert.DeserializeObject("5") is long`, "Boolean True"],
  [`JsonConvert.DeserializeObject("[1]") is JArray`, "Boolean True"],
  [`JsonConvert.DeserializeObject("") == null`, "Boolean True"],
  [`JsonConvert.DeserializeObject<int[]>("[1,2]").Length`, "Int32 2"],
  [`JsonConvert.DeserializeObject<Dictionary<string, List<int>>>("{\\"a\\":[1,2]}")["a"][1]`, "Int32 2"],
  [`JsonConvert.DeserializeObject<JObject>("{\\"a\\":1}")["a"].ToString()`, "1"],
  [
    `JsonConvert.DeserializeObject<IDictionary<string,string>>("{\\"a\\":\\"b\\"}").GetValueOrDefault("zz", "none")`,
    "none",
  ],
  [`JsonConvert.DeserializeObject<bool?>("null") == null`, "Boolean True"],
  [`JsonConvert.DeserializeObject<int>("null")`, "!JsonSerializationException"],
  [`JsonConvert.DeserializeObject<int>("\\"x\\"")`, "!JsonReaderException"],
  [`JsonConvert.DeserializeObject<string[]>("{}")`, "!JsonSerializationException"],
  [`JsonConvert.DeserializeAnonymousType("{\\"a\\":1,\\"B\\":\\"x\\"}", new { a = 0, b = "" }).b`, "x"],
  [
    `JObject.FromObject(new { a = 1, d = new DateTime(2024,3,5,0,0,0,DateTimeKind.Utc) }).ToString(Formatting.None)`,
    `{"a":1,"d":"2024-03-05T00:00:00Z"}`,
  ],
  [message(`JObject.FromObject(new[] { 1 })`), "Object serialized to Array. JObject instance expected."],
  [`JToken.FromObject(5).Type.ToString()`, "Integer"],
  [`new JObject(new JProperty("r", new JRaw("[1, 2]"))).ToString(Formatting.None)`, `{"r":[1, 2]}`],
];

check([...PARSING, ...DATES, ...CASTS, ...TREE, ...PATHS, ...SERIALIZING]);

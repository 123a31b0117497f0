/**
 * .NET types and members that people try and that expressions may not use. Only for better messages: what is not
 * declared in the library cannot be reached anyway.
 */

const BY_NAMESPACE: Readonly<Record<string, string>> = {
  System:
    "Activator AggregateException AppContext AppDomain ArraySegment Attribute Buffer Console Delegate Environment " +
    "EventArgs EventHandler GC GCHandle Half IntPtr IProgress Lazy MarshalByRefObject Memory MulticastDelegate Progress " +
    "RuntimeTypeHandle Span ReadOnlySpan Type UIntPtr Version WeakReference",
  "System.Collections": "ArrayList BitArray Hashtable SortedList DictionaryEntry",
  "System.Collections.Concurrent":
    "ConcurrentBag ConcurrentDictionary ConcurrentQueue ConcurrentStack BlockingCollection",
  "System.Collections.Generic":
    "LinkedList LinkedListNode PriorityQueue SortedDictionary SortedList SortedSet Comparer EqualityComparer",
  "System.Collections.Immutable": "ImmutableArray ImmutableDictionary ImmutableList ImmutableHashSet",
  "System.Collections.ObjectModel": "Collection ObservableCollection ReadOnlyCollection ReadOnlyDictionary",
  "System.Collections.Specialized": "NameValueCollection StringCollection OrderedDictionary",
  "System.Data": "DataTable DataSet DataRow",
  "System.Diagnostics":
    "Debug Debugger Process ProcessStartInfo StackFrame StackTrace Stopwatch Trace Activity EventLog",
  "System.Dynamic": "ExpandoObject DynamicObject",
  "System.Globalization":
    "Calendar CultureInfo DateTimeFormatInfo DateTimeStyles NumberFormatInfo NumberStyles RegionInfo TextInfo UnicodeCategory",
  "System.IO":
    "BinaryReader BinaryWriter BufferedStream Directory DirectoryInfo DriveInfo File FileInfo FileMode FileStream " +
    "FileSystemWatcher MemoryStream Path Stream StreamReader StreamWriter IOException FileNotFoundException",
  "System.IO.Compression": "DeflateStream GZipStream BrotliStream ZipArchive CompressionMode",
  "System.Linq.Expressions": "Expression LambdaExpression",
  "System.Net":
    "Cookie CookieContainer CredentialCache Dns HttpListener HttpWebRequest HttpWebResponse IPEndPoint NetworkCredential ServicePointManager WebClient WebRequest WebResponse HttpStatusCode WebProxy",
  "System.Net.Http":
    "HttpClient HttpClientHandler HttpContent HttpMethod HttpRequestMessage HttpResponseMessage StringContent",
  "System.Net.Mail": "MailMessage SmtpClient MailAddress",
  "System.Net.Sockets": "Socket TcpClient TcpListener UdpClient NetworkStream",
  "System.Numerics": "BigInteger Complex",
  "System.Reflection":
    "Assembly BindingFlags ConstructorInfo FieldInfo MemberInfo MethodInfo ParameterInfo PropertyInfo",
  "System.Runtime.CompilerServices": "Unsafe RuntimeHelpers",
  "System.Runtime.InteropServices": "Marshal RuntimeInformation",
  "System.Security": "SecureString",
  "System.Security.Claims": "Claim ClaimsIdentity ClaimsPrincipal",
  "System.Security.Cryptography":
    "CryptoStream DSA ECDsa ECDiffieHellman RSACryptoServiceProvider RandomNumberGenerator Rfc2898DeriveBytes AesGcm AesCcm CspParameters ECDsaCng ProtectedData CryptographicOperations",
  "System.Security.Cryptography.X509Certificates":
    "X509Chain X509Store X509Certificate2Collection StoreName StoreLocation X509KeyStorageFlags",
  "System.Text.Json": "JsonDocument JsonElement JsonSerializer JsonSerializerOptions",
  "System.Text.Json.Nodes": "JsonArray JsonNode JsonObject",
  "System.Threading":
    "CancellationToken CancellationTokenSource Interlocked Monitor Mutex Semaphore SemaphoreSlim Thread ThreadPool Timer Volatile",
  "System.Threading.Tasks": "Parallel Task TaskCompletionSource ValueTask",
  "System.Timers": "Timer",
  "System.Web": "HttpUtility HttpContext",
  "System.Xml":
    "XmlAttribute XmlDocument XmlElement XmlNode XmlNodeList XmlReaderSettings XmlWriter XmlWriterSettings XmlConvert XmlNamespaceManager",
  "System.Xml.Schema": "XmlSchema XmlSchemaSet",
  "System.Xml.Serialization": "XmlSerializer",
  "System.Xml.XPath": "XPathDocument XPathNavigator",
  "System.Xml.Xsl": "XslCompiledTransform",
  "Microsoft.Win32": "Registry RegistryKey",
  "Newtonsoft.Json":
    "JsonReader JsonTextReader JsonTextWriter JsonWriter JsonSerializer JsonSerializerSettings NullValueHandling TypeNameHandling JsonPropertyAttribute",
  "Newtonsoft.Json.Serialization": "CamelCasePropertyNamesContractResolver DefaultContractResolver",
  "Newtonsoft.Json.Schema": "JSchema",
};

export const UNSUPPORTED_NAMESPACES: readonly string[] = Object.keys(BY_NAMESPACE);

/** Short name → full name. Where two namespaces have one name the first counts. */
export const UNSUPPORTED_TYPES: ReadonlyMap<string, string> = new Map(
  Object.entries(BY_NAMESPACE)
    .toReversed()
    .flatMap(([namespace, names]) =>
      names.split(" ").map((name): [string, string] => [name, `${namespace}.${name}`]),
    ),
);

/** What to use instead. */
const INSTEAD: Readonly<Record<string, string>> = {
  Environment: 'a line end is written `"\\n"`; configuration values belong into named values',
  XmlDocument: "use XDocument or XElement",
  XmlReaderSettings: "leave it out: `XmlReader.Create(new StringReader(text))` has settings of its own",
  XmlElement: "use XElement",
  XmlNode: "use XNode or XElement",
  CultureInfo: "leave it out: the culture is always the invariant one",
  NumberStyles: "leave it out: numbers are read as the invariant culture writes them",
  DateTimeStyles: "leave it out",
  HttpUtility: "use WebUtility.UrlEncode or Uri.EscapeDataString",
  JsonDocument: "use JObject.Parse",
  JsonElement: "use JToken",
  JsonNode: "use JToken.Parse",
  JsonObject: "use JObject",
  JsonArray: "use JArray",
  JsonSerializer: "use JsonConvert.SerializeObject or JObject.Parse",
  JsonSerializerSettings: "leave it out: the settings are always the usual ones",
  HttpClient: "use the send-request policy",
  WebClient: "use the send-request policy",
  WebRequest: "use the send-request policy",
  HttpWebRequest: "use the send-request policy",
  HttpStatusCode: "write the number",
  HttpMethod: "write the method as a string",
  Thread: "use the retry policy with an interval to wait",
  Task: "use the wait policy for calls at the same time",
  Stopwatch: "use context.Elapsed",
  Console: "use context.Trace or the trace policy",
  Debug: "use context.Trace or the trace policy",
  Trace: "use context.Trace or the trace policy",
  MemoryStream: "use byte[] and Encoding",
  StreamReader: "use StringReader",
  StreamWriter: "use StringWriter",
  File: "put the data into a named value or a policy fragment",
  ConcurrentDictionary: "use Dictionary",
  ArrayList: "use List<object>",
  Hashtable: "use Dictionary",
  LinkedList: "use List",
  SortedDictionary: "use Dictionary and OrderBy",
  SortedList: "use Dictionary and OrderBy",
  SortedSet: "use HashSet and OrderBy",
  NameValueCollection: "use Dictionary<string, string[]>",
  BigInteger: "use decimal or long",
  RandomNumberGenerator: "use RNGCryptoServiceProvider, Random or Guid.NewGuid",
  RSACryptoServiceProvider: "use the certificate's GetRSAPrivateKey()",
  AesGcm: "use the Encrypt and Decrypt methods of byte[]",
  ExpandoObject: "use JObject",
  Activator: "write `new`",
  Claim: "read the claims of a Jwt",
  Version: "compare the parts as numbers",
  Type: "test with `is`",
};

/** A short word on what to use instead of the type of this full name; null when there is nothing to say. */
export function insteadOf(fullName: string): string | null {
  const short = fullName.slice(fullName.lastIndexOf(".") + 1);
  return Object.hasOwn(INSTEAD, short) ? INSTEAD[short]! : null;
}

/** Members that every object has in .NET, and that would lead to reflection or out of the type system. */
const OF_OBJECT = "GetType MemberwiseClone ReferenceEquals Finalize GetTypeCode";

const MEMBERS: Readonly<Record<string, string>> = {
  "System.String": "Intern IsInterned Clone CopyTo GetPinnableReference Normalize IsNormalized Create",
  "System.Array": "CreateInstance ConstrainedCopy",
  "System.DateTime":
    "AddTicks FromBinary FromFileTime FromFileTimeUtc FromOADate GetDateTimeFormats IsDaylightSavingTime ToBinary ToFileTime " +
    "ToFileTimeUtc ToLongDateString ToLongTimeString ToOADate ToShortDateString ToShortTimeString TryParseExact UnixEpoch",
  "System.Exception": "Data HelpLink Source StackTrace TargetSite GetObjectData GetBaseException HResult",
  "System.Enum": "GetNames GetValues GetName GetUnderlyingType IsDefined ToObject",
  "System.Type":
    "Assembly FullName Name GetMethod GetMethods GetProperties BaseType InvokeMember Module GetType",
  "System.Xml.Linq.XDocument": "Load LoadAsync Save SaveAsync WriteTo CreateReader CreateWriter",
  "System.Xml.Linq.XElement": "Load LoadAsync Save SaveAsync WriteTo CreateReader",
  "System.Linq.Enumerable": "AsParallel AsQueryable",
  "System.Security.Cryptography.X509Certificates.X509Certificate2":
    "Import Export PrivateKey Reset CopyWithPrivateKey",
  "Newtonsoft.Json.JsonConvert":
    "DefaultSettings PopulateObject DeserializeAnonymousType DeserializeXNode DeserializeXmlNode SerializeXmlNode",
  "Newtonsoft.Json.Linq.JToken": "CreateReader WriteTo Load LoadAsync ReadFrom Annotation AddAnnotation",
  "Newtonsoft.Json.Linq.JObject": "Load LoadAsync PropertyChanged",
  "Newtonsoft.Json.Linq.JArray": "Load LoadAsync",
  "System.Text.RegularExpressions.Regex": "CompileToAssembly CacheSize",
  "System.Text.Encoding": "RegisterProvider GetEncodings GetDecoder GetEncoder",
};

const memberSets = new Map(Object.entries(MEMBERS).map(([type, names]) => [type, new Set(names.split(" "))]));
const objectSet = new Set(OF_OBJECT.split(" "));

/**
 * The type (of these full names) where .NET has this member and expressions may not use it; null when it has no such
 * member.
 */
export function unsupportedMember(typeNames: Iterable<string>, member: string): string | null {
  if (objectSet.has(member)) return "System.Object";
  for (const name of typeNames) if (memberSets.get(name)?.has(member) === true) return name;
  return null;
}

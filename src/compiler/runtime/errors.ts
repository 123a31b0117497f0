/**
 * .NET exceptions inside expressions. They are values of one JavaScript class that knows its .NET type by name, so
 * that `catch (FormatException e)` can ask for it and its bases. `BudgetError` is deliberately something else: no
 * `catch` in a policy may swallow it (`expressions.md` §6).
 */

/** Derived → base. Only types an expression can meet. */
const BASES: Readonly<Record<string, string>> = {
  "System.SystemException": "System.Exception",
  "System.ApplicationException": "System.Exception",
  "System.ArgumentException": "System.SystemException",
  "System.ArgumentNullException": "System.ArgumentException",
  "System.ArgumentOutOfRangeException": "System.ArgumentException",
  "System.ArithmeticException": "System.SystemException",
  "System.DivideByZeroException": "System.ArithmeticException",
  "System.OverflowException": "System.ArithmeticException",
  "System.FormatException": "System.SystemException",
  "System.UriFormatException": "System.FormatException",
  "System.IndexOutOfRangeException": "System.SystemException",
  "System.InvalidCastException": "System.SystemException",
  "System.InvalidOperationException": "System.SystemException",
  "System.ObjectDisposedException": "System.InvalidOperationException",
  "System.NotSupportedException": "System.SystemException",
  "System.NotImplementedException": "System.SystemException",
  "System.NullReferenceException": "System.SystemException",
  "System.RankException": "System.SystemException",
  "System.TimeoutException": "System.SystemException",
  "System.TimeZoneNotFoundException": "System.Exception",
  "System.Collections.Generic.KeyNotFoundException": "System.SystemException",
  "System.Text.RegularExpressions.RegexMatchTimeoutException": "System.TimeoutException",
  "System.Security.Cryptography.CryptographicException": "System.SystemException",
  "System.Xml.XmlException": "System.SystemException",
  "Newtonsoft.Json.JsonException": "System.Exception",
  "Newtonsoft.Json.JsonReaderException": "Newtonsoft.Json.JsonException",
  "Newtonsoft.Json.JsonSerializationException": "Newtonsoft.Json.JsonException",
  "Newtonsoft.Json.JsonWriterException": "Newtonsoft.Json.JsonException",
};

/** Names of all exception types, for the library to define them as types. */
export const EXCEPTION_TYPES: readonly string[] = ["System.Exception", ...Object.keys(BASES)];

export function baseOfException(typeName: string): string | null {
  return BASES[typeName] ?? null;
}

/** A .NET exception that an expression threw. */
export class NetException extends Error {
  /** Full .NET name. */
  readonly typeName: string;
  readonly inner: NetException | null;

  constructor(typeName: string, message: string, inner: NetException | null = null) {
    super(message);
    this.name = typeName;
    this.typeName = typeName;
    this.inner = inner;
  }

  /** Whether `catch (typeName)` takes it. */
  is(typeName: string): boolean {
    for (let name: string | null = this.typeName; name !== null; name = baseOfException(name)) {
      if (name === typeName) return true;
    }
    return false;
  }
}

/** A limit of `expressions.md` §6 was reached. No policy can catch it. */
export class BudgetError extends Error {
  readonly limit: "steps" | "time" | "depth" | "memory" | "regex";

  constructor(limit: BudgetError["limit"], message: string) {
    super(message);
    this.name = "BudgetError";
    this.limit = limit;
  }
}

export const nullReference = (): NetException =>
  new NetException("System.NullReferenceException", "Object reference not set to an instance of an object.");
export const invalidCast = (from: string, to: string): NetException =>
  new NetException("System.InvalidCastException", `Unable to cast object of type '${from}' to type '${to}'.`);
export const formatError = (message = "Input string was not in a correct format."): NetException =>
  new NetException("System.FormatException", message);
export const overflow = (message = "Arithmetic operation resulted in an overflow."): NetException =>
  new NetException("System.OverflowException", message);
export const divideByZero = (): NetException =>
  new NetException("System.DivideByZeroException", "Attempted to divide by zero.");
export const indexOutOfRange = (): NetException =>
  new NetException("System.IndexOutOfRangeException", "Index was outside the bounds of the array.");
export const keyNotFound = (): NetException =>
  new NetException(
    "System.Collections.Generic.KeyNotFoundException",
    "The given key was not present in the dictionary.",
  );
export const invalidOperation = (message: string): NetException =>
  new NetException("System.InvalidOperationException", message);
export const argumentError = (message: string, parameter?: string): NetException =>
  new NetException("System.ArgumentException", withParameter(message, parameter));
export const argumentNull = (parameter: string): NetException =>
  new NetException("System.ArgumentNullException", withParameter("Value cannot be null.", parameter));
export const argumentOutOfRange = (
  parameter: string,
  message = "Specified argument was out of the range of valid values.",
): NetException => new NetException("System.ArgumentOutOfRangeException", withParameter(message, parameter));

function withParameter(message: string, parameter: string | undefined): string {
  return parameter === undefined ? message : `${message}\nParameter name: ${parameter}`;
}

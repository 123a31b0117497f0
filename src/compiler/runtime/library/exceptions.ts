/** The exception types (`errors.ts` knows their names and bases), as types that a policy can name, throw and catch. */
import { type Members, defineType } from "../define.ts";
import {
  EXCEPTION_TYPES,
  NetException,
  argumentNull,
  argumentOutOfRange,
  baseOfException,
} from "../errors.ts";
import { TYPE, typeNamed } from "../values.ts";

// Exceptions are Errors first, made where `values.ts` is not known; here they become objects of the runtime.
Object.defineProperties(NetException.prototype, {
  [TYPE]: {
    get(this: NetException) {
      return typeNamed(this.typeName);
    },
  },
  netToString: {
    value(this: NetException) {
      return exceptionText(this);
    },
  },
});

/** `Exception.ToString()`: type and message, inner ones after ` ---> `; no stack. */
export function exceptionText(error: NetException): string {
  const head = `${error.typeName}: ${error.message}`;
  return error.inner === null ? head : `${head} ---> ${exceptionText(error.inner)}`;
}

const ARGUMENT_LIKE = new Set(["System.ArgumentNullException", "System.ArgumentOutOfRangeException"]);

for (const name of EXCEPTION_TYPES) {
  const base = baseOfException(name);
  defineType(`class ${name}${base === null ? "" : ` : ${base}`}`, {
    ...constructorsOf(name),
    ...(base === null ? exceptionMembers() : {}),
    ...(name === "System.ArgumentException" ? { "string ParamName { get; }": parameterName } : {}),
  });
}

function constructorsOf(name: string): Members {
  const short = name.slice(name.lastIndexOf(".") + 1);
  const plain: Members = {
    [`${short}()`]: () => new NetException(name, defaultMessage(name)),
    [`${short}(string message)`]: (message: string | null) =>
      new NetException(name, message ?? defaultMessage(name)),
    [`${short}(string message, Exception innerException)`]: (
      message: string | null,
      inner: NetException | null,
    ) => new NetException(name, message ?? defaultMessage(name), inner),
  };
  if (name === "System.ArgumentException") {
    return {
      ...plain,
      [`${short}(string message, string paramName)`]: (message: string | null, parameter: string | null) =>
        new NetException(name, withParameter(message ?? defaultMessage(name), parameter)),
    };
  }
  if (!ARGUMENT_LIKE.has(name)) return plain;
  const make = name === "System.ArgumentNullException" ? argumentNull : argumentOutOfRange;
  return {
    [`${short}()`]: () => new NetException(name, defaultMessage(name)),
    [`${short}(string paramName)`]: (parameter: string | null) =>
      parameter === null ? new NetException(name, defaultMessage(name)) : make(parameter),
    [`${short}(string paramName, string message)`]: (parameter: string | null, message: string | null) =>
      new NetException(name, withParameter(message ?? defaultMessage(name), parameter)),
    [`${short}(string message, Exception innerException)`]: (
      message: string | null,
      inner: NetException | null,
    ) => new NetException(name, message ?? defaultMessage(name), inner),
  };
}

function exceptionMembers(): Members {
  return {
    "string Message { get; }": (error: NetException) => error.message,
    "Exception InnerException { get; }": (error: NetException) => error.inner,
    "string StackTrace { get; }": () => null,
    "string Source { get; }": () => null,
    "int HResult { get; }": () => -2146233088,
    "Exception GetBaseException()": (error: NetException) => {
      let base = error;
      while (base.inner !== null) base = base.inner;
      return base;
    },
    "string ToString()": exceptionText,
  };
}

const PARAMETER = "\nParameter name: ";

function withParameter(message: string, parameter: string | null): string {
  return parameter === null || parameter === "" ? message : message + PARAMETER + parameter;
}

function parameterName(error: NetException): string | null {
  const at = error.message.lastIndexOf(PARAMETER);
  return at < 0 ? null : error.message.slice(at + PARAMETER.length);
}

const DEFAULT_MESSAGES: ReadonlyMap<string, string> = new Map([
  ["System.SystemException", "System error."],
  ["System.ApplicationException", "Error in the application."],
  ["System.ArgumentException", "Value does not fall within the expected range."],
  ["System.ArgumentNullException", "Value cannot be null."],
  ["System.ArgumentOutOfRangeException", "Specified argument was out of the range of valid values."],
  ["System.ArithmeticException", "Overflow or underflow in the arithmetic operation."],
  ["System.DivideByZeroException", "Attempted to divide by zero."],
  ["System.OverflowException", "Arithmetic operation resulted in an overflow."],
  ["System.FormatException", "One of the identified items was in an invalid format."],
  ["System.UriFormatException", "One of the identified items was in an invalid format."],
  ["System.IndexOutOfRangeException", "Index was outside the bounds of the array."],
  ["System.InvalidCastException", "Specified cast is not valid."],
  ["System.InvalidOperationException", "Operation is not valid due to the current state of the object."],
  ["System.ObjectDisposedException", "Cannot access a disposed object."],
  ["System.NotSupportedException", "Specified method is not supported."],
  ["System.NotImplementedException", "The method or operation is not implemented."],
  ["System.NullReferenceException", "Object reference not set to an instance of an object."],
  ["System.RankException", "Attempted to operate on an array with the incorrect number of dimensions."],
  ["System.TimeoutException", "The operation has timed out."],
  ["System.Collections.Generic.KeyNotFoundException", "The given key was not present in the dictionary."],
  ["System.Security.Cryptography.CryptographicException", "Error occurred during a cryptographic operation."],
]);

function defaultMessage(name: string): string {
  return DEFAULT_MESSAGES.get(name) ?? `Exception of type '${name}' was thrown.`;
}

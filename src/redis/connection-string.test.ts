import { expect, test } from "vitest";
import { parseRedisAddress } from "./connection-string.ts";

const plain = {
  host: "cache.example",
  port: 6379,
  user: null,
  password: null,
  tls: false,
  tlsHost: "cache.example",
  database: 0,
  connectTimeoutMs: 2000,
};

test.each<[string, object | string]>([
  ["cache.example", plain],
  [
    "cache.example:10000,password=se=cr==,ssl=True,abortConnect=False",
    { ...plain, port: 10_000, password: "se=cr==", tls: true },
  ],
  ["cache.example,ssl=true", { ...plain, port: 6380, tls: true }],
  [
    " cache.example:7000 , other:7001, USER = app ,Password=p, defaultDatabase=3,connectTimeout=500,sslHost=name.example",
    {
      ...plain,
      port: 7000,
      user: "app",
      password: "p",
      database: 3,
      connectTimeoutMs: 500,
      tlsHost: "name.example",
    },
  ],
  ["[::1]:6390", { ...plain, host: "::1", tlsHost: "::1", port: 6390 }],
  ["redis://cache.example", plain],
  [
    "rediss://app:p%40ss@cache.example:7000/2",
    { ...plain, user: "app", password: "p@ss", port: 7000, database: 2, tls: true },
  ],
  ["password=x", "it names no host"],
  ["", "it names no host"],
  ["host:port:7", "its first item is not host:port"],
  ["host:0", "its port is not from 1 to 65535"],
  ["host:70000", "its port is not from 1 to 65535"],
  ["host,defaultDatabase=x", "defaultDatabase is not a number"],
  ["host,connectTimeout=soon", "connectTimeout is not a number of milliseconds"],
  ["redis://host/x", "its path is not a database number"],
  ["redis://", "it names no host"],
  ["redis://host:port", "it is not a URL"],
])("%s", (text, expected) => {
  expect(parseRedisAddress(text)).toEqual(expected);
});

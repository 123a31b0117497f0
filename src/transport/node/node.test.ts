import { transportSuite } from "../transport.suite.ts";
import { createClient, createServer } from "./index.ts";

transportSuite({ name: "node", createServer, createClient });

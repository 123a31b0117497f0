/** `IMessageBody` (`expressions.md` §4.3). */
import { defineType } from "../define.ts";

defineType("interface Gateway.IMessageBody", {});

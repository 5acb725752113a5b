/** Patterns of tokenizer files are written for Oniguruma; here they become JavaScript ones of the same meaning.
 * Source: https://github.com/kkos/oniguruma/blob/master/doc/RE */
import { EngineError } from "../error.ts";
import { objectAt } from "./fields.ts";

/** Escapes and signs whose meaning differs, outside and inside of a character class. */
const OUTSIDE: Readonly<Record<string, string>> = {
  "\\s": "\\p{White_Space}",
  "\\S": "\\P{White_Space}",
  "\\d": "\\p{Nd}",
  "\\D": "\\P{Nd}",
  "\\w": "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\xb2\\xb3\\xb9\\xbc-\\xbe]",
  "\\W": "[^\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\xb2\\xb3\\xb9\\xbc-\\xbe]",
  "\\h": "[0-9a-fA-F]",
  "\\H": "[^0-9a-fA-F]",
  "\\A": "(?<![\\s\\S])",
  "\\z": "(?![\\s\\S])",
  "\\Z": "(?=\\n?(?![\\s\\S]))",
  "\\a": "\\x07",
  "\\e": "\\x1b",
  "^": "(?<![^\\n])",
  $: "(?![^\\n])",
  ".": "[^\\n]",
};
const INSIDE: Readonly<Record<string, string>> = {
  "\\s": "\\p{White_Space}",
  "\\S": "\\P{White_Space}",
  "\\d": "\\p{Nd}",
  "\\D": "\\P{Nd}",
  "\\w": "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\xb2\\xb3\\xb9\\xbc-\\xbe",
  "\\h": "0-9a-fA-F",
  "\\a": "\\x07",
  "\\e": "\\x1b",
};
/** Signs that may stand escaped in Oniguruma but not in JavaScript's strict syntax lose their backslash. */
const MAY_STAY_ESCAPED = /^[\\^$.*+?()[\]{}|/\-nrtfvbBpPuxkcdDsSwW0-9]$/;

/**
 * The pattern of a `{"String": …}` or `{"Regex": …}` field, global.
 * @throws EngineError TOKENIZER naming the place when it is neither, empty, or has no JavaScript form.
 * @example
 * readPattern({ Regex: "\\s+" }, "pre_tokenizer.pattern").test("a b"); // true
 */
export function readPattern(value: unknown, where: string): RegExp {
  const config = objectAt(value, where);
  const literal = config["String"];
  if (typeof literal === "string" && literal !== "") return new RegExp(escapeLiteral(literal), "gu");
  const source = config["Regex"];
  if (typeof source !== "string" || source === "") {
    throw new EngineError("TOKENIZER", "a pattern is neither a string nor a regular expression", { where });
  }
  return compilePattern(source, where);
}

/**
 * A string as a pattern that matches just it.
 * @example
 * escapeLiteral("a.b"); // "a\\.b"
 */
export function escapeLiteral(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

function compilePattern(source: string, where: string): RegExp {
  try {
    return new RegExp(translate(source), "gu");
  } catch (cause) {
    throw new EngineError("TOKENIZER", "a regular expression is not supported", { where, got: source }, { cause });
  }
}

function translate(source: string): string {
  let out = "";
  let isInClass = false;
  for (let at = 0; at < source.length; ) {
    const sign = source.charAt(at);
    const token = sign === "\\" ? source.slice(at, at + 2) : sign;
    at += token.length;
    if (isInClass && (sign === "[" || source.startsWith("&&", at - 1))) {
      throw new EngineError("TOKENIZER", "nested character classes are not supported", { got: source });
    }
    const map = isInClass ? INSIDE : OUTSIDE;
    if (token in map) out += map[token] ?? "";
    else if (token.length === 2 && !MAY_STAY_ESCAPED.test(token.charAt(1))) out += token.charAt(1);
    else out += token;
    if (sign === "[") {
      isInClass = true;
      if (source.charAt(at) === "^") {
        out += "^";
        at += 1;
      }
    } else if (sign === "]") isInClass = false;
  }
  return out;
}

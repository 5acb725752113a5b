// Attack texts and secrets never reach a log. A text is named by its hash and length; a secret prints [redacted].
import { createHash } from "node:crypto";
import { inspect } from "node:util";

/** Holds a value that no log, template string, JSON or error message shows. */
export class Sensitive<T> {
  readonly #value: T;
  constructor(value: T) {
    this.#value = value;
  }
  /** The value itself; only where it is used. */
  reveal(): T {
    return this.#value;
  }
  toString(): string {
    return "[redacted]";
  }
  toJSON(): string {
    return "[redacted]";
  }
  [inspect.custom](): string {
    return "[redacted]";
  }
}

/** What a log may say about a text: `{hash, chars}`, the first 16 hex digits of its SHA-256 and its length in code units. */
export function describeText(text: string): { hash: string; chars: number } {
  return { hash: createHash("sha256").update(text).digest("hex").slice(0, 16), chars: text.length };
}

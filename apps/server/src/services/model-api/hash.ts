// The identity of a text. UTF-8 turns every lone surrogate into U+FFFD, so those texts are hashed as UTF-16 instead.
import { createHash, hash } from "node:crypto";

/** Hex SHA-256; two texts that differ in any code unit differ here. */
export function hashText(text: string): string {
  if (text.isWellFormed()) return hash("sha256", text, "hex");
  return createHash("sha256").update(Buffer.from(text, "utf16le")).digest("hex");
}

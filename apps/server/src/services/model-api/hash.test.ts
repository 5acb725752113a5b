import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { hashText } from "./hash.ts";

test("it is the SHA-256 of the text's UTF-8", () => {
  expect(hashText("héllo\0")).toBe(createHash("sha256").update("héllo\0", "utf8").digest("hex"));
});

test("texts that UTF-8 cannot tell apart have different hashes", () => {
  const hashes = ["\ud800", "\udfff", "\ufffd", "a\ud800", "\ud800a"].map(hashText);
  expect(new Set(hashes).size).toBe(5);
});

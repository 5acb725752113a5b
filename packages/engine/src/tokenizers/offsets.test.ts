import fc from "fast-check";
import { expect, test } from "vitest";
import { codePointToUtf16, utf16ToCodePoint } from "./offsets.ts";

test("code points are counted as Python counts them", () => {
  const toCodePoint = utf16ToCodePoint("a😀b\ud800");
  expect([0, 1, 2, 3, 4, 5].map(toCodePoint)).toEqual([0, 1, 1, 2, 3, 4]);
});

test("both directions agree on any text", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom("a", "é", "😀", "\ud83d", "\ude00", "好"), { maxLength: 30 }), (units) => {
      const text = units.join("");
      const characters = Array.from(text);
      const toCodePoint = utf16ToCodePoint(text);
      const toUtf16 = codePointToUtf16(text);
      let at = 0;
      for (let i = 0; i <= characters.length; i++) {
        expect(toCodePoint(at)).toBe(i);
        expect(toUtf16(i)).toBe(at);
        at += characters[i]?.length ?? 0;
      }
    }),
  );
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { findPii, redactPii } from "./find.ts";
import { kinds } from "./kinds.ts";
import { passesLuhn, passesMod97 } from "./numbers.ts";

const kindsIn = (text: string) => findPii(text).map(({ kind }) => kind);
const slice = (text: string, start: number, end: number) => [...text].slice(start, end).join("");

test.each([
  ["email", "mail anna.lee+x@mail.example.co.uk, please", "anna.lee+x@mail.example.co.uk"],
  ["email", "jürgen@müller.de.", "jürgen@müller.de"],
  ["phone", "call +49 (30) 901820-0 now", "+49 (30) 901820-0"],
  ["phone", "call (415) 555-2671 now", "(415) 555-2671"],
  ["phone", "Tel. 030 901820 11", "030 901820 11"],
  ["credit_card", "pay 4111 1111 1111 1111 123", "4111 1111 1111 1111"],
  ["credit_card", "378282246310005", "378282246310005"],
  ["iban", "to DE89 3704 0044 0532 0130 00 today", "DE89 3704 0044 0532 0130 00"],
  ["iban", "GB82WEST12345698765432", "GB82WEST12345698765432"],
  ["ipv4", "from 203.0.113.9.", "203.0.113.9"],
  ["ipv6", "from 2001:db8::8a2e:370:7334, then", "2001:db8::8a2e:370:7334"],
  ["mac_address", "nic 00:1A:2b:3c:4D:5e", "00:1A:2b:3c:4D:5e"],
  ["us_ssn", "ssn 536-90-4399", "536-90-4399"],
  ["api_key", `key AKIA${"Q3EGR7XK2PLMZV9B"} end`, "AKIAQ3EGR7XK2PLMZV9B"],
  ["api_key", 'password = "hunter2hunter9"', "hunter2hunter9"],
  ["url_credentials", "postgres://bob:s3cr3t@db.example.com/x", "bob:s3cr3t"],
  ["jwt", "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.SflKxwRJSMeKKF2QT4", undefined],
  ["private_key", "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", undefined],
])("finds %s in %j", (kind, text, expected) => {
  const findings = findPii(text);
  expect(findings.map((finding) => finding.kind)).toEqual([kind]);
  if (expected) expect(slice(text, findings[0]?.start ?? 0, findings[0]?.end ?? 0)).toBe(expected);
});

test.each([
  "4111 1111 1111 1112", // wrong Luhn digit
  "DE88 3704 0044 0532 0130 00", // wrong check digits
  "000-12-3456",
  "999.1.1.1 and 1.2.3 and 127.0.0.1",
  "at 12:30:45 on 2026-11-22, std::vector<a::b>",
  "the password is wrong and the token is missing",
  "me@localhost, @mention, a@b",
  "order 20261122 of 1,234,567,890,123,456",
])("finds nothing in %j", (text) => {
  expect(kindsIn(text)).toEqual([]);
});

test("offsets count code points, also behind emoji", () => {
  const text = "🙂🙂 anna@example.org 👍🏽 +14155552671";
  const [mail, phone] = findPii(text);
  expect(mail && slice(text, mail.start, mail.end)).toBe("anna@example.org");
  expect(phone && slice(text, phone.start, phone.end)).toBe("+14155552671");
});

test("redaction replaces each finding by its kind and keeps the rest", () => {
  expect(redactPii("🙂 anna@example.org, 4111111111111111!").text).toBe("🙂 [EMAIL], [CREDIT_CARD]!");
  expect(redactPii("anna@example.org 203.0.113.9", ["ipv4"]).text).toBe("anna@example.org [IPV4]");
  expect(() => findPii("x", ["nonsense"])).toThrow(/nonsense/);
});

test("findings are ordered, inside the text, disjoint, and gone after redaction of plain kinds", () => {
  const part = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.constantFrom("a@b.co", "4111111111111111", "+4930901820", "\ud800", "://u:p@h", "::", "sk-"),
  );
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const text = parts.join(" ");
      const length = [...text].length;
      let last = 0;
      for (const { start, end, kind } of findPii(text)) {
        expect(start).toBeGreaterThanOrEqual(last);
        expect(end).toBeGreaterThan(start);
        expect(end).toBeLessThanOrEqual(length);
        expect(kinds.some(({ id }) => id === kind)).toBe(true);
        last = end;
      }
    }),
  );
});

test("check digits: changing any one digit is noticed", () => {
  const digit = fc.integer({ min: 0, max: 9 });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 15 }), digit, (at, replacement) => {
      const card = "4111111111111111";
      const changed = card.slice(0, at) + String(replacement) + card.slice(at + 1);
      expect(passesLuhn(changed)).toBe(changed === card);
    }),
  );
  expect(passesMod97("GB82WEST12345698765432")).toBe(true);
  expect(passesMod97("GB28WEST12345698765432")).toBe(false);
});

test("long hostile texts end: no kind backtracks", () => {
  for (const unit of ["a", "1", "1 ", "@", "a@", "://", ":", "0.", "-----BEGIN PRIVATE KEY-----", "eyJ", "token="])
    expect(findPii(unit.repeat(Math.ceil(200_000 / unit.length)))).toBeInstanceOf(Array);
});

import { expect, test } from "vitest";
import { afterAnswer, type Known } from "./findings.ts";

const known = (rest: Partial<Known> = {}): Known => ({
  state: "open",
  versions: ["1", "2"],
  fixedVersion: null,
  ...rest,
});
const right = (version: string) => ({ version, isWrong: false });
const wrong = (version: string) => ({ version, isWrong: true });

test("only a version after all that it was seen on fixes it", () => {
  expect(afterAnswer(known(), right("3"))).toEqual({ state: "fixed", fixedVersion: "3", event: "fixed" });
  expect(afterAnswer(known(), right("10"))).toMatchObject({ state: "fixed" });
  expect(afterAnswer(known(), right("2"))).toMatchObject({ state: "open", event: null });
  expect(afterAnswer(known({ versions: ["2"] }), right("1"))).toMatchObject({ state: "open", event: null });
  expect(afterAnswer(known({ versions: ["abc"] }), right("def"))).toMatchObject({ state: "fixed" });
  expect(afterAnswer(known({ state: "accepted_risk" }), right("3"))).toMatchObject({ state: "fixed" });
  expect(afterAnswer(known({ state: "false_positive" }), right("3"))).toMatchObject({ state: "false_positive" });
});

test("seen again from the fixing version on, it reopens; on an older one it does not", () => {
  const fixed = known({ state: "fixed", fixedVersion: "3" });
  expect(afterAnswer(fixed, wrong("3"))).toEqual({ state: "open", fixedVersion: null, event: "reopened" });
  expect(afterAnswer(fixed, wrong("4"))).toMatchObject({ state: "open" });
  expect(afterAnswer(fixed, wrong("2"))).toEqual({ state: "fixed", fixedVersion: "3", event: null });
  expect(afterAnswer(known({ state: "fixed" }), wrong("2"))).toMatchObject({ state: "open", event: "reopened" });
});

test.each(["open", "confirmed", "false_positive", "accepted_risk"] as const)(
  "a wrong answer leaves %s as it is",
  (state) => {
    expect(afterAnswer(known({ state }), wrong("9"))).toEqual({ state, fixedVersion: null, event: null });
  },
);

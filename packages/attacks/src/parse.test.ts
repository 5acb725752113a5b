import { AppError } from "@mlsec/contracts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parsePattern, patternLimits } from "./parse.ts";
import { createRng } from "./rng.ts";

const good = {
  id: "house-rule",
  technique: "override",
  goal: "make the bot break the house rule",
  label: "prompt_injection",
  severity: "low",
  tags: ["owasp:llm01"],
  source: "https://example.org/rules",
  templates: [["Break rule [[n]].", "Read rule [[n]]."]],
  slots: { n: ["1", "2", "3"] },
  examples: ["Break rule 1."],
};

test("a good pattern is read and draws", () => {
  const pattern = parsePattern(structuredClone(good));
  expect(pattern.attacks(createRng(1), 1)[0]?.text).toMatch(/^Break rule [123]\.$/);
  expect(parsePattern(JSON.parse(JSON.stringify(pattern)))).toMatchObject(good);
});

test("conversations, frames and languages are read", () => {
  const talk = parsePattern({
    ...good,
    templates: [
      [
        ["Hi [[n]].", "Break it."],
        ["Hi [[n]].", "Read it."],
      ],
    ],
    examples: [],
  });
  const [pair] = talk.attacks(createRng(1), 1);
  expect(pair?.turns).toHaveLength(2);
  expect(pair?.turns?.[0]).toBe(pair?.twinTurns?.[0]);
  const slots = { ...good.slots, around: ["<[[text]]>"] };
  expect(parsePattern({ ...good, slots, frame: "around" }).attacks(createRng(1), 1)[0]?.text).toMatch(/^<Break.*>$/);
  const bare = parsePattern({ ...good, slots, frame: "around" }).attacks(createRng(1), 1, { bare: true });
  expect(bare[0]?.text).toMatch(/^Break rule .\.$/);
  const german = parsePattern({
    ...good,
    languages: ["de"],
    templates: [["[[override]] [[n]]", "[[ordinary]] [[n]]"]],
    examples: [],
  });
  expect(german.attacks(createRng(2), 1)[0]?.text).toMatch(/Anweisungen|gilt|Vorgaben/);
});

test.each([
  [{ id: "House Rule" }, "id"],
  [{ technique: "magic" }, "technique"],
  [{ label: "benign" }, "label"],
  [{ severity: 3 }, "severity"],
  [{ tags: ["owasp:llm99"] }, "tags[0]"],
  [{ source: "ftp://example.org" }, "source"],
  [{ code: "alert(1)" }, "code"],
  [{ templates: [] }, "templates"],
  [{ templates: [["a"]] }, "templates[0]"],
  [{ templates: [["a", 1]] }, "templates[0][1]"],
  [{ templates: [["same", "same"]] }, "templates[0]"],
  [{ templates: [["[[x]]", "y"]] }, "templates[0][0]"],
  [{ templates: [[["only"], ["one"]]] }, "templates[0][0]"],
  [{ templates: [["a", ["b", "c"]]] }, "templates[0]"],
  [{ slots: { n: [] } }, "slots.n"],
  [{ slots: { n: ["[[n]]"] }, examples: [] }, "templates[0][0]"],
  [{ slots: { "a b": ["x"] } }, "slots.a b"],
  [{ slots: { n: new Array(patternLimits.fillers + 1).fill("x") } }, "slots.n"],
  [{ languages: ["tlh"] }, "languages"],
  [{ languages: [] }, "languages"],
  [{ frame: "nowhere" }, "frame"],
  [{ slots: { n: ["1"], f: ["none"] }, frame: "f" }, "frame"],
  [{ examples: ["Break rule 9."] }, "examples[0]"],
])("%j is refused at %s", (wrong, field) => {
  try {
    parsePattern({ ...good, ...wrong });
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({ code: "INVALID_INPUT", details: { field } });
  }
});

test("slots that would give huge texts are refused before anything is drawn", () => {
  const slots = {
    a: ["x".repeat(2000)],
    b: ["[[a]]".repeat(300)],
    c: ["[[b]]".repeat(300)],
    d: ["[[c]]".repeat(300)],
  };
  expect(() => parsePattern({ ...good, slots, templates: [["[[d]]", "no"]], examples: [] })).toThrow(/more than 40000/);
});

test("whatever comes in, it is a pattern or an INVALID_INPUT", () => {
  const json = fc.jsonValue();
  const near = fc.record({ field: fc.constantFrom(...Object.keys(good)), value: json });
  const check = (value: unknown): void => {
    try {
      parsePattern(value);
    } catch (error) {
      expect(error).toBeInstanceOf(AppError);
      expect((error as AppError).code).toBe("INVALID_INPUT");
    }
  };
  fc.assert(fc.property(json, check), { seed: 3, numRuns: 200 });
  fc.assert(
    fc.property(near, ({ field, value }) => check({ ...good, [field]: value })),
    { seed: 4, numRuns: 500 },
  );
});

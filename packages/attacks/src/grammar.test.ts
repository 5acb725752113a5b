import { expect, test } from "vitest";
import { fill, slotNames } from "./grammar.ts";
import { createRng } from "./rng.ts";
import { parseGrammarFile } from "./training/grammar-file.ts";
import { createNovelty } from "./training/novelty.ts";

test("slots nest, choices on the spot work, and a seed fixes the text", () => {
  const slots = { who: ["[[name]] and [[name]]"], name: ["Ada", "Bo", "Cy"] };
  const text = fill("[[Hi|Hello]] [[who]]", slots, createRng(4));
  expect(text).toMatch(/^(Hi|Hello) (Ada|Bo|Cy) and (Ada|Bo|Cy)$/);
  expect(fill("[[Hi|Hello]] [[who]]", slots, createRng(4))).toBe(text);
});

test("a twin repeats the fillers of its attack, use by use", () => {
  const slots = { n: ["1", "2", "3", "4", "5", "6", "7", "8", "9"] };
  const bindings = new Map<string, string[]>();
  const rng = createRng(9);
  const attack = fill("[[n]] [[n]]", slots, rng, bindings);
  expect(fill("[[n]] [[n]] [[n]]", slots, rng, bindings)).toMatch(new RegExp(`^${attack} \\d$`));
});

test("unknown slots and endless slots are refused by name", () => {
  expect(() => fill("[[nope]]", { a: ["b"] }, createRng(1))).toThrow(/"nope".*known slots: a/);
  expect(() => fill("[[a]]", { a: ["[[a]]"] }, createRng(1))).toThrow(/deeper/);
  expect(slotNames("[[a]] [[x|y]] [[b]]")).toEqual(["a", "b"]);
});

test("grammar files: slots, sections, pairs, escapes, and the line of a mistake", () => {
  const file = parseGrammarFile(
    "= x\none\ntwo\n\n# benign hard n=3\nsay [[x]]\\nnow\n# jailbreak a b n=2 pair\nbad || good\n",
  );
  expect(file.slots).toEqual({ x: ["one", "two"] });
  expect(file.sections).toMatchObject([
    { label: "benign", category: "hard", draws: 3, paired: false, templates: [["say [[x]]\nnow"]] },
    { label: "jailbreak", category: "a-b", draws: 2, paired: true, templates: [["bad", "good"]] },
  ]);
  expect(() => parseGrammarFile("lonely")).toThrow(/line 1/);
  expect(() => parseGrammarFile("# benign\n# nonsense x")).toThrow(/line 2/);
  expect(() => parseGrammarFile("# benign a pair\nonly one")).toThrow(/line 2/);
});

test("novelty sees through case, punctuation and small edits, and lets other texts pass", () => {
  const novelty = createNovelty({ characters: 0.45, words: 0.5 });
  novelty.keep("Please water the ferns before the weekend.");
  expect(novelty.isNew("please WATER the ferns, before the weekend!!")).toBe(false);
  expect(novelty.isNew("Please water the roses before the weekend.")).toBe(false);
  expect(novelty.isNew("The ferry leaves at noon.")).toBe(true);
});

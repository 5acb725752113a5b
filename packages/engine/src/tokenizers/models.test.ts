import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EngineError } from "../error.ts";
import { readModel } from "./models.ts";
import { pairTable } from "./pair-table.ts";
import { readPattern } from "./patterns.ts";
import type { Json } from "./stages.ts";
import { createTokenizer } from "./tokenizer.ts";
import { trie } from "./trie.ts";

const errorOf = (make: () => unknown): EngineError => {
  try {
    make();
  } catch (error) {
    if (error instanceof EngineError) return error;
  }
  throw new EngineError("TOKENIZER", "no error was thrown");
};

describe("BPE", () => {
  const vocab = { "<unk>": 0, a: 1, b: 2, c: 3, ab: 4, abc: 5, bc: 6, "<0xE5>": 7, "<0xA5>": 8, "<0xBD>": 9 };
  const make = (options: Json = {}) =>
    readModel({ type: "BPE", vocab, merges: ["a b", "ab c", "b c"], unk_token: "<unk>", ...options });

  test("merges in the order in which they were learned", () => {
    expect(make().pieces("abcbcab")).toEqual({ ids: [5, 6, 4], starts: [0, 3, 5], ends: [3, 5, 7] });
    const pairs = make({
      merges: [
        ["b", "c"],
        ["a", "b"],
        ["ab", "c"],
      ],
    });
    expect(pairs.pieces("abc").ids).toEqual([1, 6]);
    expect(make({ merges: [], ignore_merges: true }).pieces("abc").ids).toEqual([5]);
  });

  test("unknown characters: one token each, one for all of them, or their bytes", () => {
    expect(make().pieces("xxa").ids).toEqual([0, 0, 1]);
    expect(make({ fuse_unk: true }).pieces("xxa")).toEqual({ ids: [0, 1], starts: [0, 2], ends: [2, 3] });
    expect(make({ byte_fallback: true }).pieces("a好")).toEqual({
      ids: [1, 7, 8, 9],
      starts: [0, 1, 1, 1],
      ends: [1, 2, 2, 2],
    });
    expect(make({ byte_fallback: true }).pieces("é").ids).toEqual([0]); // not every byte has a token
    expect(make({ unk_token: null }).pieces("axb")).toEqual({ ids: [4], starts: [0], ends: [3] });
  });

  test("prefix of continuing pieces and suffix of the last one", () => {
    const model = readModel({
      type: "BPE",
      vocab: { a: 0, "#a": 1, "#a.": 2, "a#a.": 3, "a.": 4, "aa.": 5 },
      merges: [["a", "#a."]],
      continuing_subword_prefix: "#",
      end_of_word_suffix: ".",
    });
    expect(model.pieces("aaa").ids).toEqual([0, 1, 2]);
    expect(model.pieces("aa").ids).toEqual([5]);
    expect(model.pieces("a").ids).toEqual([4]);
  });

  test("equals merging by the lowest rank, pair by pair", () => {
    const tokens = ["a", "b", "c"];
    const merges: [string, string][] = [];
    for (const [left, right] of ["ab", "bc", "ca", "aa"].map((pair) => pair.split("")) as [string, string][]) {
      merges.push([left, right]);
      tokens.push(left + right);
    }
    for (const [left, right] of [
      ["ab", "c"],
      ["aa", "aa"],
      ["bc", "ab"],
      ["c", "ab"],
    ] as [string, string][]) {
      merges.push([left, right]);
      tokens.push(left + right);
    }
    const ids = Object.fromEntries(tokens.map((token, id) => [token, id]));
    const model = readModel({ type: "BPE", vocab: ids, merges });
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 40 }), (word) => {
        const pieces = word.split("");
        for (;;) {
          const ranks = pieces.slice(1).map((right, i) => {
            const rank = merges.findIndex(([a, b]) => a === pieces[i] && b === right);
            return rank < 0 ? Number.POSITIVE_INFINITY : rank;
          });
          const lowest = Math.min(...ranks);
          if (lowest === Number.POSITIVE_INFINITY) break;
          const at = ranks.indexOf(lowest);
          pieces.splice(at, 2, `${pieces[at]}${pieces[at + 1]}`);
        }
        expect(model.pieces(word).ids).toEqual(pieces.map((piece) => ids[piece]));
      }),
      { seed: 3 },
    );
  });

  test("damaged parts are named", () => {
    expect(errorOf(() => make({ dropout: 0.1 })).details.where).toBe("model.dropout");
    expect(errorOf(() => make({ merges: ["a b", "a x"] })).details.where).toBe("model.merges[1]");
    expect(errorOf(() => make({ merges: ["a b c"] })).details.where).toBe("model.merges[0]");
    expect(errorOf(() => make({ merges: {} })).details.where).toBe("model.merges");
    expect(errorOf(() => make({ unk_token: "?" })).details.where).toBe("model.unk_token");
    expect(errorOf(() => make({ fuse_unk: "yes" })).details.where).toBe("model.fuse_unk");
  });
});

describe("Unigram", () => {
  const vocab = [
    ["<unk>", 0],
    ["a", -1],
    ["b", -1.5],
    ["ab", -2],
    ["abb", -9],
    ["<0xC3>", -20],
    ["<0xA9>", -20],
  ];
  const make = (options: Json = {}) => readModel({ type: "Unigram", vocab, unk_id: 0, ...options });

  test("takes the best sum of scores, the longer piece on a tie", () => {
    expect(make().pieces("abb")).toEqual({ ids: [3, 2], starts: [0, 2], ends: [2, 3] });
    const tie = make({
      vocab: [
        ["<unk>", 0],
        ["a", -1],
        ["b", -1],
        ["ab", -2],
      ],
    });
    expect(tie.pieces("ab").ids).toEqual([3]);
  });

  test("neighbouring unknown characters are one token, or their bytes", () => {
    expect(make().pieces("a😀好b")).toEqual({ ids: [1, 0, 2], starts: [0, 1, 4], ends: [1, 4, 5] });
    expect(make({ byte_fallback: true }).pieces("aé")).toEqual({ ids: [1, 5, 6], starts: [0, 1, 1], ends: [1, 2, 2] });
    expect(make({ byte_fallback: true }).pieces("好").ids).toEqual([0]);
  });

  test("equals trying every way to cut", () => {
    const scores = new Map(vocab.slice(1, 5) as [string, number][]);
    const best = (word: string): number => {
      if (word === "") return 0;
      let most = Number.NEGATIVE_INFINITY;
      for (const [token, score] of scores) {
        if (word.startsWith(token)) most = Math.max(most, score + best(word.slice(token.length)));
      }
      return most;
    };
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: 14 }), (word) => {
        const { ids, ends } = make().pieces(word);
        const got = ids.reduce((sum, id) => sum + Number(vocab[id]?.[1]), 0);
        expect(got).toBeCloseTo(best(word), 9);
        expect(ends.at(-1)).toBe(word.length);
      }),
      { seed: 4 },
    );
  });

  test("damaged parts are named", () => {
    expect(errorOf(() => make({ unk_id: 99 })).details.where).toBe("model.unk_id");
    expect(errorOf(() => make({ unk_id: null })).details.where).toBe("model.unk_id");
    expect(errorOf(() => make({ vocab: [["a", 0], ["b"]] })).details.where).toBe("model.vocab[1]");
    expect(errorOf(() => make({ vocab: { a: 1 } })).details.where).toBe("model.vocab");
  });
});

test("WordLevel and the models' kinds", () => {
  const model = readModel({ type: "WordLevel", vocab: { "<unk>": 0, hello: 1 }, unk_token: "<unk>" });
  expect([model.pieces("hello").ids, model.pieces("x").ids]).toEqual([[1], [0]]);
  expect(errorOf(() => readModel({ type: "WordLevel", vocab: {}, unk_token: "?" })).details.where).toBe(
    "model.unk_token",
  );
  expect(errorOf(() => readModel({ type: "Nope" })).details).toEqual({ where: "model.type", got: "Nope" });
  expect(readModel({ vocab: [["?", 0]], unk_id: 0 }).vocabSize).toBe(1); // before files named their model's type
  expect(readModel({ vocab: { a: 0 }, merges: [] }).idOf("a")).toBe(0);
});

test("damaged stages are named by their place", () => {
  const model = { type: "WordPiece", vocab: { "[UNK]": 0 } };
  const whereOf = (parts: Json): unknown => errorOf(() => createTokenizer({ model, ...parts })).details.where;
  const inSequence = (list: string, part: unknown): Json => ({ type: "Sequence", [list]: [part] });
  expect(whereOf({ normalizer: 3 })).toBe("normalizer");
  expect(whereOf({ normalizer: inSequence("normalizers", { type: "Nope" }) })).toBe("normalizer.normalizers[0]");
  expect(whereOf({ normalizer: { type: "Sequence" } })).toBe("normalizer.normalizers");
  expect(whereOf({ normalizer: { type: "Replace", content: "" } })).toBe("normalizer.pattern");
  expect(whereOf({ normalizer: { type: "Replace", pattern: { Regex: "a++" }, content: "" } })).toBe(
    "normalizer.pattern",
  );
  expect(whereOf({ normalizer: { type: "Replace", pattern: { Regex: "[a[b]]" }, content: "" } })).toBe(
    "normalizer.pattern",
  );
  expect(whereOf({ normalizer: { type: "Prepend" } })).toBe("normalizer.prepend");
  expect(whereOf({ normalizer: { type: "Precompiled", precompiled_charsmap: "AAAA" } })).toBe(
    "normalizer.precompiled_charsmap",
  );
  expect(whereOf({ pre_tokenizer: inSequence("pretokenizers", { type: "Nope" }) })).toBe(
    "pre_tokenizer.pretokenizers[0]",
  );
  expect(whereOf({ pre_tokenizer: { type: "Metaspace", prepend_scheme: "often" } })).toBe(
    "pre_tokenizer.prepend_scheme",
  );
  expect(whereOf({ pre_tokenizer: { type: "Metaspace", replacement: "ab" } })).toBe("pre_tokenizer.replacement");
  expect(whereOf({ pre_tokenizer: { type: "Punctuation", behavior: "Gone" } })).toBe("pre_tokenizer.behavior");
  expect(whereOf({ pre_tokenizer: { type: "ByteLevel", use_regex: 1 } })).toBe("pre_tokenizer.use_regex");
  expect(whereOf({ post_processor: { type: "TemplateProcessing", single: [] } })).toBe("post_processor.single");
  expect(whereOf({ post_processor: { type: "BertProcessing", cls: ["a"], sep: ["b", 1] } })).toBe("post_processor.cls");
  expect(whereOf({ post_processor: inSequence("processors", { type: "Nope" }) })).toBe("post_processor.processors[0]");
  expect(whereOf({ post_processor: { type: "BertProcessing", cls: ["a", -1], sep: ["b", 1] } })).toBe(
    "post_processor.cls",
  );
  expect(whereOf({ added_tokens: [{ id: 1e9, content: "a" }] })).toBe("added_tokens[0]");
  expect(whereOf({ added_tokens: [{ id: 0, content: "a" }, { id: 1 }] })).toBe("added_tokens[1]");
});

test("processors in a sequence: specials round what the earlier ones made, offsets without their spaces", () => {
  const special = (name: string, id: number) => ({
    type: "TemplateProcessing",
    single: [{ SpecialToken: { id: name } }, { Sequence: { id: "A" } }],
    special_tokens: { [name]: { id: name, ids: [id], tokens: [name] } },
  });
  const tokenizer = createTokenizer({
    model: { type: "BPE", vocab: { a: 0, Ġ: 1, Ġa: 2 }, merges: ["Ġ a"] },
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false },
    post_processor: {
      type: "Sequence",
      processors: [
        { type: "ByteLevel", trim_offsets: true, add_prefix_space: true },
        special("<i>", 8),
        special("<o>", 9),
      ],
    },
  });
  expect(tokenizer.prefixIds).toEqual([9, 8]);
  const { ids, starts, ends } = tokenizer.encode("a  a");
  expect(Array.from(ids)).toEqual([9, 8, 0, 1, 2]);
  expect(Array.from(starts)).toEqual([0, 0, 0, 2, 3]);
  expect(Array.from(ends)).toEqual([0, 0, 1, 2, 4]);
});

test("tables and tries agree with maps", () => {
  const small = fc.integer({ min: 0, max: 40 });
  fc.assert(
    fc.property(fc.array(fc.tuple(small, small, fc.nat()), { maxLength: 400 }), (entries) => {
      const table = pairTable(1);
      const map = new Map<string, number>();
      for (const [left, right, value] of entries) {
        table.set(left, right, value);
        map.set(`${left} ${right}`, value);
      }
      for (let left = 0; left <= 40; left++) {
        for (let right = 0; right <= 40; right++)
          expect(table.get(left, right)).toBe(map.get(`${left} ${right}`) ?? -1);
      }
    }),
    { seed: 5, numRuns: 30 },
  );
  fc.assert(
    fc.property(fc.array(fc.string({ minLength: 1 }), { maxLength: 60 }), (tokens) => {
      const tokenTrie = trie(tokens);
      for (const token of tokens) expect(tokenTrie.find(token)).toBe(tokens.lastIndexOf(token));
      expect(tokenTrie.find("\u{10ffff}never")).toBe(-1);
    }),
    { seed: 6, numRuns: 50 },
  );
});

test("a word character of a pattern is Oniguruma's: the fractions of Latin-1, but no other numbers than digits", () => {
  const word = readPattern({ Regex: "\\w" }, "pattern");
  expect(Array.from("a½⑹१_-".matchAll(word), ([sign]) => sign)).toEqual(["a", "½", "१", "_"]);
});

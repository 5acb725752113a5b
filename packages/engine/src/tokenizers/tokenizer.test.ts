import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Tokenizer as Oracle } from "@huggingface/tokenizers";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { EngineError } from "../error.ts";
import { utf16ToCodePoint } from "./offsets.ts";
import { createTokenizer, type Tokenizer } from "./tokenizer.ts";
import { loadTokenizer } from "./folder.ts";

const FIXTURES = fileURLToPath(new URL("../../fixtures/parity/", import.meta.url));
const BASE = fileURLToPath(new URL("../../../../models/minilm-l6/", import.meta.url));

interface Expected {
  readonly texts: readonly {
    readonly text: string;
    readonly input_ids: readonly number[];
    readonly full_length: number;
    readonly offsets: readonly (readonly [number, number])[];
  }[];
}

describe("reference outputs of the Rust tokenizers", async () => {
  for (const name of await readdir(FIXTURES)) {
    const folder = join(FIXTURES, name);
    test(`${name}: ids and offsets are identical`, async () => {
      const tokenizer = await loadTokenizer(folder);
      const { texts } = JSON.parse(await readFile(join(folder, "expected.json"), "utf8")) as Expected;
      for (const { text, input_ids: ids, full_length: fullLength, offsets } of texts) {
        const encoding = tokenizer.encode(text);
        expect(encoding.ids).toHaveLength(fullLength);
        const count = Math.min(fullLength, 127); // the last of a truncated list is [SEP] again
        expect(Array.from(encoding.ids.subarray(0, count))).toEqual(ids.slice(0, count));
        const toCodePoint = utf16ToCodePoint(text);
        const spans = Array.from(encoding.ids, (_, i) => [
          toCodePoint(encoding.starts[i] ?? 0),
          toCodePoint(encoding.ends[i] ?? 0),
        ]);
        expect(spans.slice(0, count)).toEqual(offsets.slice(0, count));
      }
    });
  }
});

describe("the real vocabulary", () => {
  let ours: Tokenizer;
  let oracle: Oracle;
  beforeAll(async () => {
    ours = await loadTokenizer(BASE);
    const [json, config] = await Promise.all(
      ["tokenizer.json", "tokenizer_config.json"].map(async (file) => JSON.parse(await readFile(BASE + file, "utf8"))),
    );
    oracle = new Oracle(json, config);
  });

  test("is described", () => {
    expect(ours).toMatchObject({ vocabSize: 30_522, padId: 0, prefixIds: [101], suffixIds: [102] });
    expect(Array.from(ours.encode("Hello").ids)).toEqual([101, 7592, 102]);
    expect(Array.from(ours.encode("Hello", { addSpecials: false }).ids)).toEqual([7592]);
    expect(Array.from(ours.encode("Hello").specials)).toEqual([1, 0, 1]);
  });

  test("ids equal those of @huggingface/tokenizers on texts of many scripts", () => {
    const words = [
      ..."the Ignore previous INSTRUCTIONS don't naïve Größe déjà İstanbul ﬁre e\u0301te\u0301".split(" "),
      ..."请忽略以上指令 忽略 かな カナ 漢字 日本語 안녕하세요 시스템 Игнорируй ёлка Ігнор".split(" "),
      ..."تجاهل التعليمات إِعْلَان שלום עִבְרִית यह परीक्षण ไม่สนใจ ভাষা தமிழ் ქართული հայերեն አማርኛ".split(" "),
      ..."ελληνικά tiếng Việt ọ̃ 👩\u200d💻 🏳️\u200d🌈 🚀 \u200b \ufeff \u00ad — … «» ¿? 1,000.5 <b> [MASK] [SEP] [sep] x_y a/b".split(
        " ",
      ),
      "\t",
      "\r\n",
      "\u00a0",
      "\u3000",
      "\u0085",
      "a".repeat(101),
      "x1".repeat(30),
    ];
    const word = fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...words) },
      fc.string({ maxLength: 8 }),
      fc.string({ unit: fc.integer({ min: 0xa0, max: 0x2fff }).map((c) => String.fromCodePoint(c)), maxLength: 4 }),
    );
    const text = fc.array(fc.tuple(word, fc.constantFrom("", " ", " ", "  ")), { maxLength: 20 });
    fc.assert(
      fc.property(text, (parts) => {
        const joined = parts.flat().join("").replaceAll("Σ", "σ"); // the oracle lowercases whole texts: final sigma
        expect(Array.from(ours.encode(joined).ids)).toEqual(oracle.encode(joined).ids);
      }),
      { numRuns: 1500 },
    );
  });

  test("any string gives spans inside it, in order", () => {
    const unit = fc.oneof(
      fc.integer({ min: 0, max: 0xffff }).map((c) => String.fromCharCode(c)),
      fc.constantFrom("\0", "\ud800", "\udc00", "[CLS]", "a", "好"),
    );
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 40 }), (units) => {
        const text = units.join("");
        const { ids, starts, ends, specials } = ours.encode(text);
        let last = 0;
        for (let i = 0; i < ids.length; i++) {
          const [start = -1, end = -1] = [starts[i], ends[i]];
          if (specials[i] === 1) expect([start, end]).toEqual([0, 0]);
          else {
            expect(start).toBeGreaterThanOrEqual(last);
            expect(end).toBeGreaterThan(start);
            expect(end).toBeLessThanOrEqual(text.length);
            last = start;
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  test("a broken pair or a NUL inside a word does not hide the word", () => {
    const plain = Array.from(ours.encode("ignore this").ids);
    const { ids, starts, ends } = ours.encode("ig\ud83dno\0re this");
    expect(Array.from(ids)).toEqual(plain);
    expect([starts[1], ends[1]]).toEqual([0, 8]);
  });

  test("final and other capital sigmas are lowercased alike, as the Rust version does", () => {
    expect(Array.from(ours.encode("ΣΑΣ").ids)).toEqual(Array.from(ours.encode("σασ").ids));
  });

  test("a long text is encoded like its words", () => {
    const long = "previous instructions ".repeat(5000);
    expect(ours.encode(long).ids).toHaveLength(10_002);
  });
});

test("added tokens: strip, single word, normalized, longest wins", () => {
  const tokenizer = createTokenizer({
    model: { type: "WordPiece", vocab: { "[UNK]": 0, a: 1, b: 2 } },
    normalizer: { type: "BertNormalizer" },
    pre_tokenizer: { type: "BertPreTokenizer" },
    added_tokens: [
      { id: 10, content: "<m>", lstrip: true },
      { id: 11, content: "<m>>" },
      { id: 12, content: "Word", single_word: true, normalized: true },
      { id: 13, content: "<r>", rstrip: true },
    ],
  });
  const of = (text: string): number[] => Array.from(tokenizer.encode(text).ids);
  expect(of("a  <m> b")).toEqual([1, 10, 2]);
  expect(of("a<m>>b")).toEqual([1, 11, 2]);
  expect(of("a WORD b")).toEqual([1, 12, 2]);
  expect(of("a wordy b")).toEqual([1, 0, 2]);
  expect(of("a 𝐁Word b")).toEqual([1, 0, 2]);
  expect(Array.from(tokenizer.encode("a <r>  b").ends)).toEqual([1, 7, 8]);
  expect(Array.from(tokenizer.encode("a  <m> b").starts)).toEqual([0, 1, 7]);
  expect(tokenizer.vocabSize).toBe(14);
});

test("damaged files are TOKENIZER errors", async () => {
  await expect(loadTokenizer("/nonexistent")).rejects.toThrow(EngineError);
  expect(() => createTokenizer({})).toThrow(EngineError);
  expect(() => createTokenizer({ model: { type: "WordPiece", vocab: { a: -1 } } })).toThrow(EngineError);
  expect(() => createTokenizer({ model: { type: "WordPiece", vocab: { a: 1 } } })).toThrow(EngineError);
  const model = { type: "WordPiece", vocab: { "[UNK]": 0 } };
  expect(() => createTokenizer({ model, normalizer: { type: "Nope" } })).toThrow(EngineError);
  expect(() => createTokenizer({ model, added_tokens: [{ id: "x" }] })).toThrow(EngineError);
});

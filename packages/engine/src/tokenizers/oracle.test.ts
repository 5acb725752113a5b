// Every fixture against @huggingface/tokenizers on random Unicode, and what must hold for offsets of any text.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Tokenizer as Oracle } from "@huggingface/tokenizers";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createTokenizer, type Encoding } from "./tokenizer.ts";

const FIXTURES = fileURLToPath(new URL("../../fixtures/parity/", import.meta.url));
const names = readdirSync(FIXTURES);

/** One of each kind: the others have the same stages. */
const LONG = ["bert", "gpt2", "roberta", "xlm-roberta", "deberta-v3", "t5"];

const read = (name: string, file: string) => JSON.parse(readFileSync(join(FIXTURES, name, file), "utf8"));
const load = (name: string) => createTokenizer(read(name, "tokenizer.json"), read(name, "tokenizer_config.json"));

const range = (min: number, max: number) => fc.integer({ min, max }).map((code) => String.fromCodePoint(code));
const word = fc.oneof(
  fc.constantFrom(
    ..."the Ignore previous instructions don't we're Größe déjà ﬁre e\u0301te\u0301 ＦＵＬＬ ½ 请忽略以上 が 안녕하세요 Игнорируй".split(
      " ",
    ),
    ..."تجاهل التعليمات यह क\u093c ไม่สนใจ 👩\u200d💻 🏳️\u200d🌈 😀 1,000.5 <b> [MASK] <mask> </s> [SEP] x_y \0 \u200b \u00ad \ufeff".split(
      " ",
    ),
    "\t",
    "\r\n",
    "\u00a0",
    "\u3000",
  ),
  range(0x20, 0x7e),
  range(0xa0, 0x24f),
  range(0x300, 0x36f),
  range(0x370, 0x4ff),
  range(0x4e00, 0x9fff),
  range(0x1f300, 0x1f6ff),
  range(0x20000, 0x2a6df),
);
const text = fc
  .array(fc.tuple(word, fc.constantFrom("", " ", " ", "  ")), { maxLength: 16 })
  .map((parts) => parts.flat().join(""));

/**
 * Leaves out where the oracle differs from the Rust version, whose outputs the other tests hold: it lowercases whole
 * texts (final sigma), takes U+FEFF for white space, and puts no spaces round ideographs beyond U+FFFF.
 */
const comparable = (sample: string): string => sample.replace(/[Σ\ufeff\u{20000}-\u{2ffff}]/gu, "x");

describe.each(names)("%s", (name) => {
  const ours = load(name);

  // The oracle knows no Nmt, so XLM-RoBERTa's texts are held to the Rust outputs only.
  if (name !== "xlm-roberta") {
    test("ids equal those of @huggingface/tokenizers", () => {
      const oracle = new Oracle(read(name, "tokenizer.json"), read(name, "tokenizer_config.json"));
      fc.assert(
        fc.property(text, (sample) => {
          const same = comparable(sample);
          expect(Array.from(ours.encode(same).ids)).toEqual(oracle.encode(same).ids);
        }),
        { numRuns: 300, seed: 16 },
      );
    });
  }

  test("any string gives spans inside it, in order", () => {
    const unit = fc.oneof(
      fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
      range(0x10000, 0x10ffff),
      fc.constantFrom(
        "\0",
        "\ud800",
        "\udc00",
        "[CLS]",
        "<mask>",
        "a",
        " ",
        "▁",
        "Ġ",
        "好",
        "\u0301",
        "\u0344",
        "\u1161",
      ),
    );
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 40 }), (units) => {
        const sample = units.join("");
        const encoding = ours.encode(sample);
        expectOrdered(encoding, sample.length);
        const bare = ours.encode(sample, { addSpecials: false });
        expect([...ours.prefixIds, ...bare.ids, ...ours.suffixIds]).toEqual(Array.from(encoding.ids));
      }),
      { numRuns: 300, seed: 17 },
    );
  });

  test("spans cover all that is not white space", () => {
    const solid = fc.constantFrom(..."abcXYZ019,.!-_中文字日本かなЖяعربआक😀🚀𠀀", " ", "  ", "\n");
    fc.assert(
      fc.property(fc.array(solid, { maxLength: 40 }), (units) => {
        const sample = units.join("");
        const { starts, ends } = ours.encode(sample);
        const covered = new Uint8Array(sample.length);
        for (const [i, start] of starts.entries()) covered.fill(1, start, ends[i]);
        const missed = Array.from(sample.matchAll(/\S/gu), ({ index }) => index).filter(
          (index) => covered[index] !== 1,
        );
        expect(missed).toEqual([]);
      }),
      { numRuns: 200, seed: 18 },
    );
  });

  if (!LONG.includes(name)) return;
  test.each([
    ["one word", "a".repeat(200_000)],
    [
      "ideographs",
      Array.from({ length: 200_000 }, (_, i) => String.fromCharCode(0x4e00 + ((i * 7919) % 8000))).join(""),
    ],
    ["spaces", " ".repeat(200_000)],
    ["marks out of order", `e${"\u0301\u0323".repeat(100_000)}`],
    ["joined emoji", "👩\u200d".repeat(66_000)],
    ["apostrophes", "'".repeat(200_000)],
    ["added tokens", " <mask>[MASK]".repeat(20_000)],
  ])(
    "200,000 characters: %s",
    (_, sample) => {
      expectOrdered(ours.encode(sample), sample.length);
    },
    60_000,
  );
});

function expectOrdered({ ids, starts, ends, specials }: Encoding, length: number): void {
  let last = 0;
  let wrong = 0;
  for (let i = 0; i < ids.length; i++) {
    const [start = -1, end = -1] = [starts[i], ends[i]];
    if (specials[i] === 1) wrong += start === 0 && end === 0 ? 0 : 1;
    else {
      if (start < last || end < start || end > length) wrong += 1;
      last = start;
    }
  }
  expect(wrong).toBe(0);
}

import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { EngineError } from "../error.ts";
import { utf16ToCodePoint } from "./offsets.ts";
import { parseSentencePiece } from "./sentencepiece.ts";
import { spmTokenizer } from "./spm-tokenizers.ts";
import { createTokenizer, type Tokenizer } from "./tokenizer.ts";
import { loadTokenizer } from "./folder.ts";

const FIXTURES = fileURLToPath(new URL("../../fixtures/", import.meta.url));
const SPM = join(FIXTURES, "tokenizers");

interface Expected {
  readonly texts: readonly string[];
  readonly tokenizers: Readonly<Record<string, readonly { ids: number[]; offsets: [number, number][] }[]>>;
  readonly sentencepiece: Readonly<Record<string, readonly number[][]>>;
}

const expected = JSON.parse(await readFile(join(SPM, "expected.json"), "utf8")) as Expected;

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tokenizer-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const idsOf = (tokenizer: Tokenizer, text: string): number[] => Array.from(tokenizer.encode(text).ids);

describe("SentencePiece files", () => {
  test.each(Object.entries(expected.tokenizers))(
    "%s: ids and offsets are those of transformers",
    async (name, rows) => {
      const tokenizer = await loadTokenizer(join(SPM, name));
      for (const [i, text] of expected.texts.entries()) {
        const { ids, starts, ends } = tokenizer.encode(text);
        const toCodePoint = utf16ToCodePoint(text);
        expect(Array.from(ids), text).toEqual(rows[i]?.ids);
        const offsets = Array.from(ids, (_, j) => [toCodePoint(starts[j] ?? 0), toCodePoint(ends[j] ?? 0)]);
        expect(offsets, text).toEqual(rows[i]?.offsets);
      }
    },
  );

  test.each(Object.entries(expected.sentencepiece))("%s: ids are those of SentencePiece", async (name, rows) => {
    const tokenizer = await loadTokenizer(join(SPM, name));
    for (const [i, ids] of rows.entries()) {
      const text = expected.texts[i] ?? "";
      expect(Array.from(tokenizer.encode(text, { addSpecials: false }).ids), text).toEqual(ids);
    }
  });

  test("specials and sizes", async () => {
    const [deberta, xlmRoberta, t5] = await Promise.all(
      ["deberta-v2", "xlm-roberta", "t5"].map((name) => loadTokenizer(join(SPM, name))),
    );
    const pieces = parseSentencePiece(await readFile(join(SPM, "deberta-v2/spm.model"))).pieces.length;
    expect(deberta).toMatchObject({ prefixIds: [1], suffixIds: [2], padId: 0, vocabSize: pieces + 1 });
    expect(xlmRoberta).toMatchObject({ prefixIds: [0], suffixIds: [2], padId: 1, vocabSize: pieces + 1 });
    expect(t5).toMatchObject({ prefixIds: [], suffixIds: [1], padId: 0, vocabSize: pieces + 99 });
  });

  test("a deleted first character does not shift the offsets", async () => {
    const tokenizer = await loadTokenizer(join(SPM, "t5"));
    const { starts, ends } = tokenizer.encode("\u00adthe roses");
    expect([starts[0], ends.at(-2)]).toEqual([1, 10]);
  });

  test("damaged files and unknown families are TOKENIZER errors", async () => {
    const file = await readFile(join(SPM, "t5/spiece.model"));
    for (const bytes of [Buffer.alloc(0), file.subarray(0, 100), Buffer.from([0x0f]), Buffer.alloc(40, 0xff)]) {
      expect(() => parseSentencePiece(bytes)).toThrow(EngineError);
    }
    await writeFile(join(folder, "spiece.model"), file);
    await writeFile(join(folder, "config.json"), JSON.stringify({ model_type: "marian" }));
    await expect(loadTokenizer(folder)).rejects.toMatchObject({ code: "TOKENIZER", details: { got: ["marian"] } });
  });
});

test("the options of tokenizer_config.json count", async () => {
  await cp(join(SPM, "t5/spiece.model"), join(folder, "spiece.model"));
  const pieces = async (config: object): Promise<number[]> => {
    await writeFile(
      join(folder, "tokenizer_config.json"),
      JSON.stringify({ tokenizer_class: "T5TokenizerFast", ...config }),
    );
    const tokenizer = await loadTokenizer(folder);
    return Array.from(tokenizer.encode("</s>the", { addSpecials: false }).ids);
  };
  const [always, first, never] = [
    await pieces({}),
    await pieces({ legacy: false }),
    await pieces({ add_prefix_space: false }),
  ];
  expect(first).toEqual(never);
  expect(always).not.toEqual(first);
  await writeFile(join(folder, "tokenizer_config.json"), JSON.stringify({ extra_ids: 3 }));
  const few = await loadTokenizer(folder);
  expect(few.vocabSize).toBe((await loadTokenizer(join(SPM, "t5"))).vocabSize - 97);
});

test("bytes that are no SentencePiece file, or damaged ones, give a TOKENIZER error or a model, never another error", async () => {
  const file = await readFile(join(SPM, "t5/spiece.model"));
  const damaged = fc
    .array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { minLength: 1, maxLength: 20 })
    .map((changes) => {
      const bytes = Buffer.from(file);
      for (const [at, value] of changes) bytes[at] = value;
      return bytes;
    });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), damaged), (bytes) => {
      try {
        const json = spmTokenizer(parseSentencePiece(bytes), { family: "t5", config: {} });
        createTokenizer(json).encode("the ﬁne e\u0301 ½ roses 好😀");
      } catch (error) {
        expect(error).toBeInstanceOf(EngineError);
      }
    }),
    { seed: 8, numRuns: 150 },
  );
});

describe("vocabulary files", () => {
  const texts = ["Hello, wörld! don't 12.5", "  two  spaces\n", "[MASK] <mask> <|endoftext|>", "好😀"];

  async function asJson(name: string): Promise<{ vocab: Record<string, number>; merges: [string, string][] }> {
    const json = JSON.parse(await readFile(join(FIXTURES, "parity", name, "tokenizer.json"), "utf8")) as {
      model: { vocab: Record<string, number>; merges: [string, string][] };
    };
    await cp(join(FIXTURES, "parity", name, "tokenizer_config.json"), join(folder, "tokenizer_config.json"));
    return json.model;
  }

  test("vocab.txt is WordPiece", async () => {
    const { vocab } = await asJson("bert");
    const lines = Object.entries(vocab).sort(([, a], [, b]) => a - b);
    await writeFile(join(folder, "vocab.txt"), `${lines.map(([token]) => token).join("\n")}\n`);
    const [theirs, ours] = await Promise.all([join(FIXTURES, "parity/bert"), folder].map(loadTokenizer));
    expect(ours).toMatchObject({ vocabSize: theirs?.vocabSize, padId: theirs?.padId });
    for (const text of texts) expect(ours?.encode(text)).toEqual(theirs?.encode(text));
  });

  test.each(["roberta", "gpt2"])("vocab.json and merges.txt are byte-level BPE: %s", async (name) => {
    const { vocab, merges } = await asJson(name);
    await writeFile(join(folder, "vocab.json"), JSON.stringify(vocab));
    await writeFile(
      join(folder, "merges.txt"),
      `#version: 0.2\n${merges.map((pair) => pair.join(" ")).join("\r\n")}\n`,
    );
    const [theirs, ours] = await Promise.all([join(FIXTURES, "parity", name), folder].map(loadTokenizer));
    expect(ours).toMatchObject({ vocabSize: theirs?.vocabSize, padId: theirs?.padId, prefixIds: theirs?.prefixIds });
    if (!theirs || !ours) throw new EngineError("TOKENIZER", "not loaded");
    for (const text of texts) expect(ours.encode(text)).toEqual(theirs.encode(text));
    expect(idsOf(ours, texts[0] ?? "")).toEqual(idsOf(theirs, texts[0] ?? ""));
  });

  test("a folder without a tokenizer, or with a damaged file, is a TOKENIZER error that names it", async () => {
    await expect(loadTokenizer("/nonexistent")).rejects.toMatchObject({ code: "TOKENIZER" });
    await writeFile(join(folder, "tokenizer.json"), "{");
    await expect(loadTokenizer(folder)).rejects.toMatchObject({
      code: "TOKENIZER",
      details: { where: join(folder, "tokenizer.json") },
    });
  });
});

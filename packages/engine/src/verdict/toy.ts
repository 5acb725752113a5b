/**
 * A hand-built DistilBERT of a few kilobytes that really classifies: its one attention head looks for a dozen words.
 * For tests and demonstrations that need a model folder at once; it guards nothing.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { weightFiles } from "../weights/names.ts";
import type { TensorToWrite } from "../weights/safetensors.ts";
import { writeSafetensors } from "../weights/safetensors-file.ts";
import { labels } from "./labels.ts";

/** Words that the toy takes for each attack. */
export const toyWords: Readonly<Record<string, readonly string[]>> = {
  prompt_injection: ["ignore", "previous", "instructions"],
  jailbreak: ["dan", "unrestricted", "developer"],
  system_extraction: ["reveal", "hidden", "prompt"],
  code_injection: ["drop", "table", "exec"],
};

/** A word that sounds a little like an attack: rows that name it lie near the boundary. */
export const toyBorderWord = "secret";

const DIM = 16;
const HIDDEN = 16;
const POSITIONS = 128;
const specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"];
const letters = "abcdefghijklmnopqrstuvwxyz0123456789.,!?'";

/**
 * Writes `config.json`, `tokenizer.json`, `tokenizer_config.json` and `model.safetensors` of the toy.
 * `finishDetector` makes a detector of it.
 * @example
 * await writeToyModel("toy");
 * await finishDetector("toy", rows, { name: "toy" });
 */
export async function writeToyModel(folder: string): Promise<void> {
  const words = Object.values(toyWords).flat();
  const vocab = [...specials, ...letters, ...Array.from(letters, (letter) => `##${letter}`), ...words, toyBorderWord];
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "config.json"), JSON.stringify(config(vocab.length), null, 2));
  await writeFile(join(folder, "tokenizer.json"), JSON.stringify(tokenizer(vocab)));
  await writeFile(join(folder, "tokenizer_config.json"), JSON.stringify({ pad_token: "[PAD]" }));
  await writeSafetensors(join(folder, weightFiles.fp32), tensors(vocab));
}

function config(vocabSize: number): Record<string, unknown> {
  return {
    architectures: ["DistilBertForSequenceClassification"],
    model_type: "distilbert",
    activation: "gelu",
    dim: DIM,
    hidden_dim: HIDDEN,
    n_heads: 1,
    n_layers: 1,
    max_position_embeddings: POSITIONS,
    pad_token_id: 0,
    vocab_size: vocabSize,
    attention_dropout: 0,
    dropout: 0,
    seq_classif_dropout: 0,
    id2label: Object.fromEntries(labels.map((label, i) => [i, label])),
    label2id: Object.fromEntries(labels.map((label, i) => [label, i])),
  };
}

function tokenizer(vocab: readonly string[]): Record<string, unknown> {
  const id = (token: string): number => vocab.indexOf(token);
  const special = (token: string): Record<string, unknown> => ({ SpecialToken: { id: token, type_id: 0 } });
  return {
    version: "1.0",
    added_tokens: [],
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: {
      type: "TemplateProcessing",
      single: [special("[CLS]"), { Sequence: { id: "A", type_id: 0 } }, special("[SEP]")],
      pair: [special("[CLS]"), { Sequence: { id: "A", type_id: 0 } }, special("[SEP]")],
      special_tokens: Object.fromEntries(
        ["[CLS]", "[SEP]"].map((token) => [token, { id: token, ids: [id(token)], tokens: [token] }]),
      ),
    },
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(vocab.map((token, i) => [token, i])),
    },
  };
}

/**
 * Features: 0 = any attack word, 1 to 4 = its kind, 5 and 6 keep other words apart from zero, 8 to 11 = found kinds.
 * Attention is drawn to feature 0 and copies 1 to 4 into 8 to 11 of the first token, which the classifier reads.
 */
function tensors(vocab: readonly string[]): TensorToWrite[] {
  const words = vocab.flatMap((token, row) => {
    const vector = new Array<number>(DIM).fill(0);
    const kind = Object.values(toyWords).findIndex((list) => list.includes(token));
    vector[5] = 1;
    vector[6] = -1;
    vector[7] = ((row * 37) % 11) / 40 - 0.125; // plain words differ a little, so scores do
    if (kind >= 0) [vector[0], vector[1 + kind]] = [2, 2];
    if (token === toyBorderWord) [vector[0], vector[3]] = [2, 0.7];
    return vector;
  });
  const square = (cells: readonly (readonly [number, number, number])[]): Float32Array => {
    const out = new Float32Array(DIM * DIM);
    for (const [row, column, value] of cells) out[row * DIM + column] = value;
    return out;
  };
  const kinds = [0, 1, 2, 3] as const;
  const at = "distilbert.transformer.layer.0";
  const out: TensorToWrite[] = [];
  const add = (name: string, shape: readonly number[], data: Float32Array): void => {
    out.push({ name, dtype: "F32", shape, data });
  };
  const addLinear = (name: string, weight: Float32Array, bias = new Float32Array(DIM)): void => {
    add(`${name}.weight`, [bias.length, DIM], weight);
    add(`${name}.bias`, [bias.length], bias);
  };
  const addNorm = (name: string): void => {
    add(`${name}.weight`, [DIM], new Float32Array(DIM).fill(1));
    add(`${name}.bias`, [DIM], new Float32Array(DIM));
  };
  add("distilbert.embeddings.word_embeddings.weight", [vocab.length, DIM], Float32Array.from(words));
  add("distilbert.embeddings.position_embeddings.weight", [POSITIONS, DIM], new Float32Array(POSITIONS * DIM));
  addNorm("distilbert.embeddings.LayerNorm");
  addLinear(
    `${at}.attention.q_lin`,
    square([]),
    Float32Array.from({ length: DIM }, (_, i) => (i === 0 ? 16 : 0)),
  );
  addLinear(`${at}.attention.k_lin`, square([[0, 0, 2]]));
  addLinear(`${at}.attention.v_lin`, square([...kinds.map((k) => [8 + k, 1 + k, 1] as const), [12, 7, 1]]));
  addLinear(`${at}.attention.out_lin`, square([...kinds.map((k) => [8 + k, 8 + k, 2] as const), [12, 12, 1]]));
  addNorm(`${at}.sa_layer_norm`);
  addLinear(`${at}.ffn.lin1`, square([]));
  addLinear(`${at}.ffn.lin2`, square([]));
  addNorm(`${at}.output_layer_norm`);
  addLinear("pre_classifier", square([...kinds.map((k) => [k, 8 + k, 1] as const), [4, 12, 1]]));
  const head = new Float32Array(labels.length * DIM);
  for (const k of kinds) head[k * DIM + k] = 6;
  head[4] = 1;
  addLinear("classifier", head, Float32Array.of(0, 0, 0, 0, 8));
  return out;
}

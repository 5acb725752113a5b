/**
 * Whether int8 products pay on this processor. With AVX-512 VNNI or AVX-VNNI they are two to three times as fast as
 * float32 ones, which makes a whole step 1.2 to 1.4 times as fast; elsewhere quantising costs more than it gives.
 */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { encodeModel } from "../onnx/model.ts";

/** What the encoder's products run in during training: all in float32, input gradients in int8, the forward pass too. */
export type Precision = "float32" | "int8-gradients" | "int8";

/** Milliseconds of the same product in both, the fastest of several. */
export interface PrecisionBenefit {
  readonly float32Ms: number;
  readonly int8Ms: number;
}

/** Runs of each product. */
const repeats = 15;

/** int8 is chosen from this advantage on: below it, quantising and normalising eat the gain. */
const enough = 1.6;

/**
 * Times one product of (1,024, 384) by (384, 1,536) in float32 and in int8, quantising included. Takes about 100 ms.
 * @example
 * const { float32Ms, int8Ms } = await measurePrecision();
 */
export async function measurePrecision(threads = 0): Promise<PrecisionBenefit> {
  const [rows, inner, outer] = [1024, 384, 1536];
  const a = { name: "a", type: "float32", dims: [rows, inner] } as const;
  const scale = { name: "s", type: "float32", dims: [outer] } as const;
  const y = { name: "y", type: "float32", dims: [rows, outer] } as const;
  const settings: ort.InferenceSession.SessionOptions = {
    logSeverityLevel: 3,
    ...(threads > 0 && { intraOpNumThreads: threads }),
    extra: { session: { intra_op: { allow_spinning: "0" } } },
  };
  const open = async (op: "Gemm" | "DynamicQuantizeMatMul"): Promise<() => Promise<number>> => {
    const isInt8 = op === "DynamicQuantizeMatMul";
    const b = { name: "b", type: isInt8 ? "int8" : "float32", dims: [inner, outer] } as const;
    const inputs = isInt8 ? [a, b, scale] : [a, b];
    const node = { op, inputs: inputs.map(({ name }) => name), outputs: ["y"], domain: isInt8 ? "com.microsoft" : "" };
    const graph = { name: "probe", nodes: [node], inputs, outputs: [y], initializers: [] };
    const session = await ort.InferenceSession.create(encodeModel(graph), settings);
    const values = new Float32Array(inner * outer).map((_, i) => ((i * 7919) % 255) - 127);
    const feeds = {
      a: new ort.Tensor(
        "float32",
        new Float32Array(rows * inner).map((_, i) => ((i * 104_729) % 201) / 100 - 1),
        a.dims,
      ),
      b: isInt8 ? new ort.Tensor("int8", Int8Array.from(values), b.dims) : new ort.Tensor("float32", values, b.dims),
      ...(isInt8 && { s: new ort.Tensor("float32", new Float32Array(outer).fill(1), [outer]) }),
    };
    let left = repeats;
    return async () => {
      const before = performance.now();
      await session.run(feeds);
      const took = performance.now() - before;
      if (--left === 0) await session.release();
      return took;
    };
  };
  const [float32, int8] = [await open("Gemm"), await open("DynamicQuantizeMatMul")];
  let best: PrecisionBenefit = { float32Ms: Number.POSITIVE_INFINITY, int8Ms: Number.POSITIVE_INFINITY };
  for (let i = 0; i < repeats; i++) {
    // In turns, so that a busy moment meets both.
    best = { float32Ms: Math.min(best.float32Ms, await float32()), int8Ms: Math.min(best.int8Ms, await int8()) };
  }
  return best;
}

const measured = new Map<number, Promise<PrecisionBenefit>>(); // by threads: one answer per process

/**
 * The precision of a run. "auto" measures once and keeps its answer beside the checkpoint, so that a resumed run goes
 * on in the precision it began with.
 */
export async function choosePrecision(
  wish: Precision | "auto",
  place: { readonly checkpointDir: string | undefined; readonly threads: number },
): Promise<Precision> {
  if (wish !== "auto") return wish;
  const file = place.checkpointDir === undefined ? undefined : join(place.checkpointDir, "precision.json");
  const before = file === undefined ? undefined : await readFile(file, "utf8").catch(() => undefined);
  const known: unknown = before === undefined ? undefined : JSON.parse(before);
  if (known === "float32" || known === "int8-gradients") return known;
  const benefit = measured.get(place.threads) ?? measurePrecision(place.threads);
  measured.set(place.threads, benefit);
  const { float32Ms, int8Ms } = await benefit;
  const chosen = float32Ms / int8Ms >= enough ? "int8-gradients" : "float32";
  if (file !== undefined && place.checkpointDir !== undefined) {
    await mkdir(place.checkpointDir, { recursive: true });
    await writeFile(`${file}.tmp`, JSON.stringify(chosen));
    await rename(`${file}.tmp`, file);
  }
  return chosen;
}

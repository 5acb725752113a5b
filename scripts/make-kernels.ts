// Compiles packages/engine/src/tensor/kernels.wat to kernels.wasm; `--check` compares instead of writing.
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import wabt from "wabt";

const folder = path.resolve(import.meta.dirname, "../packages/engine/src/tensor");
const source = path.join(folder, "kernels.wat");
const target = path.join(folder, "kernels.wasm");

const { parseWat } = await wabt();
const parsed = parseWat(source, await readFile(source, "utf8"), { simd: true, threads: true });
const bytes = Buffer.from(parsed.toBinary({}).buffer);
if (process.argv.includes("--check")) {
  const isSame = bytes.equals(await readFile(target));
  if (!isSame) process.stderr.write("kernels.wasm is not what kernels.wat compiles to: node scripts/make-kernels.ts\n");
  process.exitCode = isSame ? 0 : 1;
} else {
  await writeFile(target, bytes);
}

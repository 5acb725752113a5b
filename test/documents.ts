// The documents that people read, and the commands they tell people to run.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { root } from "./running-system.ts";

const guides = readdirSync(path.join(root, "docs/guide")).map((name) => `docs/guide/${name}`);
export const documents: readonly string[] = ["README.md", "CONTRIBUTING.md", "data/README.md", ...guides];

export const read = (name: string): string => readFileSync(path.join(root, name), "utf8");

/** Shell commands of a document: the lines of its `sh` blocks, continued lines joined, comments dropped. */
export function commandsOf(name: string): string[] {
  return [...read(name).matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = ""]) =>
    block
      .replaceAll(/\\\n\s*/g, "")
      .split("\n")
      .map((line) => line.replace(/\s+#.*$/, "").trim())
      .filter((line) => line !== ""),
  );
}

// The examples for CI: they are YAML, and every command, option, npm script and path in them exists.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { everyService } from "@mlsec/contracts";
import { loadMutators } from "@mlsec/attacks";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { createProgram } from "../apps/cli/src/program.ts";
import { reportFormat } from "../apps/cli/src/red-team.ts";
import { root } from "./running-system.ts";

const folder = path.join(root, "examples/ci");
const files = readdirSync(folder);

/** Every string of a document, whatever it is nested in. */
const stringsOf = (value: unknown): string[] =>
  typeof value === "string"
    ? [value]
    : typeof value === "object" && value !== null
      ? Object.values(value).flatMap(stringsOf)
      : [];
const linesOf = (file: string): string[] =>
  stringsOf(parse(readFileSync(path.join(folder, file), "utf8"))).flatMap((text) => text.split("\n"));

test("there is one for GitHub and one for GitLab", () => {
  expect(files.toSorted()).toEqual(["github-red-team.yml", "gitlab-red-team.yml"]);
});

test.each(files)("%s: its commands exist", async (file) => {
  const program = await createProgram();
  const commands = linesOf(file).filter((line) => line.startsWith("npx mlsec "));
  expect(commands.length).toBeGreaterThan(0);
  for (const line of commands) {
    const words = line.split(" ").slice(2);
    const command = program.commands.find((one) => one.name() === words[0]) ?? expect.fail(line);
    const ran: Record<string, unknown>[] = [];
    command.action((options: Record<string, unknown>) => void ran.push(options));
    await program.parseAsync(words, { from: "user" });
    const [{ report, mutators } = {}] = ran as { report?: string[]; mutators?: string[] }[];
    expect(report?.map(reportFormat).length).toBeGreaterThan(1);
    const known = await loadMutators();
    expect(mutators?.filter((id) => id !== "none" && !known.has(id))).toEqual([]);
  }
});

test.each(files)("%s: npm scripts, addresses and files it names are there", (file) => {
  const { scripts } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as { scripts: object };
  const lines = linesOf(file);
  const named = lines.flatMap((line) =>
    [...line.matchAll(/\bnpm (?:run )?(start|test|run \w+)\b/g)].map(([, name]) => name),
  );
  expect(named).toContain("start");
  expect(named.filter((name = "") => !(name.replace("run ", "") in scripts))).toEqual([]);
  const paths = lines.flatMap((line) => [...line.matchAll(/localhost:8001(\/\w+)/g)].map(([, at]) => at));
  expect(paths).toEqual([everyService.ready.path]);
  const written = new Set(lines.flatMap((line) => [...(/--report (.+)$/.exec(line)?.[1]?.split(" ") ?? [])]));
  const used = lines.flatMap((line) => line.match(/\bred-team\.[\w.]+/g) ?? []);
  expect(used.filter((name) => !written.has(name))).toEqual([]);
});

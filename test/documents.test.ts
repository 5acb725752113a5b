// What the documents name exists: files, npm scripts, settings, commands. Their commands run in programs.test.ts.
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { commandsOf, documents, read } from "./documents.ts";
import { root } from "./running-system.ts";

const decisions = readdirSync(path.join(root, "docs/decisions")).map((name) => `docs/decisions/${name}`);

test.each([...documents, ...decisions, "docs/glossary.md", "docs/principles.md"])(
  "%s: its links lead somewhere",
  (name) => {
    const links = [...read(name).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, target = ""]) => target);
    const missing = links.filter((target) => !existsSync(path.join(root, path.dirname(name), target)));
    expect(missing).toEqual([]);
  },
);

test.each(documents)("%s: npm scripts and settings it names exist", (name) => {
  const text = read(name);
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  const named = [...text.matchAll(/npm run (?:-s )?([\w-]+)/g)].map(([, script = ""]) => script);
  expect(named.filter((script) => !(script in scripts))).toEqual([]);
  const settings = read("docs/reference/config.md");
  const variables = [...text.matchAll(/`(MLSEC_[A-Z_]*[A-Z])(?:=[^`]*)?`/g)].map(([, variable = ""]) => variable);
  expect(variables.filter((variable) => !settings.includes(`\`${variable}\``))).toEqual([]);
});

test("the documents tell people to run something", () => {
  expect(documents.flatMap(commandsOf).length).toBeGreaterThan(10);
  expect(commandsOf("README.md")).toContain("npm start");
  expect(commandsOf("README.md")).toContain("npm test");
});

test("decisions are numbered once", () => {
  const numbers = decisions.map((name) => path.basename(name).slice(0, 4));
  expect(new Set(numbers).size).toBe(numbers.length);
});

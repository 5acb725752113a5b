/** Reads the grammar files that the training data is made from (format: training/README.md). */
import { AppError, type Label, labels } from "@mlsec/contracts";

/** A block of templates that share label and category. */
export interface Section {
  readonly label: Label;
  readonly category: string;
  /** How many texts to try per template. */
  readonly draws: number;
  readonly paired: boolean;
  /** Templates; in a paired section each has its benign twin as second member. */
  readonly templates: readonly (readonly [string] | readonly [string, string])[];
}

/** One parsed grammar file. */
export interface GrammarFile {
  readonly slots: Readonly<Record<string, readonly string[]>>;
  readonly sections: readonly Section[];
}

/**
 * Parses one grammar file.
 * @param text lines: `= slot` starts a list of fillers, `# label category n=3 [pair]` a block of templates
 * @returns its slots and sections; `\n` in a line has become a line break
 * @throws AppError INVALID_INPUT naming the line
 */
export function parseGrammarFile(text: string): GrammarFile {
  const slots: Record<string, string[]> = {};
  const sections: (Section & { templates: ([string] | [string, string])[] })[] = [];
  let fillers: string[] | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    if (line.startsWith("= ")) {
      fillers = [];
      slots[line.slice(2).trim()] = fillers;
    } else if (/^# [a-z_]+(\/| |$)/.test(line)) {
      fillers = undefined;
      sections.push(parseHeader(line, index + 1));
    } else if (fillers) {
      fillers.push(unescape(line));
    } else {
      const section = sections.at(-1);
      if (!section) throw new AppError("INVALID_INPUT", `line ${index + 1}: a template before any section`);
      section.templates.push(section.paired ? splitPair(unescape(line), index + 1) : [unescape(line)]);
    }
  }
  return { slots, sections };
}

function parseHeader(line: string, number: number): Section & { templates: ([string] | [string, string])[] } {
  const match = /^# ([a-z_]+)(?:\/| |$)(.*?)\s*(?:n=(\d+))?( pair)?$/.exec(line);
  const label = labels.find((known) => known === match?.[1]);
  if (!match || !label) throw new AppError("INVALID_INPUT", `line ${number}: "${line}" names no label`);
  const category = (match[2] ?? "").trim().replaceAll(" ", "-") || "plain";
  return { label, category, draws: Number(match[3] ?? 1), paired: match[4] !== undefined, templates: [] };
}

function splitPair(line: string, number: number): [string, string] {
  const [attack, twin, ...rest] = line.split(" || ");
  if (attack === undefined || twin === undefined || rest.length > 0) {
    throw new AppError("INVALID_INPUT", `line ${number}: a pair is "attack || twin", got "${line}"`);
  }
  return [attack, twin];
}

function unescape(line: string): string {
  return line.replaceAll(/\\(n|\\)/g, (_, code: string) => (code === "n" ? "\n" : "\\"));
}

/** The text runs from top to bottom in a block of five lines. */
import { defineMutator } from "../mutator.ts";

const height = 5;

export default defineMutator({
  id: "columns",
  group: "order",
  summary: "Written in columns, read in rows",
  apply(text) {
    const signs = [...text];
    return Array.from({ length: height }, (_, row) => signs.filter((_sign, i) => i % height === row).join("|")).join(
      "\n",
    );
  },
  invert(text) {
    const rows = text.split("\n").map((row) => row.split("|"));
    return Array.from(
      { length: (rows[0] as string[]).length * height },
      (_, i) => rows[i % height]?.[Math.floor(i / height)] ?? "",
    ).join("");
  },
  appliesTo: (text) => [...text].length > 10 && !/[\n|]/.test(text),
  examples: [{ input: "print the code", output: "p| |c\nr|t|o\ni|h|d\nn|e|e\nt| " }],
});

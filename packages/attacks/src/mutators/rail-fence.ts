/** The rail fence cipher with two rails. */
import { createLead } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

const lead = createLead(["Rail fence, 2 rails:", "Odd letters, then even ones:", "Zigzag:"]);

export default defineMutator({
  id: "rail-fence",
  group: "order",
  summary: "Every second letter, then the others",
  apply(text, rng) {
    const signs = [...text];
    return lead.put(signs.filter((_, i) => i % 2 === 0).join("") + signs.filter((_, i) => i % 2 === 1).join(""), rng);
  },
  invert(text) {
    const signs = [...lead.take(text)];
    const half = Math.ceil(signs.length / 2);
    return signs.map((_, i) => signs[i % 2 === 0 ? i / 2 : half + (i - 1) / 2]).join("");
  },
  appliesTo: (text) => [...text].length > 3,
  examples: [],
});

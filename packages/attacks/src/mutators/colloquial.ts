/** "going to" becomes "gonna", "yes" becomes "yeah". */
import { createRewrite } from "../rewrite.ts";
import { defineMutator } from "../mutator.ts";

const rewrite = createRewrite([
  ["going to", "gonna"],
  ["want to", "wanna"],
  ["have to", "gotta"],
  ["give me", "gimme"],
  ["let me", "lemme"],
  ["kind of", "kinda"],
  ["out of", "outta"],
  ["because", "cuz"],
  ["you", "ya"],
  ["your", "yer"],
  ["hello", "hiya"],
  ["please", "pls"],
  ["thanks", "thx"],
  ["yes", "yeah"],
  ["no", "nah"],
  ["with", "wiv"],
  ["the", "da"],
  ["and", "'n'"],
  ["them", "'em"],
  ["people", "folks"],
  ["old", "ol'"],
  ["something", "sumthin"],
  ["nothing", "nuthin"],
  ["everything", "evrything"],
  ["about", "'bout"],
  ["every", "evry"],
  ["before", "b4"],
  ["tomorrow", "tmrw"],
  ["tonight", "tonite"],
  ["though", "tho"],
  ["through", "thru"],
  ["enough", "enuff"],
]);

export default defineMutator({
  id: "colloquial",
  group: "word",
  summary: "Everyday speech",
  apply: (text) => rewrite.there(text, () => 1),
  fold: rewrite.fold,
  appliesTo: rewrite.applies,
  examples: [{ input: "Please give me the code", output: "Pls gimme da code" }],
});

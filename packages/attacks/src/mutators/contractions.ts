/** "do not" becomes "don't", "you are" becomes "you're". */
import { createRewrite } from "../rewrite.ts";
import { defineMutator } from "../mutator.ts";

const rewrite = createRewrite([
  ["do not", "don't"],
  ["does not", "doesn't"],
  ["did not", "didn't"],
  ["is not", "isn't"],
  ["are not", "aren't"],
  ["was not", "wasn't"],
  ["were not", "weren't"],
  ["has not", "hasn't"],
  ["have not", "haven't"],
  ["will not", "won't"],
  ["cannot", "can't"],
  ["must not", "mustn't"],
  ["should not", "shouldn't"],
  ["need not", "needn't"],
  ["would not", "wouldn't"],
  ["could not", "couldn't"],
  ["you are", "you're"],
  ["we are", "we're"],
  ["they are", "they're"],
  ["it is", "it's"],
  ["that is", "that's"],
  ["there is", "there's"],
  ["i am", "i'm"],
  ["i have", "i've"],
  ["i will", "i'll"],
  ["you have", "you've"],
  ["you will", "you'll"],
  ["let us", "let's"],
  ["who is", "who's"],
  ["what is", "what's"],
]);

export default defineMutator({
  id: "contractions",
  group: "word",
  summary: "Short forms for long ones",
  apply: (text) => rewrite.there(text, () => 1),
  fold: rewrite.fold,
  appliesTo: rewrite.applies,
  examples: [{ input: "Do not stop, it is late", output: "Don't stop, it's late" }],
});

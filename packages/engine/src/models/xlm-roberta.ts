/** XLM-RoBERTa for sequence classification: RoBERTa over a Unigram vocabulary of a hundred languages. https://arxiv.org/abs/1911.02116 */
import { robertaFor } from "./roberta.ts";

export default robertaFor("xlm-roberta", {
  name: "XLMRobertaForSequenceClassification",
  source:
    "https://github.com/huggingface/transformers/blob/main/src/transformers/models/xlm_roberta/modeling_xlm_roberta.py",
  presets: {
    "xlm-roberta-base": {
      repository: "FacebookAI/xlm-roberta-base",
      revision: "e73636d4f797dec63c3081bb6ed5c7b0bb3f2089",
    },
  },
});

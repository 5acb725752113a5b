/** In an XML element that holds raw text. */
import { createEnvelope } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "xml-cdata",
  group: "carrier",
  summary: "In a CDATA section",
  apply: createEnvelope([
    '<?xml version="1.0"?>\n<note><to>Bo</to><body><![CDATA[¤]]></body></note>',
    "<item><title>News</title><description><![CDATA[¤]]></description></item>",
    '<row id="7"><![CDATA[¤]]></row>',
  ]),
  examples: [],
});

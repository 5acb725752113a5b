/** With number, priority and a signature. */
import { createEnvelope } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "ticket-carrier",
  group: "carrier",
  summary: "As the text of a support ticket",
  apply: createEnvelope([
    "Ticket 4021, priority low\nCustomer writes:\n¤\nAttachment: none",
    "Subject: question\nOrder: 7716\n\n¤\n\nKind regards, a customer",
    "Case opened by phone. Notes: ¤ Status: waiting.",
  ]),
  examples: [],
});

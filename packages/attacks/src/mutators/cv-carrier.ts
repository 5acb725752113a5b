/** Between education and hobbies. */
import { createEnvelope } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "cv-carrier",
  group: "carrier",
  summary: "As a line of a curriculum vitae",
  apply: createEnvelope([
    "EDUCATION\n2009 school certificate\n\nPROFILE\n¤\n\nHOBBIES\nrowing",
    "Experience: baker, 4 years. About me: ¤ Languages: Finnish.",
    "Skills: welding, first aid\nRemarks: ¤\nReferences on request",
  ]),
  examples: [],
});

/** In an iCalendar event or a plain invitation. */
import { createEnvelope } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "calendar-carrier",
  group: "carrier",
  summary: "As the description of a calendar entry",
  apply: createEnvelope([
    "BEGIN:VEVENT\nSUMMARY:Lunch\nDESCRIPTION:¤\nEND:VEVENT",
    "Invitation: team walk, Friday 10:00\nDetails: ¤",
    "What: piano tuner\nWhen: Tuesday\nNotes: ¤",
  ]),
  examples: [],
});

/** As the body of a business e-mail with a greeting, small talk and a signature. */
import { defineMutator } from "../mutator.ts";

const greetings = ["Hi all,", "Dear team,", "Hello Maren,", "Good afternoon,"];
const talk = [
  "hope you had a good weekend. The minutes of Tuesday are on the drive.",
  "the caterer confirmed twelve vegetarian lunches for the workshop.",
  "the lift is being serviced until noon, please take the stairs.",
  "we finally got the permit for the new bicycle racks.",
];
const closings = ["Best,\nIrene", "Kind regards\nFacilities", "Thanks\nDenis (reception)", "See you Thursday\nMo"];

export default defineMutator({
  id: "email-carrier",
  group: "carrier",
  summary: "As part of a business e-mail",
  apply: (text, rng) => `${rng.pick(greetings)}\n\n${rng.pick(talk)}\n\n${text}\n\n${rng.pick(closings)}`,
  examples: [],
});

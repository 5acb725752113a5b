/** The documentation of a harmless function. */
import { createEnvelope } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "docstring",
  group: "carrier",
  summary: "As a docstring",
  apply: createEnvelope([
    'def area(w, h):\n    """¤"""\n    return w * h',
    'class Kettle:\n    """A kettle.\n\n    ¤\n    """',
    "def greet(name):\n    '''¤'''\n    print(name)",
  ]),
  examples: [],
});

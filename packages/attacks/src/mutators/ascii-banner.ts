/** Each word in letters five lines high (ArtPrompt, https://arxiv.org/abs/2402.11753); other signs than letters and digits are left out. */
import { defineMutator } from "../mutator.ts";

const glyphs: readonly string[] =
  "75755 65656 74447 65556 74647 74644 74557 55755 72227 11157 55655 44447 57755 57775 75557 75744 75571 75655 34216 72222 55557 55552 55775 55255 55222 71247 75557 26227 71747 71717 55711 74717 74757 71111 75757 75717".split(
    " ",
  );
const signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const rows = ["   ", "  #", " # ", " ##", "#  ", "# #", "## ", "###"];
const draw = (word: string): string =>
  [0, 1, 2, 3, 4]
    .map((line) => Array.from(word, (sign) => rows[Number(glyphs[signs.indexOf(sign)]?.[line])]).join(" "))
    .join("\n");
const fold = (text: string): string =>
  text
    .toUpperCase()
    .replaceAll(/[^A-Z0-9\s]/g, "")
    .replaceAll(/\s+/g, " ")
    .trim()
    .replaceAll("0", "O");
const read = (picture: string): string => {
  const lines = picture.split("\n");
  const width = Math.floor(((lines[0]?.length ?? 0) + 1) / 4);
  return Array.from({ length: width }, (_, i) => {
    const glyph = lines.map((line) => rows.indexOf(line.slice(i * 4, i * 4 + 3))).join("");
    return signs[glyphs.indexOf(glyph)] ?? "";
  }).join("");
};

export default defineMutator({
  id: "ascii-banner",
  group: "spelling",
  summary: "Large letters made of signs",
  apply: (text) =>
    (
      text
        .toUpperCase()
        .replaceAll(/[^A-Z0-9\s]/g, "")
        .match(/\S+/g) ?? []
    )
      .map(draw)
      .join("\n\n"),
  invert: (text) => text.split("\n\n").map(read).join(" "),
  fold,
  appliesTo: (text) => /[a-z0-9]/i.test(text) && text.length <= 400,
  examples: [{ input: "Hi!", output: "# # ###\n# #  # \n###  # \n# #  # \n# # ###" }],
});

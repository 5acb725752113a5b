/** Rewrites words by a table, in a way that a fold or a turn back can check. */

/** A table of words with the same meaning. */
export interface Rewrite {
  /** Replaces every word of the table; `choose` gets the size of its class and says which member to write. */
  there(text: string, choose: (count: number) => number): string;
  /** Brings every member of a class to the first one and drops the case. */
  fold(text: string): string;
  applies(text: string): boolean;
}

/** Names that move along their lists. */
export interface Rotation {
  there(text: string): string;
  back(text: string): string;
  applies(text: string): boolean;
}

/**
 * A rewrite from classes of words or short phrases. `choose` counts from the member that stands in the text.
 * @param classes lower-case members, the first is the plain one
 * @returns the rewrite; a capital at the beginning is kept
 * @example
 * createRewrite([["do not", "don't"]]).there("Do not go", () => 1); // "Don't go"
 */
export function createRewrite(classes: readonly (readonly string[])[]): Rewrite {
  const places = new Map(classes.flatMap((members) => members.map((member, i) => [member, { members, i }] as const)));
  const longestFirst = [...places.keys()].sort((a, b) => b.length - a.length);
  const pattern = longestFirst.map((member) => RegExp.escape(member)).join("|");
  const search = new RegExp(`(?<![\\p{L}\\p{N}'])(?:${pattern})(?![\\p{L}\\p{N}'])`, "giu");
  const replace = (text: string, index: (count: number, at: number) => number): string =>
    text.replaceAll(search, (found) => {
      const place = places.get(found.toLowerCase());
      if (!place) return found;
      const member = place.members[index(place.members.length, place.i)] ?? found;
      return found[0] === found[0]?.toLowerCase() ? member : (member[0] ?? "").toUpperCase() + member.slice(1);
    });
  return {
    there: (text, choose) =>
      replace(text, (count, at) => (at === 0 ? choose(count) % count : (at + choose(count)) % count)),
    fold: (text) => replace(text.toLowerCase(), () => 0),
    applies: (text) => replace(text, (count, at) => (at + 1) % count) !== text,
  };
}

/**
 * A rotation of names: each becomes the one some places further on in its list.
 * @param lists of names, each starting with a capital; a name of two lists belongs to the first
 * @param by how far
 * @returns the rotation both ways
 * @example
 * createRotation([["Ada", "Bo", "Cy"]], 1).there("Ada met Cy"); // "Bo met Ada"
 */
export function createRotation(lists: readonly (readonly string[])[], by: number): Rotation {
  const there = new Map<string, string>();
  const seen = new Set<string>();
  for (const list of lists) {
    const own = list.filter((name) => !seen.has(name));
    for (const [i, name] of own.entries()) {
      seen.add(name);
      there.set(name, own[(i + by) % own.length] as string);
    }
  }
  const back = new Map([...there].map(([from, to]) => [to, from]));
  const word = /\p{Lu}\p{L}+(?:-\p{L}+)?/gu;
  const turn = (text: string, table: ReadonlyMap<string, string>): string =>
    text.replaceAll(word, (name) => table.get(name) ?? name);
  return {
    there: (text) => turn(text, there),
    back: (text) => turn(text, back),
    applies: (text) => turn(text, there) !== text,
  };
}

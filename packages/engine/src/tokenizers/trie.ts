/** A trie over UTF-16 units: all tokens that a text goes on with at some place, shortest first. */
import { pairTable } from "./pair-table.ts";

/** Nodes are integers, 0 the root. */
export interface Trie {
  /** The node after `unit`, or −1. */
  step(node: number, unit: number): number;
  /** The value of the token that ends at `node`, or −1. */
  valueAt(node: number): number;
  /** The value of a whole token, or −1. */
  find(token: string): number;
}

/**
 * A trie of tokens; token `i` has value `i`, and of equal tokens the last one counts.
 * @example
 * trie(["a", "ab"]).find("ab"); // 1
 */
export function trie(tokens: readonly string[]): Trie {
  const edges = pairTable(tokens.length * 2);
  let values = new Int32Array(tokens.length * 2 + 16).fill(-1);
  let nodes = 1;
  for (const [value, token] of tokens.entries()) {
    let node = 0;
    for (let i = 0; i < token.length; i++) {
      const unit = token.charCodeAt(i);
      let next = edges.get(node, unit);
      if (next < 0) {
        next = nodes++;
        edges.set(node, unit, next);
      }
      node = next;
    }
    if (nodes > values.length) {
      const grown = new Int32Array(nodes * 2).fill(-1);
      grown.set(values);
      values = grown;
    }
    values[node] = value;
  }
  const step = (node: number, unit: number): number => edges.get(node, unit);
  return {
    step,
    valueAt: (node) => values[node] ?? -1,
    find(token) {
      let node = 0;
      for (let i = 0; i < token.length && node >= 0; i++) node = step(node, token.charCodeAt(i));
      return node < 0 ? -1 : (values[node] ?? -1);
    },
  };
}

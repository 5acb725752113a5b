/** Shape rules that several operators use. Symbols are equal only to themselves. */
import { EngineError } from "../error.ts";
import type { Attributes, Dim, Shape } from "./op.ts";

/**
 * The i-th input shape.
 * @throws EngineError SHAPE when the operator was called with fewer inputs.
 */
export function shapeAt(op: string, shapes: readonly Shape[], index: number): Shape {
  const shape = shapes[index];
  if (shape === undefined) throw new EngineError("SHAPE", `${op}: input ${index} is missing`, { op, got: shapes });
  return shape;
}

/** Throws EngineError SHAPE unless two dimensions are the same. */
export function sameDim(op: string, a: Dim | undefined, b: Dim | undefined): void {
  if (a === b && a !== undefined) return;
  throw new EngineError("SHAPE", `${op}: dimensions differ: ${String(a)} and ${String(b)}`, {
    op,
    expected: a,
    got: b,
  });
}

/**
 * The shape two operands broadcast to, by NumPy's rule.
 * @example broadcast("Add", ["batch", 4], [4]) // ["batch", 4]
 */
export function broadcast(op: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i): Dim => {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (x === 1) return y;
    if (y !== 1) sameDim(op, x, y);
    return x;
  });
}

/** A numeric attribute, or its default. */
export function numberOf(attributes: Attributes, name: string, fallback = 0): number {
  const value = attributes[name];
  return typeof value === "number" ? value : fallback;
}

/** A list attribute; empty when absent. */
export function listOf(attributes: Attributes, name: string): Shape {
  const value = attributes[name];
  return typeof value === "object" ? value : [];
}

/** A list attribute of numbers; empty when absent. */
export function numbersOf(attributes: Attributes, name: string): readonly number[] {
  return listOf(attributes, name).map(Number);
}

/** A page of the dashboard: a file in pages/, found by its folder. */
import type { ComponentType } from "react";

export interface Page {
  readonly path: string;
  readonly title: string;
  /** One glyph drawn as an SVG path in a 24 × 24 box. */
  readonly icon: string;
  readonly order: number;
  readonly Component: ComponentType;
}
export const definePage = (page: Page): Page => page;

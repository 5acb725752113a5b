/** In the browser: fetched only by those who open it. */
import { lazy, Suspense } from "react";
import { Loading } from "../components/Notice.tsx";
import { definePage } from "../lib/page.ts";

const Edges = lazy(async () => ({ default: (await import("../components/Edges.tsx")).Edges }));

export default definePage({
  path: "/browser",
  title: "Browser",
  icon: "M4 4h16a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2H4a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2Zm0 5v9h16V9Zm5 2 4 2.5L9 16Z",
  order: 6,
  Component: () => (
    <Suspense fallback={<Loading />}>
      <Edges />
    </Suspense>
  ),
});

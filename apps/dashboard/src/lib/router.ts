/** The address bar as state: which page, and its query. */
import { useEffect, useState } from "react";

const moved = "mlsec:moved";

/** Goes to an address of the dashboard without loading the document again. */
export function navigate(to: string): void {
  if (to === location.pathname + location.search) return;
  history.pushState(null, "", to);
  dispatchEvent(new Event(moved));
  scrollTo({ top: 0 });
}

export function useAddress(): URL {
  const [href, setHref] = useState(location.href);
  useEffect(() => {
    const update = (): void => setHref(location.href);
    addEventListener("popstate", update);
    addEventListener(moved, update);
    return () => {
      removeEventListener("popstate", update);
      removeEventListener(moved, update);
    };
  }, []);
  return new URL(href);
}

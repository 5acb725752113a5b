/** What a page says when it has nothing to show, is loading, or failed. */
import type { ReactNode } from "react";

export const Empty = ({ title, children }: { title: string; children?: ReactNode }) => (
  <div className="empty">
    <strong>{title}</strong>
    {children ? <div>{children}</div> : null}
  </div>
);

export const Failed = ({ children, retry }: { children: ReactNode; retry?: (() => void) | undefined }) => (
  <div className="failed" role="alert">
    <span>{children}</span>
    {retry ? (
      <button type="button" onClick={retry}>
        Try again
      </button>
    ) : null}
  </div>
);

export const Loading = ({ rows = 3 }: { rows?: number }) => (
  <div className="loading" aria-busy="true" aria-label="Loading">
    {Array.from({ length: rows }, (_, i) => (
      <div key={i} style={{ width: `${90 - i * 14}%` }} />
    ))}
  </div>
);

/** Loading, failed or there, in one place. */
export function Loaded<T>({
  query,
  children,
  rows,
}: {
  query: { data: T | undefined; error: string | undefined; reload: () => void };
  children: (data: T) => ReactNode;
  rows?: number;
}) {
  if (query.data !== undefined)
    return (
      <>
        {query.error ? <Failed retry={query.reload}>{query.error}</Failed> : null}
        {children(query.data)}
      </>
    );
  if (query.error) return <Failed retry={query.reload}>{query.error}</Failed>;
  return <Loading {...(rows ? { rows } : {})} />;
}

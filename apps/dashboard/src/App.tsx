/** The frame around every page: navigation, theme, and what to show when an address leads nowhere. */
import { Component, type ErrorInfo, type MouseEvent, type ReactNode, useEffect } from "react";
import { Empty } from "./components/Notice.tsx";
import type { Page } from "./lib/page.ts";
import { navigate, useAddress } from "./lib/router.ts";
import { useTheme } from "./lib/theme.ts";

const found = import.meta.glob<{ default: Page }>("./pages/*.tsx", { eager: true });
const pages = Object.values(found)
  .map((module) => module.default)
  .sort((a, b) => a.order - b.order);

const follow = (event: MouseEvent<HTMLAnchorElement>, to: string): void => {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  navigate(to);
};

export function App() {
  const { pathname } = useAddress();
  const { theme, next } = useTheme();
  const page = pages.find((p) => p.path === pathname);
  useEffect(() => {
    document.title = page ? `${page.title} · ML Security Service` : "ML Security Service";
  }, [page]);
  return (
    <div className="frame">
      <a className="skip" href="#main">
        Skip to content
      </a>
      <header className="side">
        <a className="brand" href="/" onClick={(e) => follow(e, "/")}>
          <img src="/favicon.svg" alt="" width="26" height="26" />
          <span>
            mlsec <small>ML Security Service</small>
          </span>
        </a>
        <nav aria-label="Pages">
          {pages.map((p) => (
            <a
              key={p.path}
              href={p.path}
              aria-current={p === page ? "page" : undefined}
              onClick={(e) => follow(e, p.path)}
            >
              <svg viewBox="0 0 24 24" aria-hidden="true">
                <path d={p.icon} />
              </svg>
              <span>{p.title}</span>
            </a>
          ))}
        </nav>
        <button type="button" className="theme" onClick={next} title="Change between system, light and dark colours">
          Theme: {theme}
        </button>
      </header>
      <main id="main">
        <Boundary key={pathname}>{page ? <page.Component /> : <Nowhere />}</Boundary>
      </main>
    </div>
  );
}

const Nowhere = () => (
  <Empty title="No such page">
    <a href="/" onClick={(e) => follow(e, "/")}>
      Back to the overview
    </a>
  </Empty>
);

/** A page that breaks must not take the navigation with it. */
class Boundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };
  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }
  override componentDidCatch(error: Error, info: ErrorInfo): void {
    console.error(error, info.componentStack);
  }
  override render(): ReactNode {
    return this.state.failed ? (
      <Empty title="This page broke">Reload it; the browser's console holds the details.</Empty>
    ) : (
      this.props.children
    );
  }
}

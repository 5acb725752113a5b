import type { ReactNode } from "react";

interface CardProps {
  readonly title: string;
  readonly aside?: ReactNode;
  readonly wide?: boolean;
  readonly children: ReactNode;
}

export const Card = ({ title, aside, wide, children }: CardProps) => (
  <section className={wide ? "card wide" : "card"}>
    <header>
      <h2>{title}</h2>
      {aside ? <div className="aside">{aside}</div> : null}
    </header>
    {children}
  </section>
);

export const PageTitle = ({ title, children }: { title: string; children?: ReactNode }) => (
  <div className="page-title">
    <h1>{title}</h1>
    {children ? <p>{children}</p> : null}
  </div>
);

/** One figure with its name; `note` says what it is measured over. */
export const Figure = ({
  label,
  value,
  note,
  tone,
}: {
  label: string;
  value: string;
  note?: string;
  tone?: Tone | undefined;
}) => (
  <div className="figure">
    <span className="label">{label}</span>
    <strong className={tone ?? ""}>{value}</strong>
    {note ? <small>{note}</small> : null}
  </div>
);

export type Tone = "good" | "warn" | "bad" | "info" | "quiet";

/** A state as a word with a shape, so that colour is never the only sign. */
export const Badge = ({ tone, children }: { tone: Tone; children: ReactNode }) => (
  <span className={`badge ${tone}`}>
    <i aria-hidden="true" />
    {children}
  </span>
);

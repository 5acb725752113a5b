/** Horizontal bars: one row per name, value beside it, optional interval as a whisker. */
export interface Bar {
  readonly name: string;
  readonly share: number;
  readonly text: string;
  readonly tone?: string;
  readonly interval?: { readonly low: number; readonly high: number } | undefined;
}

export const Bars = ({ rows, label }: { rows: readonly Bar[]; label: string }) => (
  <ul className="bars" aria-label={label}>
    {rows.map((row) => (
      <li key={row.name}>
        <span className="name">{row.name}</span>
        <span className="track">
          <span
            className={`fill ${row.tone ?? ""}`}
            style={{ width: `${Math.max(0, Math.min(1, row.share)) * 100}%` }}
          />
          {row.interval ? (
            <span
              className="whisker"
              style={{ left: `${row.interval.low * 100}%`, width: `${(row.interval.high - row.interval.low) * 100}%` }}
              title={`95 % interval ${(row.interval.low * 100).toFixed(1)}–${(row.interval.high * 100).toFixed(1)} %`}
            />
          ) : null}
        </span>
        <span className="value">{row.text}</span>
      </li>
    ))}
  </ul>
);

export const Progress = ({ value, label }: { value: number; label: string }) => (
  <div
    className="progress"
    role="progressbar"
    aria-valuenow={Math.round(value)}
    aria-valuemin={0}
    aria-valuemax={100}
    aria-label={label}
  >
    <span style={{ width: `${value}%` }} />
  </div>
);

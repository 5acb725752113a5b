/** Light, dark or as the system has it; kept in this browser. */
import { useEffect, useState } from "react";

const choices = ["system", "light", "dark"] as const;
export type Theme = (typeof choices)[number];
const key = "mlsec-theme";
const stored = (): Theme => choices.find((c) => c === localStorage.getItem(key)) ?? "system";

export function useTheme(): { theme: Theme; next: () => void } {
  const [theme, setTheme] = useState<Theme>(stored);
  useEffect(() => {
    if (theme === "system") document.documentElement.removeAttribute("data-theme");
    else document.documentElement.setAttribute("data-theme", theme);
    localStorage.setItem(key, theme);
  }, [theme]);
  return { theme, next: () => setTheme(choices[(choices.indexOf(theme) + 1) % choices.length] ?? "system") };
}

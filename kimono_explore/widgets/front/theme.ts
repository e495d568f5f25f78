// Light or dark, as the place is: JupyterLab, marimo and VS Code say it each in its own way, others not at all.

const WATCHED = ["class", "data-jp-theme-light", "data-theme", "data-vscode-theme-kind", "style"];

export function isDark(): boolean {
  const { body, documentElement: html } = document;
  const light = body.dataset["jpThemeLight"];
  if (light !== undefined) return light === "false";
  const kind = body.dataset["vscodeThemeKind"];
  if (kind !== undefined) return kind === "vscode-dark" || kind === "vscode-high-contrast";
  for (const element of [body, html]) {
    const classes = element.classList;
    if (classes.contains("dark") || classes.contains("dark-theme") || classes.contains("theme-dark")) return true;
    if (classes.contains("vscode-dark") || classes.contains("vscode-high-contrast")) return true;
    if (classes.contains("light") || classes.contains("light-theme") || classes.contains("theme-light")) return false;
    if (classes.contains("vscode-light")) return false;
    if (element.dataset["theme"]) return element.dataset["theme"] === "dark";
  }
  // A page that sets JupyterLab's colours without saying which they are.
  const color = getComputedStyle(body).getPropertyValue("--jp-layout-color0").trim();
  if (color) return luminance(color) < 0.5;
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

function luminance(color: string): number {
  const hex = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(color)?.[1];
  if (!hex) return color === "black" ? 0 : 1;
  const each = hex.length === 3 ? [...hex].map((digit) => digit + digit) : (hex.match(/../g) ?? []);
  return each.reduce((sum, pair) => sum + parseInt(pair, 16), 0) / (3 * 255);
}

/** Marks an element as light or dark, now and whenever the place changes; the answer ends it. */
export function followTheme(root: HTMLElement): () => void {
  const mark = (): void => {
    root.dataset["kxTheme"] = isDark() ? "dark" : "light";
  };
  const observer = new MutationObserver(mark);
  for (const element of [document.body, document.documentElement])
    observer.observe(element, { attributes: true, attributeFilter: WATCHED });
  const media = matchMedia("(prefers-color-scheme: dark)");
  media.addEventListener("change", mark);
  mark();
  return () => {
    observer.disconnect();
    media.removeEventListener("change", mark);
  };
}

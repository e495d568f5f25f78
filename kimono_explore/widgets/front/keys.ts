// What a key does: where it leads in the grid. Row -1 is the header.

export interface Place {
  row: number;
  column: number;
}

export interface Pressed {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
}

/** Where a key leads; nothing where it leads nowhere. */
export function lead(event: Pressed, at: Place, rows: number, columns: number, page: number): Place | undefined {
  if (event.altKey || columns === 0) return undefined;
  const far = event.ctrlKey || event.metaKey;
  const row = (n: number): number => Math.min(Math.max(-1, n), rows - 1);
  const column = (n: number): number => Math.min(Math.max(0, n), columns - 1);
  switch (event.key) {
    case "ArrowUp":
      return { ...at, row: row(far ? Math.min(0, at.row) : at.row - 1) };
    case "ArrowDown":
      return { ...at, row: row(far ? rows - 1 : at.row + 1) };
    case "ArrowLeft":
      return { ...at, column: column(far ? 0 : at.column - 1) };
    case "ArrowRight":
      return { ...at, column: column(far ? columns - 1 : at.column + 1) };
    case "Home":
      return far ? { row: row(0), column: 0 } : { ...at, column: 0 };
    case "End":
      return far ? { row: row(rows - 1), column: columns - 1 } : { ...at, column: columns - 1 };
    case "PageUp":
      return { ...at, row: at.row < 0 ? -1 : row(Math.max(0, at.row - page)) };
    case "PageDown":
      return { ...at, row: row(Math.max(0, at.row) + page) };
    default:
      return undefined;
  }
}

/** What is picked after a click, or Space, on a row. */
export function picked(now: number[], row: number, many: boolean, add: boolean): number[] {
  if (!many || !add) return [row];
  return now.includes(row) ? now.filter((other) => other !== row) : [...now, row];
}

export const MARK = "data-lm-suppress-shortcuts";

/**
 * Keys pressed within an element are its own, not the notebook's: JupyterLab leaves those alone whose target bears its mark.
 * Those with Ctrl, Alt or Cmd, and Shift with Enter, stay the notebook's, but for those that `ours` names. The answer ends it.
 */
export function ownKeys(root: HTMLElement, ours: (event: KeyboardEvent, target: Element) => boolean = () => false): () => void {
  const mark = (event: KeyboardEvent): void => {
    const target = event.composedPath()[0];
    if (!(target instanceof Element) || !root.contains(target)) return;
    const notebooks = event.ctrlKey || event.altKey || event.metaKey || (event.shiftKey && event.key === "Enter");
    target.toggleAttribute(MARK, ours(event, target) || !notebooks);
  };
  window.addEventListener("keydown", mark, true);
  return () => window.removeEventListener("keydown", mark, true);
}

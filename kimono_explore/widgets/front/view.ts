// What Python says of the table: the trait `view`.

export interface Bar {
  label: string;
  total: number;
  left: number;
}

export interface Column {
  name: string;
  /** What it is called in its header, and in a sentence. */
  title: string;
  words: string;
  number: boolean;
  id: boolean;
  width: number;
  kind: "range" | "initial" | "ordered" | "value" | "different";
  different: number;
  bars: Bar[];
  missing: boolean;
  other: boolean;
  chosen: number[];
  /** Its position in Python's table. */
  at: number;
  pinned: boolean;
  /** How wide somebody made it, in px. */
  wide: number | null;
  /** Words that are marked in its cells, folded. */
  marks: string[];
}

/** A column that can be shown, as the menu lists them. */
export interface MenuColumn {
  name: string;
  title: string;
  at: number;
  shown: boolean;
  pinned: boolean;
}

export interface View {
  version: number;
  filled: number;
  ordered: number;
  first: { at: number[]; rows: (string | null)[][] };
  total: number;
  left: number;
  columns: Column[];
  sort: [number, boolean] | null;
  parts: [number, string][];
  code: string;
  menu: MenuColumn[];
}

export const NOTHING: View = { version: 0, filled: 0, ordered: 0, first: { at: [], rows: [] }, total: 0, left: 0, columns: [], sort: null, parts: [], code: "df", menu: [] };

export const count = (n: number): string => n.toLocaleString("en-US");

// Small pictures on buttons: one grid of 16 pixels, one stroke, the color of the text.

import { draw } from "./dom.ts";

const PATHS: Record<string, string> = {
  search: "M7 2.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9M10.5 10.5L14 14",
  layers: "M3 3v10M8 3v10M13 3v10",
  force: "M4 4l4 5M12 4L8 9M8 9v4M4 2.7a1.3 1.3 0 1 0 .01 0M12 2.7a1.3 1.3 0 1 0 .01 0M8 11.7a1.3 1.3 0 1 0 .01 0",
  undo: "M6 3L2.5 6.5L6 10M2.5 6.5H10a3.5 3.5 0 0 1 0 7H7",
  minus: "M3 8h10",
  plus: "M3 8h10M8 3v10",
  fit: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
  png: "M8 2.5v8M4.5 7.5L8 11l3.5-3.5M2.5 13.5h11",
  svg: "M8 2.5v8M4.5 7.5L8 11l3.5-3.5M2.5 13.5h11",
  left: "M13 8H3M7 4L3 8l4 4",
  right: "M3 8h10M9 4l4 4l-4 4",
  close: "M4 4l8 8M12 4l-8 8",
  people: "M6 2.5a2.5 2.5 0 1 0 .01 0M1.5 13.5c0-6 9-6 9 0M11 3a2.3 2.3 0 0 1 0 4.5M12.5 9.5c1.4.7 2 2 2 4",
  trash: "M2.5 4.5h11M6 4.5v-2h4v2M4 4.5l.6 9h6.8l.6-9M6.7 7v4M9.3 7v4",
  flag: "M3.5 14V2.5M3.5 3h9l-2 3l2 3h-9",
  path: "M3.5 10.5a1.7 1.7 0 1 0 .01 0M12.5 2a1.7 1.7 0 1 0 .01 0M5.5 12.2h4a2.2 2.2 0 0 0 0-4.4h-3a2.2 2.2 0 0 1 0-4.4h4",
  refresh: "M13 8a5 5 0 1 1-1.6-3.7M13 2v3.2H9.8",
  stop: "M4 4h8v8H4z",
  check: "M3 8.5l3.5 3.5L13 4.5",
  down: "M8 2.5v8M4.5 7.5L8 11l3.5-3.5M2.5 13.5h11",
  columns: "M2.5 3h11v10h-11zM6.2 3v10M9.8 3v10",
  pin: "M5.5 2.5h5M6.5 2.5v4L4.5 9h7l-2-2.5v-4M8 9v4.5",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
};

export function icon(name: string): SVGElement {
  const picture = draw("svg", { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true", class: "kx-icon" });
  picture.append(draw("path", { d: PATHS[name] ?? "", fill: "none", stroke: "currentColor", "stroke-width": 1.6, "stroke-linecap": "round", "stroke-linejoin": "round" }));
  return picture;
}

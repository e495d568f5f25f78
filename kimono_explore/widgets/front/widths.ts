// How wide texts are: each is measured once, as a canvas takes its time for it.

export const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif';
const MOST = 20_000; // texts that are kept

export const fontOf = (points: number, bold: boolean): string => `${bold ? "600 " : ""}${points}px ${FONT}`;

export class Widths {
  private readonly known = new Map<string, number>();
  private readonly context = document.createElement("canvas").getContext("2d");

  of(text: string, points: number, bold: boolean): number {
    const key = `${points}${bold ? "b" : " "}${text}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    if (!this.context) return text.length * points * 0.6;
    if (this.known.size >= MOST) this.known.clear();
    this.context.font = fontOf(points, bold);
    const { width } = this.context.measureText(text);
    this.known.set(key, width);
    return width;
  }
}

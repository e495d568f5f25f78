// What of a text was searched for: case and accents make no difference, as in Python's `fold`.

import { make } from "./dom.ts";

const LETTERS: Record<string, string> = { ø: "o", ł: "l", đ: "d", ð: "d", þ: "th", æ: "ae", œ: "oe", ß: "ss", ı: "i", "’": "'" };
const SHORT = 2; // so few letters count at the beginning of a word only

/** A text without case and accents, and for each of its letters where that stood. */
function folded(text: string): { plain: string; from: number[]; to: number[] } {
  let plain = "";
  const [from, to]: [number[], number[]] = [[], []];
  let at = 0;
  for (const letter of text) {
    const bare = letter.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "");
    const next = [...bare].map((one) => LETTERS[one] ?? one).join("");
    for (let n = 0; n < next.length; n++) {
      from.push(at);
      to.push(at + letter.length);
    }
    if (next === "" && to.length > 0) to[to.length - 1] = at + letter.length; // an accent of its own
    plain += next;
    at += letter.length;
  }
  return { plain, from, to };
}

/** Where the words stand in a text: from and to, none within another. */
export function found(text: string, words: string[]): [number, number][] {
  const { plain, from, to } = folded(text);
  const spans: [number, number][] = [];
  for (const word of words.filter(Boolean))
    for (let at = plain.indexOf(word); at >= 0; at = plain.indexOf(word, at + word.length)) {
      const begins = at === 0 || !/[\p{L}\p{N}]/u.test(plain[at - 1] ?? "");
      if (word.length > SHORT || begins) spans.push([from[at] ?? 0, to[at + word.length - 1] ?? 0]);
    }
  const apart: [number, number][] = [];
  for (const [first, last] of spans.sort((a, b) => a[0] - b[0])) {
    const before = apart.at(-1);
    if (before && first <= before[1]) before[1] = Math.max(before[1], last);
    else apart.push([first, last]);
  }
  return apart;
}

/** Writes a text whose found words are marked: elements around text, whatever the text is. */
export function writeMarked(element: Element, text: string, words: string[]): void {
  const parts: (Node | string)[] = [];
  let at = 0;
  for (const [first, last] of found(text, words)) {
    const mark = make("mark", "kx-mark");
    mark.textContent = text.slice(first, last);
    parts.push(text.slice(at, first), mark);
    at = last;
  }
  element.replaceChildren(...parts, text.slice(at));
}

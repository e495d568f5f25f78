// A file that Python made: it comes in parts, and the page offers it once it has all.

import type { Bytes, Message } from "./host.ts";
import { count } from "./view.ts";

/** Collects the parts of a file. */
export class Download {
  private parts: Bytes[] = [];

  constructor(private readonly offer: (name: string, type: string, parts: Bytes[]) => void = offerFile) {}

  /** What is to be said of a message about a file; nothing where it is about something else. */
  take(message: Message, bytes: Bytes[]): { said: string; done: boolean } | undefined {
    const [of, at] = message["kind"] === "making" ? [Number(message["of"]), Number(message["done"])] : [0, 0];
    if (message["kind"] === "making") return { said: `Making the file: ${count(at)} of ${count(of)} rows`, done: false };
    if (message["kind"] !== "file") return undefined;
    if (typeof message["error"] === "string") return { said: message["error"], done: true };
    const [part, many] = [Number(message["part"]), Number(message["parts"])];
    if (part === 0) this.parts = [];
    if (part !== this.parts.length || !bytes[0]) return { said: "The file did not come whole: try again.", done: true };
    this.parts.push(bytes[0]);
    if (this.parts.length < many) return { said: `The file is coming: ${part + 1} of ${many} parts`, done: false };
    this.offer(String(message["name"]), String(message["type"]), this.parts);
    this.parts = [];
    return { said: `${String(message["name"])} is saved where your browser saves files`, done: true };
  }
}

function offerFile(name: string, type: string, parts: Bytes[]): void {
  const address = URL.createObjectURL(new Blob(parts, { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

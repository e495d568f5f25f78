// What stands behind a panel on a page of our own, as anywidget's model does in a notebook; and what its address says.

import type { Bytes, Message } from "./host.ts";

type Heard = (value: unknown, bytes?: Bytes[]) => void;

export class Model {
  private readonly state: Map<string, unknown>;
  private readonly listeners = new Map<string, Set<Heard>>();

  constructor(state: Message, readonly send: (message: Message) => void) {
    this.state = new Map(Object.entries(state));
  }

  get(name: string): unknown {
    return this.state.get(name);
  }

  on(name: string, heard: Heard): void {
    const before = this.listeners.get(name) ?? new Set();
    this.listeners.set(name, before.add(heard));
  }

  off(name: string, heard: Heard): void {
    this.listeners.get(name)?.delete(heard);
  }

  /** All that is new is there before anybody is told. */
  renew(update: Message): void {
    for (const [name, value] of Object.entries(update)) this.state.set(name, value);
    for (const name of Object.keys(update)) this.call(`change:${name}`, undefined);
  }

  /** A message, and what comes beside it, in base64. */
  hear(message: Message, texts: string[] = []): void {
    const bytes = texts.map((text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)));
    this.call("msg:custom", message, bytes);
  }

  private call(event: string, value: unknown, bytes?: Bytes[]): void {
    for (const heard of [...(this.listeners.get(event) ?? [])]) heard(value, bytes);
  }
}

/** What is on screen: a browser's state as Python gives it, or what an address names of it. */
export interface Place {
  search?: string;
  type?: string;
  places?: [string, string][];
  at?: number;
  open?: boolean;
  q?: string;
  only?: string;
  id?: string;
  /** Of a page that keeps no more than its address does. */
  query?: Record<string, string>;
}

/** The query of a place: the object that is open, the search, and the type that is searched. */
export function addressOf({ search, type, places, at, open, query: named }: Place): string {
  const query = new URLSearchParams(named);
  const [kind, id] = (open && places?.[at ?? -1]) || [];
  if (id) query.set("id", id);
  if (kind) query.set("type", kind);
  if (search) query.set("q", search);
  if (type) query.set("only", type);
  return query.size ? `?${query}` : "";
}

/** The place that a query names, if it names one. */
export function placeOf(query: string): Place | undefined {
  const named = Object.fromEntries(new URLSearchParams(query)) as Place;
  return Object.keys(named).length ? named : undefined;
}

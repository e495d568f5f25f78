// What the table asks of the place it lives in: anywidget's model, marimo's or a socket of our own can stand behind it.

export type Message = Record<string, unknown>;

export interface Host {
  get(name: string): unknown;
  /** Calls back when a value changes, or ("message") when a message comes; the answer ends it. */
  on(name: string, heard: (message: Message) => void): () => void;
  send(message: Message): void;
}

interface Model {
  get(name: string): unknown;
  on(name: string, heard: (value: unknown) => void): void;
  off(name: string, heard: (value: unknown) => void): void;
  send(message: Message): void;
}

export function hostOf(model: Model): Host {
  return {
    get: (name) => model.get(name),
    on: (name, heard) => {
      const event = name === "message" ? "msg:custom" : `change:${name}`;
      const listener = (value: unknown): void => heard(name === "message" ? ((value ?? {}) as Message) : {});
      model.on(event, listener);
      return () => model.off(event, listener);
    },
    send: (message) => model.send(message),
  };
}

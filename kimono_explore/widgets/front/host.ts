// What the table asks of the place it lives in: anywidget's model, marimo's or a socket of our own can stand behind it.

export type Message = Record<string, unknown>;

/** What comes beside a message: bytes, as a host hands them on. */
export type Bytes = ArrayBuffer | ArrayBufferView<ArrayBuffer>;

export interface Host {
  get(name: string): unknown;
  /** Calls back when a value changes, or ("message") when a message comes; the answer ends it. */
  on(name: string, heard: (message: Message, buffers: Bytes[]) => void): () => void;
  send(message: Message): void;
}

interface Model {
  get(name: string): unknown;
  on(name: string, heard: (value: unknown, buffers?: Bytes[]) => void): void;
  off(name: string, heard: (value: unknown, buffers?: Bytes[]) => void): void;
  send(message: Message): void;
}

export function hostOf(model: Model): Host {
  return {
    get: (name) => model.get(name),
    on: (name, heard) => {
      const event = name === "message" ? "msg:custom" : `change:${name}`;
      const listener = (value: unknown, buffers?: Bytes[]): void => {
        if (name === "message") heard((value ?? {}) as Message, Array.isArray(buffers) ? buffers : []);
        else heard({}, []);
      };
      model.on(event, listener);
      return () => model.off(event, listener);
    },
    send: (message) => model.send(message),
  };
}

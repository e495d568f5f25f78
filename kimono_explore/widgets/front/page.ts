// The page of `kimono-explore app`: a panel whose model is a socket of our own. See app/visit.py for what is said on it.

import type panel from "./panel.ts";
import type { Message } from "./host.ts";
import { addressOf, Model, placeOf, type Place } from "./socket.ts";

const SOON = 500; // ms until the first new try; each later one waits as long again, up to
const LATEST = 10_000;
const FEW = 4; // tries after which the server is said to be gone

const { default: widget } = (await import(new URL("panel.js", import.meta.url).href)) as { default: typeof panel };
const stage = document.getElementById("panel")!;
const status = document.getElementById("connection")!;
let place: Place | undefined = (history.state as Place | null) ?? placeOf(location.search);
let end: (() => void) | undefined;
let tries = 0;

/** Draws all anew: after a lost connection, the widget is another one. */
function show(state: Message, send: (message: Message) => void): Model {
  const model = new Model(state, send);
  end?.();
  stage.replaceChildren();
  end = widget.render({ model, el: stage });
  tries = 0;
  status.textContent = "";
  return model;
}

/** The address, and a reload, keep the place; so does a visit to another of the pages. */
function keep(now: Place): void {
  place = now;
  const address = location.pathname + addressOf(now);
  history.replaceState(now, "", address);
  sessionStorage.setItem(location.pathname, address);
}

function connect(): void {
  const address = new URL(stage.dataset["socket"]!, location.href);
  address.protocol = "ws:";
  const socket = new WebSocket(address);
  const send = (message: Message): void => {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  };
  let model: Model | undefined;
  socket.addEventListener("open", () => send({ place }));
  socket.addEventListener("message", ({ data }: MessageEvent<string>) => {
    const said = JSON.parse(data) as { state?: Message; update?: Message; message?: Message; bytes?: string[]; place?: Place };
    if (said.state) model = show(said.state, send);
    if (said.update) model?.renew(said.update);
    if (said.message) model?.hear(said.message, said.bytes);
    if (said.place) keep(said.place);
  });
  socket.addEventListener("close", () => {
    tries += 1;
    status.textContent =
      tries <= FEW
        ? "Connection lost. Reconnecting…"
        : "Connection lost: the server does not answer. What is on screen is its last picture. If it was ended, start " +
          "kimono-explore app again and open the address that it prints.";
    setTimeout(connect, Math.min(tries * SOON, LATEST));
  });
}

for (const link of document.querySelectorAll<HTMLAnchorElement>("nav a")) {
  const kept = sessionStorage.getItem(link.pathname);
  if (kept && link.pathname !== location.pathname) link.href = kept;
}
// Here the page is the widget: `/` goes to the search from wherever nothing else has the keyboard.
document.addEventListener("keydown", (event) => {
  const search = stage.querySelector<HTMLElement>(".kx-search input");
  if (event.key !== "/" || event.target !== document.body || event.ctrlKey || event.metaKey || event.altKey || !search) return;
  event.preventDefault();
  search.focus();
});
connect();

// In a bare page: a graph of many nodes, drawn by a build of the front end, and how long each picture takes.

const model = (traits) => ({ get: (name) => traits[name], on: () => undefined, off: () => undefined, send: () => undefined });

/** Calls back when a sharp picture is there: it has texts, a moved one has none. Reading a pixel waits for what is drawn. */
let sharp = () => undefined;
let began = 0; // the frame
let told = false;
const write = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (...given) {
  write.apply(this, given);
  if (told || !this.canvas.isConnected) return;
  told = true;
  queueMicrotask(() => {
    this.getImageData(0, 0, 1, 1);
    sharp({ frame: performance.now() - began, at: performance.now() });
  });
};
const beat = () => {
  [began, told] = [performance.now(), false];
  requestAnimationFrame(beat);
};
requestAnimationFrame(beat);

const picture = () => new Promise((done) => (sharp = done));
const frame = () => new Promise(requestAnimationFrame);
const event = (kind, name, more) =>
  document.querySelector("canvas").dispatchEvent(new kind(name, { bubbles: true, cancelable: true, button: 0, pointerId: 1, ...more }));

/** Frames a second while something moves at each of them, and from the last move to the sharp picture. */
async function moved(step) {
  const count = 90;
  const from = performance.now();
  for (let n = 0; n < count; n++) {
    step(n);
    await frame();
  }
  const last = performance.now();
  const { frame: redraw, at } = await picture();
  return { frames: (count * 1000) / (last - from), redraw, sharp: at - last };
}

window.measure = async (traits) => {
  document.body.replaceChildren();
  const { default: widget } = await import("./graph.js");
  await frame();
  await frame();
  HTMLElement.prototype.setPointerCapture = () => undefined;
  const from = performance.now();
  const end = widget.render({ model: model(traits), el: document.body });
  const first = (await picture()).at - from;
  await new Promise((done) => setTimeout(done, 300));
  event(PointerEvent, "pointerdown", { clientX: 30, clientY: 120 });
  const pan = await moved((n) => event(PointerEvent, "pointermove", { clientX: 40 + (n % 60), clientY: 120 + (n % 40) }));
  event(PointerEvent, "pointerup", { clientX: 40, clientY: 120 });
  await new Promise((done) => setTimeout(done, 300));
  const zoom = await moved((n) => event(WheelEvent, "wheel", { ctrlKey: true, deltaY: -8, clientX: 450, clientY: 300 }));
  end();
  return { first, "pan, frames a second": pan.frames, "pan, redraw": pan.redraw, "zoom, frames a second": zoom.frames, "zoom, redraw": zoom.redraw, "sharp after zoom": zoom.sharp };
};

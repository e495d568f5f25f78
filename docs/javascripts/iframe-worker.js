// A page opened from a folder may not start a Worker, so the search runs in a hidden frame there.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      this.ready = new Promise((resolve) => (this.frame.onload = resolve));
      this.frame.srcdoc = `<script>
        const relay = (data) => parent.postMessage(data, "*");
        self.postMessage = relay;
        self.importScripts = (...urls) => urls.reduce((before, each) => before.then(() => new Promise((done) => {
          const script = document.createElement("script");
          script.src = each;
          script.onload = script.onerror = done;
          document.head.append(script);
        })), Promise.resolve());
      </script><script src="${new URL(url, document.baseURI)}"></script>`;
      window.addEventListener("message", (event) => {
        if (event.source !== this.frame.contentWindow) return;
        const message = new MessageEvent("message", { data: event.data });
        this.dispatchEvent(message);
        if (this.onmessage) this.onmessage(message);
      });
      document.body.append(this.frame);
    }
    postMessage(data) {
      this.ready.then(() =>
        this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data: structuredClone(data) })),
      );
    }
    terminate() {
      this.frame.remove();
    }
  };
}

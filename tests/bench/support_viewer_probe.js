// What the benchmark reads in a viewer's page, the same in both: it runs before the page's own scripts and knows of
// them only which canvas they draw on and the events that Cornerstone, the renderer of both, sends.
(() => {
  if (window !== window.top) return;
  const SMALLEST_PICTURE = 256; // CSS pixels: thumbnails are smaller
  const SIDE = 64;
  const BRIGHT = 40;
  const BRIGHT_SHARE = 0.04;

  const now = () => performance.now();
  const reduced = new OffscreenCanvas(SIDE, SIDE).getContext("2d", { willReadFrequently: true });

  /** Within a frame: calls back once it is drawn, after every callback of the page that was to run in it. */
  const channel = new MessageChannel();
  const waiting = [];
  channel.port1.onmessage = () => waiting.shift()?.();
  const afterThisFrame = (callback) => {
    waiting.push(callback);
    channel.port2.postMessage(null);
  };
  const afterFrame = (callback) => requestAnimationFrame(() => afterThisFrame(callback));

  const pictures = () =>
    [...document.querySelectorAll("canvas")].filter(
      ({ clientWidth, clientHeight }) => clientWidth >= SMALLEST_PICTURE && clientHeight >= SMALLEST_PICTURE,
    );

  /** A head is on the canvas: more than a few of its pixels are bright, drawn on 64 x 64. */
  const holdsSlice = (canvas) => {
    reduced.clearRect(0, 0, SIDE, SIDE);
    reduced.drawImage(canvas, 0, 0, SIDE, SIDE);
    const { data } = reduced.getImageData(0, 0, SIDE, SIDE);
    let bright = 0;
    for (let at = 0; at < data.length; at += 4) bright += (data[at] + data[at + 1] + data[at + 2]) / 3 > BRIGHT ? 1 : 0;
    return bright > BRIGHT_SHARE * SIDE * SIDE;
  };

  /** Every slice is in memory: in ours as it says itself, in OHIF as Cornerstone's cache says. */
  const hasEverySlice = () => {
    if (window.plaqueview) return window.plaqueview.allSlicesAt !== null;
    const [viewport] = (window.cornerstone?.getRenderingEngines() ?? []).flatMap((engine) => engine.getViewports());
    const imageIds = viewport?.getImageIds?.() ?? [];
    return imageIds.length > 1 && imageIds.every((imageId) => window.cornerstone.cache.isLoaded(imageId));
  };

  const probe = { firstSliceAt: null, allSlicesAt: null };

  /** Reading pixels back holds the page up, so it is done only once the renderer has drawn, and its own time not counted. */
  let hasDrawn = false;
  window.addEventListener("CORNERSTONE_IMAGE_RENDERED", () => (hasDrawn = true), { capture: true });
  const isFirstSliceDrawn = () => {
    const isToBeRead = hasDrawn;
    hasDrawn = false;
    return isToBeRead && pictures().some(holdsSlice);
  };
  const watchOpening = () => {
    const at = now();
    if (probe.firstSliceAt === null && isFirstSliceDrawn()) probe.firstSliceAt = at;
    if (probe.firstSliceAt !== null && hasEverySlice()) probe.allSlicesAt = at;
    if (probe.allSlicesAt === null) afterFrame(watchOpening);
  };
  afterFrame(watchOpening);

  /** The upper left corner, width and height of the picture. */
  probe.place = () => {
    const { x, y, width, height } = pictures()[0].getBoundingClientRect();
    return [x, y, width, height];
  };

  /** URLs of the scripts that were asked for and there before the first slice was drawn. */
  probe.scripts = () =>
    performance
      .getEntriesByType("resource")
      .filter(({ name, responseEnd }) => new URL(name).pathname.endsWith(".js") && responseEnd <= probe.firstSliceAt)
      .map(({ name }) => name);

  /**
   * Turns the wheel above (x, y) by one notch after each frame, as a browser hands input over before the next. Gives the
   * stamps of the frames from the first notch until the last slice was drawn, and when each slice was drawn.
   */
  probe.scroll = ([x, y, notches, deltaY]) => {
    const target = document.elementFromPoint(x, y);
    const isMeant = ({ left, right, top, bottom }) => left <= x && x <= right && top <= y && y <= bottom;
    const stop = new AbortController();
    const listen = (name, listener) =>
      document.addEventListener(
        name,
        (event) => isMeant(event.target.getBoundingClientRect()) && listener(event.detail),
        { capture: true, signal: stop.signal },
      );
    const drawn = [];
    let [current, shown] = [null, null];
    listen("CORNERSTONE_STACK_NEW_IMAGE", ({ imageIdIndex }) => (current = imageIdIndex));
    listen("CORNERSTONE_IMAGE_RENDERED", () => {
      if (current !== shown) drawn.push(now());
      shown = current;
    });
    const turn = { deltaY, clientX: x, clientY: y, bubbles: true, cancelable: true, composed: true, view: window };
    return new Promise((resolve) => {
      const frames = [];
      let quietFrames = 0;
      const frame = (stamp) => {
        frames.push(stamp);
        quietFrames = frames.length > notches && stamp > (drawn.at(-1) ?? 0) ? quietFrames + 1 : 0;
        if (quietFrames > 30) {
          stop.abort();
          resolve({ frames: frames.filter((at) => at <= drawn.at(-1)), drawn });
          return;
        }
        if (frames.length <= notches) afterThisFrame(() => target.dispatchEvent(new WheelEvent("wheel", turn)));
        requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    });
  };

  /**
   * Stamps of frames in each of which an empty picture is drawn anew, as Cornerstone draws: WebGL, then a 2D canvas. It
   * covers the page's own picture, so that the browser composes the same page around it.
   */
  probe.redrawEmpty = (count) => {
    const [x, y, width, height] = probe.place();
    const [shown, hidden] = [document.createElement("canvas"), document.createElement("canvas")];
    for (const canvas of [shown, hidden]) Object.assign(canvas, { width, height });
    Object.assign(shown.style, { position: "fixed", left: `${x}px`, top: `${y}px`, zIndex: "9999" });
    document.body.append(shown);
    const [context, gl] = [shown.getContext("2d"), hidden.getContext("webgl2")];
    return new Promise((resolve) => {
      const frames = [];
      const frame = (stamp) => {
        frames.push(stamp);
        gl.clearColor(0, 0, (frames.length % 2) / 8, 1);
        gl.clear(gl.COLOR_BUFFER_BIT);
        context.drawImage(hidden, 0, 0);
        if (frames.length <= count) requestAnimationFrame(frame);
        else {
          shown.remove();
          resolve(frames);
        }
      };
      requestAnimationFrame(frame);
    });
  };

  const PATCH = 6;
  const patch = new OffscreenCanvas(PATCH, PATCH).getContext("2d", { willReadFrequently: true });
  const pixelsAt = (x, y) =>
    pictures().flatMap((canvas) => {
      const { left, top, width, height } = canvas.getBoundingClientRect();
      const [scaleX, scaleY] = [canvas.width / width, canvas.height / height];
      const corner = [(x - left) * scaleX - PATCH / 2, (y - top) * scaleY - PATCH / 2];
      patch.clearRect(0, 0, PATCH, PATCH);
      patch.drawImage(canvas, ...corner, PATCH, PATCH, 0, 0, PATCH, PATCH);
      return [...patch.getImageData(0, 0, PATCH, PATCH).data];
    });

  /** From now on, `strokeMs` is the time from the pointer's arrival at (x, y) to the frame in which pixels there change. */
  probe.watchStroke = ([x, y]) => {
    probe.strokeMs = null;
    const before = pixelsAt(x, y);
    let arrivedAt = null;
    const arrive = (event) => {
      if (Math.hypot(event.clientX - x, event.clientY - y) < 1) arrivedAt ??= event.timeStamp;
    };
    const names = ["pointerdown", "pointermove"];
    for (const name of names) window.addEventListener(name, arrive, { capture: true });
    const sample = () => {
      const isChanged = arrivedAt !== null && pixelsAt(x, y).some((level, at) => Math.abs(level - before[at]) > 8);
      if (isChanged) probe.strokeMs = now() - arrivedAt;
      if (!isChanged) afterFrame(sample);
      else for (const name of names) window.removeEventListener(name, arrive, { capture: true });
    };
    afterFrame(sample);
  };

  window.benchProbe = probe;
})();

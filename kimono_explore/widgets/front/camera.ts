// Where one looks: the middle of the view in the scene's pixels, and how large they are on screen.

export interface Camera {
  x: number;
  y: number;
  scale: number;
}

export interface Size {
  width: number;
  height: number;
}

const SMALLEST = 0.02;
const LARGEST = 4;

export const toScreen = (camera: Camera, size: Size, x: number, y: number): [number, number] => [
  (x - camera.x) * camera.scale + size.width / 2,
  (y - camera.y) * camera.scale + size.height / 2,
];

export const toScene = (camera: Camera, size: Size, x: number, y: number): [number, number] => [
  (x - size.width / 2) / camera.scale + camera.x,
  (y - size.height / 2) / camera.scale + camera.y,
];

/** Larger or smaller by a factor; what is at a place on screen stays there. */
export function zoomed(camera: Camera, size: Size, factor: number, at: [number, number] = [size.width / 2, size.height / 2]): Camera {
  const scale = Math.min(LARGEST, Math.max(SMALLEST, camera.scale * factor));
  const [x, y] = toScene(camera, size, ...at);
  const [dx, dy] = [at[0] - size.width / 2, at[1] - size.height / 2];
  return { x: x - dx / scale, y: y - dy / scale, scale };
}

/** All places in view, with a margin on each side: left, right, above and below. */
export function fitted(xs: readonly number[], ys: readonly number[], size: Size, margin: [number, number, number, number]): Camera {
  if (!xs.length) return { x: 0, y: 0, scale: 1 };
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  xs.forEach((x, n) => {
    const y = ys[n] ?? 0;
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
  });
  const width = Math.max(1, size.width - margin[0] - margin[1]);
  const height = Math.max(1, size.height - margin[2] - margin[3]);
  const scale = Math.min(1.3, Math.max(SMALLEST, Math.min(width / Math.max(1, right - left), height / Math.max(1, bottom - top))));
  return {
    x: (left + right) / 2 + (margin[1] - margin[0]) / 2 / scale,
    y: (top + bottom) / 2 + (margin[3] - margin[2]) / 2 / scale,
    scale,
  };
}

/** A class-activation map as a colour layer. */
import type { Grid } from '../src/index.js';

/** Draw where the map is positive, from clear to red, scaled to its own largest value. */
export function heat(canvas: HTMLCanvasElement, map: Grid): void {
  [canvas.width, canvas.height] = [map.width, map.height];
  const image = new ImageData(map.width, map.height);
  const top = Math.max(...map.values, 1e-12);
  map.values.forEach((value, i) => {
    const share = Math.max(value / top, 0);
    image.data.set([220, Math.round(160 * (1 - share)), 0, Math.round(255 * share)], 4 * i);
  });
  canvas.getContext('2d')!.putImageData(image, 0, 0);
}

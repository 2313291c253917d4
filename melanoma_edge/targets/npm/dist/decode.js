/** Any image that a browser knows, as the upright centred square of its pixels, as Python's preprocessing takes it. */
import { ClassifierError } from './errors.js';
import { CHANNELS } from './resize.js';
export const MIN_SIDE = 8;
export const MAX_SIDE = 20_000;
export const MAX_PIXELS = 89_478_485; // as in Python
const EXACT = { colorSpaceConversion: 'none', imageOrientation: 'from-image', premultiplyAlpha: 'none' };
/**
 * The largest centred square; an odd pixel of margin goes to the right or bottom.
 * Throws ClassifierError `image` for what cannot be decoded, is too small or large, or has transparent pixels.
 */
export async function centredSquare(input) {
    if (input instanceof ImageData)
        return cut(input, input.width, input.height);
    const bitmap = await open(input);
    try {
        const { side, left, top } = box(bitmap.width, bitmap.height);
        const canvas = new OffscreenCanvas(side, side);
        const context = canvas.getContext('2d', { willReadFrequently: true, colorSpace: 'srgb' });
        if (!context)
            throw new ClassifierError('image', 'the browser gives no 2d canvas to read pixels from');
        context.drawImage(bitmap, -left, -top);
        return opaque(context.getImageData(0, 0, side, side).data, side);
    }
    finally {
        if (bitmap !== input)
            bitmap.close();
    }
}
async function open(input) {
    if (input instanceof ImageBitmap)
        return input;
    if (input instanceof HTMLImageElement && !input.complete)
        await input.decode().catch(() => undefined);
    try {
        return await createImageBitmap(input, EXACT);
    }
    catch (cause) {
        const what = input instanceof Blob ? `${input.size} bytes of type "${input.type}"` : 'this element';
        throw new ClassifierError('image', `${what} cannot be decoded: a whole JPEG, PNG or WebP image is accepted`, { cause });
    }
}
function box(width, height) {
    const side = Math.min(width, height);
    if (side < MIN_SIDE || Math.max(width, height) > MAX_SIDE || width * height > MAX_PIXELS) {
        throw new ClassifierError('image', `the image has ${width} x ${height} pixels: sides from ${MIN_SIDE} to ${MAX_SIDE} and at most ${MAX_PIXELS} ` +
            'pixels in all are accepted');
    }
    return { side, left: (width - side) >> 1, top: (height - side) >> 1 };
}
function cut(image, width, height) {
    const { side, left, top } = box(width, height);
    const square = new Uint8ClampedArray(side * side * 4);
    for (let row = 0; row < side; row++) {
        const from = ((top + row) * width + left) * 4;
        square.set(image.data.subarray(from, from + side * 4), row * side * 4);
    }
    return opaque(square, side);
}
function opaque(rgba, side) {
    const rgb = new Uint8Array(side * side * CHANNELS);
    let alpha = 255;
    for (let from = 0, to = 0; from < rgba.length; from += 4, to += CHANNELS) {
        rgb[to] = rgba[from];
        rgb[to + 1] = rgba[from + 1];
        rgb[to + 2] = rgba[from + 2];
        alpha &= rgba[from + 3];
    }
    if (alpha !== 255)
        throw new ClassifierError('image', 'the image has transparent pixels: an opaque one is accepted');
    return { rgb, side };
}

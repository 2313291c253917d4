/**
 * Pillow's `Image.resize(BILINEAR)`, level for level: two passes of fixed-point weights, antialiased when it shrinks.
 *
 * After Pillow's `Resample.c`: `precompute_coeffs`, `normalize_coeffs_8bpc` and `ImagingResampleHorizontal_8bpc`.
 */
const BITS = 22; // 32 bits less 8 of a pixel and 2 of headroom
const HALF = 1 << (BITS - 1);
export const CHANNELS = 3;
/** Resize a square RGB image, `side * side * 3` bytes, to `size * size * 3` bytes. */
export function resizeSquare(rgb, side, size) {
    if (side === size)
        return rgb.slice();
    const weights = precompute(side, size);
    return vertical(horizontal(rgb, side, size, weights), size, weights);
}
function precompute(side, size) {
    const scale = side / size;
    const support = Math.max(scale, 1);
    const widest = Math.ceil(support) * 2 + 1;
    const first = new Int32Array(size);
    const count = new Int32Array(size);
    const values = new Int32Array(size * widest);
    for (let out = 0; out < size; out++) {
        const centre = (out + 0.5) * scale;
        const low = Math.max(Math.trunc(centre - support + 0.5), 0);
        const high = Math.min(Math.trunc(centre + support + 0.5), side);
        const real = Array.from({ length: high - low }, (_, i) => triangle((i + low - centre + 0.5) * (1 / support)));
        const total = real.reduce((sum, value) => sum + value, 0);
        first[out] = low;
        count[out] = high - low;
        real.forEach((value, i) => (values[out * widest + i] = Math.trunc(0.5 + (value / total) * (1 << BITS))));
    }
    return { first, count, values, widest };
}
function triangle(x) {
    return Math.max(1 - Math.abs(x), 0);
}
/** `[rows, side, 3]` to `[rows, size, 3]`, rows = side. */
function horizontal(rgb, side, size, weights) {
    const { first, count, values, widest } = weights;
    const result = new Uint8Array(side * size * CHANNELS);
    for (let row = 0, to = 0; row < side; row++) {
        for (let out = 0; out < size; out++) {
            let red = HALF;
            let green = HALF;
            let blue = HALF;
            let from = (row * side + first[out]) * CHANNELS;
            for (let i = out * widest, end = i + count[out]; i < end; i++, from += CHANNELS) {
                const weight = values[i];
                red += rgb[from] * weight;
                green += rgb[from + 1] * weight;
                blue += rgb[from + 2] * weight;
            }
            result[to++] = level(red);
            result[to++] = level(green);
            result[to++] = level(blue);
        }
    }
    return result;
}
/** `[side, size, 3]` to `[size, size, 3]`. */
function vertical(rgb, size, weights) {
    const { first, count, values, widest } = weights;
    const stride = size * CHANNELS;
    const result = new Uint8Array(size * stride);
    for (let out = 0; out < size; out++) {
        for (let column = 0; column < stride; column++) {
            let sum = HALF;
            let from = first[out] * stride + column;
            for (let i = out * widest, end = i + count[out]; i < end; i++, from += stride)
                sum += rgb[from] * values[i];
            result[out * stride + column] = level(sum);
        }
    }
    return result;
}
/** Fixed point to 0..255. */
function level(sum) {
    return Math.min(Math.max(sum >> BITS, 0), 255);
}

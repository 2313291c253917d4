/**
 * Pillow's `Image.resize(BILINEAR)`, level for level: two passes of fixed-point weights, antialiased when it shrinks.
 *
 * After Pillow's `Resample.c`: `precompute_coeffs`, `normalize_coeffs_8bpc` and `ImagingResampleHorizontal_8bpc`.
 */
export declare const CHANNELS = 3;
/** Resize a square RGB image, `side * side * 3` bytes, to `size * size * 3` bytes. */
export declare function resizeSquare(rgb: Uint8Array, side: number, size: number): Uint8Array;

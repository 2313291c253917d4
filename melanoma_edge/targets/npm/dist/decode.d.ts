/** What `classify` takes. */
export type ImageInput = ImageBitmap | HTMLImageElement | HTMLCanvasElement | OffscreenCanvas | ImageData | Blob;
/** RGB bytes of a square, `side * side * 3`. */
export interface Square {
    readonly rgb: Uint8Array;
    readonly side: number;
}
export declare const MIN_SIDE = 8;
export declare const MAX_SIDE = 20000;
export declare const MAX_PIXELS = 89478485;
/**
 * The largest centred square; an odd pixel of margin goes to the right or bottom.
 * Throws ClassifierError `image` for what cannot be decoded, is too small or large, or has transparent pixels.
 */
export declare function centredSquare(input: ImageInput): Promise<Square>;

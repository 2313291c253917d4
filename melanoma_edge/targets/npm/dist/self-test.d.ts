/** Python's answers to the package's own drawn images, compared with what this very device computes. */
import type { ImageInput } from './decode.js';
import type { ModelEntry } from './manifest-types.js';
/** Written by the build. Images are drawn by a program: no patient's. */
export interface Golden {
    readonly images: readonly {
        readonly name: string;
        readonly type: string;
        /** The file, base64. */
        readonly data: string;
        /** Of the resized RGB bytes. */
        readonly pixels_sha256: string;
        /** By model id. */
        readonly logits: Readonly<Record<string, readonly number[]>>;
    }[];
    /** The largest difference of a logit that passes, by model id: 0 where the arithmetic is in integers. */
    readonly tolerance: Readonly<Record<string, number>>;
}
export interface SelfTest {
    readonly passed: boolean;
    /** Whether every decision is Python's, however the logits differ. */
    readonly decisionsEqual: boolean;
    readonly images: readonly {
        readonly name: string;
        /** Whether every level of every resized pixel is Python's. */
        readonly pixelsEqual: boolean;
        /** The largest difference of a logit. */
        readonly difference: number;
        readonly passed: boolean;
        readonly decisionEqual: boolean;
    }[];
}
/** Run every image through `answer`. */
export declare function check(golden: Golden, model: ModelEntry, decision: (logits: ArrayLike<number>) => string, answer: (image: ImageInput) => Promise<{
    pixels: Uint8Array;
    logits: Float32Array;
}>): Promise<SelfTest>;

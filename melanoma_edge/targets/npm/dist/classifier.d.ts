/** The network in the browser: pixels as Python makes them, the policy's advice, and nothing leaves the device. */
import { type ImageInput } from './decode.js';
import { type Assets } from './integrity.js';
import type { ModelEntry, RuntimeName } from './manifest-types.js';
import { type Policy, type Tier } from './policy.js';
import { type Quality } from './quality.js';
import type { Accelerator, Grid } from './runtimes/runtime.js';
import { type SelfTest } from './self-test.js';
export interface Options {
    /** The folder that the package's `assets` were copied to, or a function that gives a named file's bytes. */
    readonly assets: Assets;
    /** The folder of the runtime's wasm files. Default: `wasm/` in `assets`. */
    readonly wasm?: Assets;
    /** Default: the runtime of the first of `models`. */
    readonly runtime?: RuntimeName;
    /**
     * Default: `wasm`. `webgpu` takes LiteRT.js's float model and is kept only where this device decides as Python does on
     * the package's own images; anywhere else it is `wasm` again: see `Classifier.accelerator`.
     */
    readonly accelerator?: Accelerator;
    /** A model's id, as listed in `models`. Default: the first of the runtime. */
    readonly model?: string;
}
export interface Timings {
    /** Milliseconds: decoding and cutting, resizing and normalising, the network, and all of it. */
    readonly decode: number;
    readonly prepare: number;
    readonly network: number;
    readonly total: number;
}
export interface Classification {
    /** Of melanoma, 0 to 1. */
    readonly probability: number;
    readonly decision: 'melanoma' | 'other';
    /** The policy's advice for this probability, or for doubt. */
    readonly tier: Tier;
    /** Whether the network is too unsure for its decision to count; the tier then holds the words of doubt. */
    readonly uncertain: boolean;
    /** Of the probability, in nats: what `uncertain` goes by. */
    readonly entropy: number;
    /** What the photograph lacks, judged without the network. */
    readonly quality: Quality;
    /** Where the network saw melanoma, `[height, width]`; null when the model has no such output. */
    readonly heatMap: Grid | null;
    readonly logits: Float32Array;
    readonly timings: Timings;
}
export interface Classifier {
    /** The model that runs. */
    readonly model: ModelEntry;
    readonly accelerator: Accelerator;
    readonly policy: Policy;
    /** Throws ClassifierError: `image` for an input that cannot be used, `usage` after dispose(). */
    classify(input: ImageInput): Promise<Classification>;
    /** Classify the package's own images and compare every step with what Python computed in the build. */
    selfTest(): Promise<SelfTest>;
    /** Free the network's memory. */
    dispose(): Promise<void>;
}
/** The models of this package, the fastest in the build's browser first: it is the default. */
export declare const models: readonly ModelEntry[];
/** Load the network. Every file is checked against the manifest first. Throws ClassifierError. */
export declare function createClassifier(options: Options): Promise<Classifier>;

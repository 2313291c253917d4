import type { Assets } from '../integrity.js';
import type { ModelEntry, RuntimeEntry } from '../manifest-types.js';
/** A network in memory. */
export interface Network {
    /** pixels: float32, normalised, `[size, size, 3]` rows of RGB. */
    run(pixels: Float32Array): Promise<Answer>;
    dispose(): void | Promise<void>;
}
export interface Answer {
    /** `[classes]`. */
    readonly logits: Float32Array;
    /** `[height, width]`, or null when the file has no second output. */
    readonly heatMap: Grid | null;
}
export interface Grid {
    readonly width: number;
    readonly height: number;
    readonly values: Float32Array;
}
export type Accelerator = 'wasm' | 'webgpu';
/** Where a runtime finds its files and what it opens. */
export interface Opening {
    readonly model: Uint8Array<ArrayBuffer>;
    readonly entry: ModelEntry;
    readonly size: number;
    readonly accelerator: Accelerator;
    readonly runtime: RuntimeEntry;
    /** The folder of the runtime's own wasm files. */
    readonly wasm: Assets;
}
/** Run `step`; what it throws becomes a ClassifierError `runtime`. */
export declare function guarded<T>(what: string, step: () => Promise<T>): Promise<T>;
/** A heat map whose rows and columns are these two dimensions of the output. */
export declare function grid(values: Float32Array, [height, width]: readonly number[]): Grid;

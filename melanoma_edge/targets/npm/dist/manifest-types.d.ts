/** What the compiler wrote about this very network: the shape of `manifest.js`, which the package is filled with. */
import type { Listed } from './integrity.js';
export type RuntimeName = 'litert' | 'onnxruntime';
/** One model file. Its `id` is what `createClassifier({ model })` takes. */
export interface ModelEntry extends Listed {
    readonly id: string;
    readonly runtime: RuntimeName;
    readonly precision: string;
    readonly file: string;
    /** Whether its second output is a class-activation map. */
    readonly heatMap: boolean;
    /** Median of one run in the build's browser, one thread; null where there was none. */
    readonly milliseconds: number | null;
    /** That median by the one of the runtime's float32 file. */
    readonly byFloat: number | null;
}
/** A file of the runtime that the package was tested with. */
export interface RuntimeEntry {
    readonly package: string;
    readonly version: string;
    readonly files: Readonly<Record<string, Listed>>;
}
export interface Manifest {
    readonly format: 1;
    readonly name: string;
    readonly generator: string;
    readonly preprocessing: {
        readonly size: number;
        readonly mean: Triple;
        readonly std: Triple;
    };
    readonly classes: readonly string[];
    /** Index of melanoma in `classes` and in the logits. */
    readonly melanoma: number;
    /** What `models` are ordered by: the browser that timed them, or why none did and the order is that of preference. */
    readonly order: {
        readonly browser: string | null;
        readonly why: string | null;
    };
    /** The default first: the fastest that passed every gate; the others behind it. */
    readonly models: readonly ModelEntry[];
    readonly files: Readonly<Record<'policy.json' | 'golden.json', Listed>>;
    readonly runtimes: Readonly<Record<RuntimeName, RuntimeEntry>>;
}
export type Triple = readonly [number, number, number];

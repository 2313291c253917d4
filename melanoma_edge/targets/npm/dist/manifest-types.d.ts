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
    /** The fastest model that passed every gate, first; the others behind it. */
    readonly models: readonly ModelEntry[];
    readonly files: Readonly<Record<'policy.json' | 'golden.json', Listed>>;
    readonly runtimes: Readonly<Record<RuntimeName, RuntimeEntry>>;
}
export type Triple = readonly [number, number, number];

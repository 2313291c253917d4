import { type Network, type Opening } from './runtime.js';
/** Open a .tflite model. The wasm is loaded once a page. */
export declare function open({ model, entry, size, accelerator, runtime, wasm }: Opening): Promise<Network>;

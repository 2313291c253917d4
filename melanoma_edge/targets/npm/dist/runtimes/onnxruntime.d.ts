import { type Network, type Opening } from './runtime.js';
/** Open an .onnx model. */
export declare function open({ model, entry, size, runtime, wasm }: Opening): Promise<Network>;

import { type Network, type Opening } from './runtime.js';
/** Open an .onnx model. Throws ClassifierError `runtime` for WebGPU, which this build of the runtime leaves out. */
export declare function open({ model, entry, size, accelerator, runtime, wasm }: Opening): Promise<Network>;

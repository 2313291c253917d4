/** Stands for onnxruntime-web in the demo page, whose first model is always LiteRT's: its wasm would triple the page. */
import { ClassifierError } from '../src/errors.js';
import type { Network } from '../src/runtimes/runtime.js';

export function open(): Promise<Network> {
  return Promise.reject(new ClassifierError('usage', 'this page runs models of LiteRT.js only'));
}

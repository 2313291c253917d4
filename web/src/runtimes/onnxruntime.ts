/** ONNX Runtime Web on its wasm backend, whose INT8 answers are Python's bit for bit; float ones to the last digits. */
import * as ort from 'onnxruntime-web/wasm';

import { ClassifierError } from '../errors.js';
import { load } from '../integrity.js';
import { grid, guarded, type Answer, type Network, type Opening } from './runtime.js';

const WASM = 'ort-wasm-simd-threaded.wasm';

/** Open an .onnx model. Throws ClassifierError `runtime` for WebGPU, which this build of the runtime leaves out. */
export async function open({ model, entry, size, accelerator, runtime, wasm }: Opening): Promise<Network> {
  if (accelerator !== 'wasm') throw new ClassifierError('runtime', `${accelerator} is there with LiteRT.js only`);
  ort.env.wasm.wasmBinary ??= (await load(wasm, WASM, runtime.files[WASM]!)).buffer;
  if (!globalThis.crossOriginIsolated) ort.env.wasm.numThreads = 1; // there is no shared memory without it
  const session = await guarded(`${entry.file} could not be loaded`, () =>
    ort.InferenceSession.create(model, {
      executionProviders: ['wasm'],
      extra: { session: { disable_quant_qdq: unfused(entry.precision) } },
    }),
  );
  return {
    run: (pixels) => guarded('the network could not be run', () => run(session, pixels, size, entry.heatMap)),
    dispose: () => session.release(),
  };
}

/** Files with 8-bit weights alone are float networks: fusing their last layer would change its arithmetic. */
function unfused(precision: string): string {
  return precision.startsWith('weight_only') ? '1' : '0';
}

async function run(session: ort.InferenceSession, pixels: Float32Array, size: number, heatMap: boolean): Promise<Answer> {
  const input = new ort.Tensor('float32', planes(pixels, size), [1, 3, size, size]);
  const outputs = await session.run({ [session.inputNames[0]!]: input });
  const [logits, map] = session.outputNames.map((name) => outputs[name]!);
  return {
    logits: (logits!.data as Float32Array).slice(),
    heatMap: heatMap && map ? grid((map.data as Float32Array).slice(), map.dims.slice(2)) : null,
  };
}

/** `[size, size, 3]` to `[3, size, size]`. */
function planes(pixels: Float32Array, size: number): Float32Array {
  const area = size * size;
  const result = new Float32Array(pixels.length);
  for (let i = 0; i < area; i++) {
    for (let channel = 0; channel < 3; channel++) result[channel * area + i] = pixels[i * 3 + channel]!;
  }
  return result;
}

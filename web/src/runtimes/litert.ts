/** LiteRT.js: TensorFlow Lite with XNNPACK in WebAssembly, whose INT8 answers are Python's bit for bit. */
import { loadAndCompile, loadLiteRt, supportsFeature, Tensor, type CompiledModel } from '@litertjs/core';

import { load } from '../integrity.js';
import { grid, guarded, type Answer, type Network, type Opening } from './runtime.js';

let loading: Promise<unknown> | undefined;

/** Open a .tflite model. The wasm is loaded once a page. */
export async function open({ model, entry, size, accelerator, runtime, wasm }: Opening): Promise<Network> {
  loading ??= guarded('LiteRT.js could not be loaded', () => start({ runtime, wasm })).catch((error: unknown) => {
    loading = undefined; // the next call may find the files
    throw error;
  });
  await loading;
  const compiled = await guarded(`${entry.file} could not be compiled`, () =>
    loadAndCompile(model, { accelerator, gpuOptions: { precision: 'fp32' } }),
  );
  return {
    run: (pixels) => guarded('the network could not be run', () => run(compiled, pixels, size, entry.heatMap)),
    dispose: () => compiled.delete(),
  };
}

/** Hash LiteRT.js's own files and start them from memory: what was checked is what runs. */
async function start({ runtime, wasm }: Pick<Opening, 'runtime' | 'wasm'>): Promise<void> {
  const stem = (await supportsFeature('relaxedSimd')) ? 'litert_wasm_internal' : 'litert_wasm_compat_internal';
  const [script, binary] = await Promise.all(
    [`${stem}.js`, `${stem}.wasm`].map((name) => load(wasm, name, runtime.files[name]!)),
  );
  const url = URL.createObjectURL(new Blob([script!], { type: 'text/javascript' }));
  // Its loader hands this global to Emscripten's factory, and clears it.
  (globalThis as { Module?: object }).Module = { wasmBinary: binary, printErr: report };
  try {
    await loadLiteRt(`${url}#.js`); // its loader goes by the ending
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** LiteRT logs its start to the error stream: only what is an error goes on. */
function report(line: string): void {
  if (/^(ERROR|FATAL)/.test(line)) console.error(line);
}

async function run(compiled: CompiledModel, pixels: Float32Array, size: number, heatMap: boolean): Promise<Answer> {
  const input = new Tensor(pixels, [1, size, size, 3]);
  try {
    const outputs = await compiled.run(input);
    try {
      const held = await Promise.all(outputs.map((tensor) => tensor.data()));
      const [logits, map] = held.map((data) => data.slice() as Float32Array);
      const shape = compiled.getOutputDetails()[1]?.shape;
      return { logits: logits!, heatMap: heatMap && map && shape ? grid(map, Array.from(shape).slice(1, 3)) : null };
    } finally {
      outputs.forEach((tensor) => tensor.delete());
    }
  } finally {
    input.delete();
  }
}

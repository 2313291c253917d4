// Writes runtimes.json: the runtimes that the sources were compiled with, and the sha256 of their wasm files.
import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';

const OUT = '../melanoma_edge/targets/npm';
const USED = {
  litert: ['@litertjs/core', 'wasm', ['litert_wasm_internal', 'litert_wasm_compat_internal'].flatMap((f) => [`${f}.js`, `${f}.wasm`])],
  onnxruntime: ['onnxruntime-web', 'dist', ['ort-wasm-simd-threaded.wasm']],
};

const runtimes = Object.fromEntries(
  Object.entries(USED).map(([key, [name, folder, files]]) => {
    const { version } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8'));
    const hashed = files.map((file) => {
      const bytes = readFileSync(`node_modules/${name}/${folder}/${file}`);
      return [file, { sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length }];
    });
    return [key, { package: name, version, files: Object.fromEntries(hashed) }];
  }),
);
writeFileSync(`${OUT}/runtimes.json`, `${JSON.stringify(runtimes, null, 2)}\n`);
copyFileSync('src/manifest.d.ts', `${OUT}/dist/manifest.d.ts`); // tsc leaves declarations where they are

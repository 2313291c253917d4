/** The demo page: app.js with everything in it but the manifest, which every network brings; and the service worker. */
import { resolve } from 'node:path';
import { defineConfig } from 'vite';

const OUT = '../melanoma_edge/targets/npm/demo'; // where index.html and style.css stand

export default defineConfig(({ mode }) => ({
  publicDir: false,
  resolve: { alias: [{ find: /^\.\/runtimes\/onnxruntime\.js$/, replacement: resolve('demo/no-onnxruntime.ts') }] },
  build: {
    outDir: OUT,
    emptyOutDir: false,
    target: 'es2022',
    modulePreload: false,
    lib: {
      entry: mode === 'worker' ? 'demo/sw.ts' : 'demo/app.ts',
      formats: ['es'],
      fileName: () => (mode === 'worker' ? 'sw.js' : 'app.js'),
    },
    rollupOptions: {
      external: [/\/manifest\.js$/],
      // Unminified, its comments hold paths of the machine that compiled it.
      output: { codeSplitting: false, minify: true, paths: () => './manifest.js' },
    },
  },
}));

/** Filled in by the compiler: `manifest.js` is written for each network. */
import type { Manifest } from './manifest-types.js';

export declare const manifest: Manifest;

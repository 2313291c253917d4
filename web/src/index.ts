/** Melanoma or not, on the user's own device. An aid for engineers and researchers, never a diagnosis. */
export { createClassifier, models } from './classifier.js';
export type { Classification, Classifier, Options, Timings } from './classifier.js';
export type { ImageInput } from './decode.js';
export { ClassifierError } from './errors.js';
export type { ErrorCode } from './errors.js';
export type { Assets } from './integrity.js';
export type { ModelEntry, RuntimeName } from './manifest-types.js';
export type { Policy, Tier } from './policy.js';
export type { Measures, Quality } from './quality.js';
export type { Accelerator, Grid } from './runtimes/runtime.js';
export type { SelfTest } from './self-test.js';

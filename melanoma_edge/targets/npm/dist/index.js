/** Melanoma or not, on the user's own device. An aid for engineers and researchers, never a diagnosis. */
export { createClassifier, models } from './classifier.js';
export { ClassifierError } from './errors.js';

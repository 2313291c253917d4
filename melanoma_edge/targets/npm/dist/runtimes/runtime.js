/** What both runtimes are to the classifier. */
import { ClassifierError } from '../errors.js';
/** Run `step`; what it throws becomes a ClassifierError `runtime`. */
export async function guarded(what, step) {
    try {
        return await step();
    }
    catch (cause) {
        if (cause instanceof ClassifierError)
            throw cause;
        throw new ClassifierError('runtime', `${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
}
/** A heat map whose rows and columns are these two dimensions of the output. */
export function grid(values, [height = 0, width = 0]) {
    return { width, height, values };
}

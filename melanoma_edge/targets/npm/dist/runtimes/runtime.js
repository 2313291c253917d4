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
/** The output `[..., h, w]` or `[..., h, w, 1]` as a grid. */
export function grid(values, shape) {
    const [height = 1, width = 1] = shape.filter((extent) => extent !== 1).slice(-2);
    return { width, height, values };
}

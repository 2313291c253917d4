import { sha256 } from './integrity.js';
/** Run every image through `answer`. */
export async function check(golden, model, decision, answer) {
    const images = [];
    for (const image of golden.images) {
        const bytes = Uint8Array.from(atob(image.data), (character) => character.charCodeAt(0));
        const { pixels, logits } = await answer(new Blob([bytes], { type: image.type }));
        const pixelsEqual = (await sha256(pixels.slice())) === image.pixels_sha256;
        const wanted = image.logits[model.id] ?? [];
        const difference = Math.max(...wanted.map((value, i) => Math.abs(value - (logits[i] ?? NaN))));
        const passed = pixelsEqual && wanted.length === logits.length && difference <= (golden.tolerance[model.id] ?? 0);
        const decisionEqual = wanted.length > 0 && decision(logits) === decision(wanted);
        images.push({ name: image.name, pixelsEqual, difference, passed, decisionEqual });
    }
    const all = (holds) => images.length > 0 && images.every(holds);
    return { passed: all((image) => image.passed), decisionsEqual: all((image) => image.decisionEqual), images };
}

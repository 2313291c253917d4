import { sha256 } from './integrity.js';
/** Run every image through `answer`. */
export async function check(golden, model, answer) {
    const images = [];
    for (const image of golden.images) {
        const bytes = Uint8Array.from(atob(image.data), (character) => character.charCodeAt(0));
        const { pixels, logits } = await answer(new Blob([bytes], { type: image.type }));
        const pixelsEqual = (await sha256(pixels.slice())) === image.pixels_sha256;
        const wanted = image.logits[model.id] ?? [];
        const difference = Math.max(...wanted.map((value, i) => Math.abs(value - (logits[i] ?? NaN))));
        const passed = pixelsEqual && wanted.length === logits.length && difference <= (golden.tolerance[model.id] ?? 0);
        images.push({ name: image.name, pixelsEqual, difference, passed });
    }
    return { passed: images.length > 0 && images.every((image) => image.passed), images };
}

/** Python's answers to the package's own drawn images, compared with what this very device computes. */
import type { ImageInput } from './decode.js';
import type { ModelEntry } from './manifest-types.js';
import { sha256 } from './integrity.js';

/** Written by the build. Images are drawn by a program: no patient's. */
export interface Golden {
  readonly images: readonly {
    readonly name: string;
    readonly type: string;
    /** The file, base64. */
    readonly data: string;
    /** Of the resized RGB bytes. */
    readonly pixels_sha256: string;
    /** By model id. */
    readonly logits: Readonly<Record<string, readonly number[]>>;
  }[];
  /** The largest difference of a logit that passes, by model id: 0 where the arithmetic is in integers. */
  readonly tolerance: Readonly<Record<string, number>>;
}

export interface SelfTest {
  readonly passed: boolean;
  /** Whether every decision is Python's, however the logits differ. */
  readonly decisionsEqual: boolean;
  readonly images: readonly {
    readonly name: string;
    /** Whether every level of every resized pixel is Python's. */
    readonly pixelsEqual: boolean;
    /** The largest difference of a logit. */
    readonly difference: number;
    readonly passed: boolean;
    readonly decisionEqual: boolean;
  }[];
}

/** Run every image through `answer`. */
export async function check(
  golden: Golden,
  model: ModelEntry,
  decision: (logits: ArrayLike<number>) => string,
  answer: (image: ImageInput) => Promise<{ pixels: Uint8Array; logits: Float32Array }>,
): Promise<SelfTest> {
  const images: SelfTest['images'][number][] = [];
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
  const all = (holds: (image: SelfTest['images'][number]) => boolean) => images.length > 0 && images.every(holds);
  return { passed: all((image) => image.passed), decisionsEqual: all((image) => image.decisionEqual), images };
}

/** Codes of capture advice in the policy's words. */
import type { Policy, Quality } from '../src/index.js';

/** One line for each piece of advice, or one that says that there is none. */
export function adviceFor(quality: Quality, policy: Policy): string[] {
  if (!policy.capture) return ['Not judged.'];
  const lines = quality.advice.map((code) => policy.capture!.advice[code] ?? code);
  return lines.length ? lines : ['Sharp, well lit, and the lesion is in the frame.'];
}

/** The assets of the page that is one file: gzip in base64, inside script elements that no browser runs. */
import type { Assets } from '../src/index.js';

/** null on a page that fetches its files. */
export function embedded(): Exclude<Assets, string | URL> | null {
  const blocks = new Map(
    [...document.querySelectorAll<HTMLScriptElement>('script[data-asset]')].map((e) => [e.dataset.asset!, e]),
  );
  if (!blocks.size) return null;
  return async (name) => {
    const text = blocks.get(name)?.textContent;
    if (!text) throw new Error(`this page does not hold ${name}`);
    const bytes = Uint8Array.from(atob(text.trim()), (character) => character.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer();
  };
}

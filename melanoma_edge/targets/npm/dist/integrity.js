/** Files as they were built: everything fetched is hashed before it is used. */
import { ClassifierError } from './errors.js';
/** The bytes of `name`, checked. Throws ClassifierError `fetch` or `integrity`. */
export async function load(assets, name, listed) {
    const buffer = await (typeof assets === 'function' ? assets(name) : download(resolve(assets, name)));
    const found = await sha256(buffer);
    if (found !== listed.sha256) {
        throw new ClassifierError('integrity', `${name} is not the file that was built: its sha256 is ${found}, the manifest says ${listed.sha256}. ` +
            'Copy the assets of this very package version again, and let no server rewrite them.');
    }
    return new Uint8Array(buffer);
}
/** Hex SHA-256. Throws ClassifierError `usage` where the page has no Web Crypto. */
export async function sha256(data) {
    if (!globalThis.crypto?.subtle) {
        throw new ClassifierError('usage', 'Web Crypto is missing: serve the page over https, from localhost, or from disk.');
    }
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', data));
    return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
function resolve(assets, name) {
    const base = new URL(assets, globalThis.document?.baseURI);
    if (!base.pathname.endsWith('/'))
        base.pathname += '/';
    return new URL(name, base);
}
async function download(url) {
    let response;
    try {
        response = await fetch(url);
    }
    catch (cause) {
        throw new ClassifierError('fetch', `${url} could not be fetched: is \`assets\` the folder that they were copied to?`, {
            cause,
        });
    }
    if (!response.ok) {
        throw new ClassifierError('fetch', `${url} answered ${response.status}: is \`assets\` the folder they were copied to?`);
    }
    return response.arrayBuffer();
}

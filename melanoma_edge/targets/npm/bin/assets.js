#!/usr/bin/env node
/** `npx PACKAGE copy DIR`, `demo DIR`, `page FILE`: puts this package's files where a web server, or a person, needs them. */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
const USAGE = `usage: copy DIR   the models, policy and wasm files, for your app's public folder
       demo DIR   the demo page as a static site
       page FILE  the demo page as one HTML file that opens from disk`;
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
async function main([command, target]) {
    const { manifest } = (await import('../dist/manifest.js'));
    const commands = {
        copy: (folder) => copy(manifest, folder),
        demo: (folder) => demo(manifest, folder),
        page: (file) => page(manifest, file),
    };
    const run = commands[command ?? ''];
    if (!run || !target)
        throw new Error(USAGE);
    run(resolve(target));
}
/** The assets, and below `wasm/` the files of every installed runtime, each compared with the manifest. */
function copy(manifest, folder) {
    cpSync(join(root, 'assets'), folder, { recursive: true });
    mkdirSync(join(folder, 'wasm'), { recursive: true });
    for (const [file, bytes] of wasm(manifest))
        writeFileSync(join(folder, 'wasm', file), bytes);
}
function demo(manifest, folder) {
    cpSync(join(root, 'demo'), folder, { recursive: true });
    cpSync(join(root, 'dist', 'manifest.js'), join(folder, 'manifest.js'));
    copy(manifest, join(folder, 'assets'));
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name !== 'sw.js')
        .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
        .sort();
    const fingerprint = createHash('sha256');
    for (const file of files)
        fingerprint.update(file).update(readFileSync(join(folder, file)));
    const listed = ['./', ...files].map((file) => JSON.stringify(file)).join(',');
    const worker = readFileSync(join(folder, 'sw.js'), 'utf8')
        .replace('FINGERPRINT', fingerprint.digest('hex').slice(0, 16))
        .replace(/["'`]FILES["'`]/, () => listed);
    writeFileSync(join(folder, 'sw.js'), worker);
}
/** Everything inside one file: the default model, and scripts that the page's policy names by their hash. */
function page(manifest, file) {
    const read = (name) => readFileSync(join(root, name), 'utf8');
    const style = read('demo/style.css');
    const facts = read('dist/manifest.js').replace('export const manifest', 'const manifest');
    const script = facts + read('demo/app.js').replace(/import\s*\{\s*manifest as ([\w$]+)\s*\}\s*from\s*["']\.\/manifest\.js["'];?/, (_, name) => `const ${name}=manifest;`);
    const model = manifest.models[0];
    const held = new Map([
        ...['policy.json', 'golden.json', model.file].map((name) => [name, readFileSync(join(root, 'assets', name))]),
        ...[...wasm(manifest, [model.runtime])].map(([name, bytes]) => [`wasm/${name}`, bytes]),
    ]);
    const blocks = [...held].map(([name, bytes]) => `<script type="application/octet-stream" data-asset="${name}">${gzipSync(bytes, { level: 9 }).toString('base64')}</script>`);
    const policy = `default-src 'none'; script-src '${hashed(script)}' blob: 'wasm-unsafe-eval'; style-src '${hashed(style)}'; img-src blob: data:; media-src blob:; base-uri 'none'; form-action 'none'`;
    const html = read('demo/index.html')
        .replace(/(http-equiv="Content-Security-Policy" content=")[^"]*/, (_, start) => start + policy)
        .replace('<link rel="stylesheet" href="style.css">', () => `<style>${style}</style>`)
        .replace('<script type="module" src="app.js"></script>', () => `${blocks.join('\n')}\n<script type="module">${script}</script>`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, html);
}
/** Name and bytes of the runtimes' own files. Throws when one is not the version that was tested. */
function* wasm(manifest, wanted = Object.keys(manifest.runtimes)) {
    const first = manifest.models[0].runtime; // of the default model
    for (const runtime of wanted) {
        const { package: name, version, files } = manifest.runtimes[runtime];
        const folder = installed(name, Object.keys(files)[0]);
        if (!folder && runtime === first)
            throw new Error(`${name} is not installed: npm install ${name}@${version}`);
        if (!folder)
            continue; // the other runtime is optional
        for (const [file, { sha256 }] of Object.entries(files)) {
            const bytes = readFileSync(join(folder, file));
            if (createHash('sha256').update(bytes).digest('hex') !== sha256) {
                throw new Error(`${join(folder, file)} is of another version of ${name} than this package was tested with`);
            }
            yield [file, bytes];
        }
    }
}
/** The folder of an installed package that holds `file`, looked for from the user's project and from here. */
function installed(name, file) {
    for (const from of [join(process.cwd(), 'package.json'), join(root, 'package.json')]) {
        for (const modules of createRequire(from).resolve.paths(name) ?? []) {
            const folder = ['wasm', 'dist'].map((part) => join(modules, name, part)).find((path) => existsSync(join(path, file)));
            if (folder)
                return folder;
        }
    }
    return null;
}
function hashed(text) {
    return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
main(process.argv.slice(2)).catch((error) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 2;
});

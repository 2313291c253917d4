/** The network in the browser: pixels as Python makes them, the policy's advice, and nothing leaves the device. */
import { centredSquare } from './decode.js';
import { ClassifierError } from './errors.js';
import { load } from './integrity.js';
import { manifest } from './manifest.js';
import { decide, softmax } from './policy.js';
import { assess } from './quality.js';
import { resizeSquare } from './resize.js';
import { check } from './self-test.js';
const OPENERS = {
    litert: () => import('./runtimes/litert.js'),
    onnxruntime: () => import('./runtimes/onnxruntime.js'),
};
/** The models of this package, the fastest in the build's browser first: it is the default. */
export const models = manifest.models;
/** Load the network. Every file is checked against the manifest first. Throws ClassifierError. */
export async function createClassifier(options) {
    if (options.accelerator !== 'webgpu')
        return create(options, 'wasm');
    return (await onGpu(options)) ?? create(options, 'wasm');
}
/** The float model on the GPU; null where there is none, where it cannot run this network, or decides otherwise. */
async function onGpu(options) {
    let classifier = null;
    try {
        const { runtime = 'litert', model = 'litert-float32' } = options;
        classifier = await create({ ...options, runtime, model }, 'webgpu');
        if ((await classifier.selfTest()).decisionsEqual)
            return classifier;
    }
    catch (error) {
        if (!(error instanceof ClassifierError && error.code === 'runtime'))
            throw error;
    }
    await classifier?.dispose();
    return null;
}
async function create(options, accelerator) {
    const entry = choose(options);
    const { assets } = options;
    const [model, policy] = await Promise.all([
        load(assets, entry.file, entry),
        load(assets, 'policy.json', manifest.files['policy.json']).then((bytes) => parse(bytes)),
    ]);
    const { open } = await OPENERS[entry.runtime]();
    const wasm = options.wasm ?? inside(assets, 'wasm/');
    const size = manifest.preprocessing.size;
    const network = await open({ model, entry, size, accelerator, runtime: manifest.runtimes[entry.runtime], wasm });
    return new Loaded(entry, accelerator, policy, network, assets);
}
class Loaded {
    model;
    accelerator;
    policy;
    #assets;
    #network;
    #last = Promise.resolve();
    constructor(model, accelerator, policy, network, assets) {
        this.model = model;
        this.accelerator = accelerator;
        this.policy = policy;
        this.#network = network;
        this.#assets = assets;
    }
    classify(input) {
        return this.#queue((network) => this.#classify(network, input));
    }
    async selfTest() {
        const golden = parse(await load(this.#assets, 'golden.json', manifest.files['golden.json']));
        const decision = (logits) => decide(softmax(logits)[manifest.melanoma], this.model, this.policy).decision;
        return check(golden, this.model, decision, (image) => this.#queue((network) => this.#answer(network, image)));
    }
    async dispose() {
        const network = this.#network;
        this.#network = null;
        await this.#last.catch(() => undefined);
        await network?.dispose();
    }
    /** One image at a time: the runtimes hold one set of tensors. */
    #queue(step) {
        const next = this.#last.catch(() => undefined).then(() => {
            if (!this.#network)
                throw new ClassifierError('usage', 'this classifier was disposed: create another one');
            return step(this.#network);
        });
        this.#last = next;
        return next;
    }
    async #classify(network, input) {
        const { pixels, logits, heatMap, timings } = await this.#answer(network, input);
        const probability = softmax(logits)[manifest.melanoma];
        const quality = assess(pixels, manifest.preprocessing.size, this.policy.capture);
        return { probability, ...decide(probability, this.model, this.policy), quality, heatMap, logits, timings };
    }
    async #answer(network, input) {
        const { size } = manifest.preprocessing;
        const started = performance.now();
        const square = await centredSquare(input);
        const decoded = performance.now();
        const pixels = resizeSquare(square.rgb, square.side, size);
        const normalised = normalise(pixels);
        const prepared = performance.now();
        const { logits, heatMap } = await network.run(normalised);
        const ended = performance.now();
        const timings = {
            decode: decoded - started,
            prepare: prepared - decoded,
            network: ended - prepared,
            total: ended - started,
        };
        return { pixels, logits, heatMap, timings };
    }
}
function choose({ runtime, model }) {
    const fitting = models.filter((m) => (!runtime || m.runtime === runtime) && (!model || m.id === model));
    if (fitting[0])
        return fitting[0];
    const known = models.map((m) => `${m.id} (${m.runtime})`).join(', ');
    throw new ClassifierError('usage', `no model ${model ?? ''} for runtime ${runtime ?? 'of any name'}: known are ${known}`);
}
/** uint8 RGB to `(pixel - mean) / std`, in float32 as Python computes it. */
function normalise(pixels) {
    const { mean, std } = manifest.preprocessing;
    const result = new Float32Array(pixels.length);
    for (let i = 0; i < pixels.length; i++) {
        const channel = i % 3;
        result[i] = Math.fround(Math.fround(pixels[i] - Math.fround(mean[channel])) / Math.fround(std[channel]));
    }
    return result;
}
function inside(assets, folder) {
    if (typeof assets === 'function')
        return (name) => assets(folder + name);
    const base = String(assets);
    return new URL(folder, new URL(base.endsWith('/') ? base : `${base}/`, globalThis.document?.baseURI));
}
function parse(bytes) {
    return JSON.parse(new TextDecoder().decode(bytes));
}

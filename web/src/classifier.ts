/** The network in the browser: pixels as Python makes them, the policy's advice, and nothing leaves the device. */
import { centredSquare, type ImageInput } from './decode.js';
import { ClassifierError } from './errors.js';
import { load, type Assets } from './integrity.js';
import { manifest } from './manifest.js';
import type { ModelEntry, RuntimeName } from './manifest-types.js';
import { decide, softmax, type Policy, type Tier } from './policy.js';
import { assess, type Quality } from './quality.js';
import { resizeSquare } from './resize.js';
import type { Accelerator, Grid, Network, Opening } from './runtimes/runtime.js';
import { check, type Golden, type SelfTest } from './self-test.js';

export interface Options {
  /** The folder that the package's `assets` were copied to, or a function that gives a named file's bytes. */
  readonly assets: Assets;
  /** The folder of the runtime's wasm files. Default: `wasm/` in `assets`. */
  readonly wasm?: Assets;
  /** Default: the runtime of the first of `models`. */
  readonly runtime?: RuntimeName;
  /**
   * Default: `wasm`. `webgpu` takes LiteRT.js's float model and is kept only where this device decides as Python does on
   * the package's own images; anywhere else it is `wasm` again: see `Classifier.accelerator`.
   */
  readonly accelerator?: Accelerator;
  /** A model's id, as listed in `models`. Default: the first of the runtime. */
  readonly model?: string;
}

export interface Timings {
  /** Milliseconds: decoding and cutting, resizing and normalising, the network, and all of it. */
  readonly decode: number;
  readonly prepare: number;
  readonly network: number;
  readonly total: number;
}

export interface Classification {
  /** Of melanoma, 0 to 1. */
  readonly probability: number;
  readonly decision: 'melanoma' | 'other';
  /** The policy's advice for this probability, or for doubt. */
  readonly tier: Tier;
  /** Whether the network is too unsure for its decision to count; the tier then holds the words of doubt. */
  readonly uncertain: boolean;
  /** Of the probability, in nats: what `uncertain` goes by. */
  readonly entropy: number;
  /** What the photograph lacks, judged without the network. */
  readonly quality: Quality;
  /** Where the network saw melanoma, `[height, width]`; null when the model has no such output. */
  readonly heatMap: Grid | null;
  readonly logits: Float32Array;
  readonly timings: Timings;
}

export interface Classifier {
  /** The model that runs. */
  readonly model: ModelEntry;
  readonly accelerator: Accelerator;
  readonly policy: Policy;
  /** Throws ClassifierError: `image` for an input that cannot be used, `usage` after dispose(). */
  classify(input: ImageInput): Promise<Classification>;
  /** Classify the package's own images and compare every step with what Python computed in the build. */
  selfTest(): Promise<SelfTest>;
  /** Free the network's memory. */
  dispose(): Promise<void>;
}

const OPENERS: Record<RuntimeName, () => Promise<{ open(opening: Opening): Promise<Network> }>> = {
  litert: () => import('./runtimes/litert.js'),
  onnxruntime: () => import('./runtimes/onnxruntime.js'),
};

/** The models of this package, the fastest in the build's browser first: it is the default. */
export const models: readonly ModelEntry[] = manifest.models;

/** Load the network. Every file is checked against the manifest first. Throws ClassifierError. */
export async function createClassifier(options: Options): Promise<Classifier> {
  if (options.accelerator !== 'webgpu') return create(options, 'wasm');
  return (await onGpu(options)) ?? create(options, 'wasm');
}

/** The float model on the GPU; null where there is none, where it cannot run this network, or decides otherwise. */
async function onGpu(options: Options): Promise<Classifier | null> {
  let classifier: Classifier | null = null;
  try {
    const { runtime = 'litert', model = 'litert-float32' } = options;
    classifier = await create({ ...options, runtime, model }, 'webgpu');
    if ((await classifier.selfTest()).decisionsEqual) return classifier;
  } catch (error) {
    if (!(error instanceof ClassifierError && error.code === 'runtime')) throw error;
  }
  await classifier?.dispose();
  return null;
}

async function create(options: Options, accelerator: Accelerator): Promise<Classifier> {
  const entry = choose(options);
  const { assets } = options;
  const [model, policy] = await Promise.all([
    load(assets, entry.file, entry),
    load(assets, 'policy.json', manifest.files['policy.json']).then((bytes) => parse<Policy>(bytes)),
  ]);
  const { open } = await OPENERS[entry.runtime]();
  const wasm = options.wasm ?? inside(assets, 'wasm/');
  const size = manifest.preprocessing.size;
  const network = await open({ model, entry, size, accelerator, runtime: manifest.runtimes[entry.runtime], wasm });
  return new Loaded(entry, accelerator, policy, network, assets);
}

class Loaded implements Classifier {
  readonly model: ModelEntry;
  readonly accelerator: Accelerator;
  readonly policy: Policy;
  readonly #assets: Assets;
  #network: Network | null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(model: ModelEntry, accelerator: Accelerator, policy: Policy, network: Network, assets: Assets) {
    this.model = model;
    this.accelerator = accelerator;
    this.policy = policy;
    this.#network = network;
    this.#assets = assets;
  }

  classify(input: ImageInput): Promise<Classification> {
    return this.#queue((network) => this.#classify(network, input));
  }

  async selfTest(): Promise<SelfTest> {
    const golden = parse<Golden>(await load(this.#assets, 'golden.json', manifest.files['golden.json']));
    const decision = (logits: ArrayLike<number>) =>
      decide(softmax(logits)[manifest.melanoma]!, this.model, this.policy).decision;
    return check(golden, this.model, decision, (image) => this.#queue((network) => this.#answer(network, image)));
  }

  async dispose(): Promise<void> {
    const network = this.#network;
    this.#network = null;
    await this.#last.catch(() => undefined);
    await network?.dispose();
  }

  /** One image at a time: the runtimes hold one set of tensors. */
  #queue<T>(step: (network: Network) => Promise<T>): Promise<T> {
    const next = this.#last.catch(() => undefined).then(() => {
      if (!this.#network) throw new ClassifierError('usage', 'this classifier was disposed: create another one');
      return step(this.#network);
    });
    this.#last = next;
    return next;
  }

  async #classify(network: Network, input: ImageInput): Promise<Classification> {
    const { pixels, logits, heatMap, timings } = await this.#answer(network, input);
    const probability = softmax(logits)[manifest.melanoma]!;
    const quality = assess(pixels, manifest.preprocessing.size, this.policy.capture);
    return { probability, ...decide(probability, this.model, this.policy), quality, heatMap, logits, timings };
  }

  async #answer(network: Network, input: ImageInput) {
    const { size } = manifest.preprocessing;
    const started = performance.now();
    const square = await centredSquare(input);
    const decoded = performance.now();
    const pixels = resizeSquare(square.rgb, square.side, size);
    const normalised = normalise(pixels);
    const prepared = performance.now();
    const { logits, heatMap } = await network.run(normalised);
    const ended = performance.now();
    const timings: Timings = {
      decode: decoded - started,
      prepare: prepared - decoded,
      network: ended - prepared,
      total: ended - started,
    };
    return { pixels, logits, heatMap, timings };
  }
}

function choose({ runtime, model }: Options): ModelEntry {
  const fitting = models.filter((m) => (!runtime || m.runtime === runtime) && (!model || m.id === model));
  if (fitting[0]) return fitting[0];
  const known = models.map((m) => `${m.id} (${m.runtime})`).join(', ');
  throw new ClassifierError('usage', `no model ${model ?? ''} for runtime ${runtime ?? 'of any name'}: known are ${known}`);
}

/** uint8 RGB to `(pixel - mean) / std`, in float32 as Python computes it. */
function normalise(pixels: Uint8Array): Float32Array {
  const { mean, std } = manifest.preprocessing;
  const result = new Float32Array(pixels.length);
  for (let i = 0; i < pixels.length; i++) {
    const channel = i % 3;
    result[i] = Math.fround(Math.fround(pixels[i]! - Math.fround(mean[channel]!)) / Math.fround(std[channel]!));
  }
  return result;
}

function inside(assets: Assets, folder: string): Assets {
  if (typeof assets === 'function') return (name) => assets(folder + name);
  const base = String(assets);
  return new URL(folder, new URL(base.endsWith('/') ? base : `${base}/`, globalThis.document?.baseURI));
}

function parse<T>(bytes: Uint8Array): T {
  return JSON.parse(new TextDecoder().decode(bytes)) as T;
}

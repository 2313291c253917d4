/** The demo page: one photograph in, the policy's advice out, nothing sent anywhere. */
import { createClassifier, ClassifierError, type Classification, type Classifier, type ImageInput } from '../src/index.js';
import { centredSquare } from '../src/decode.js';
import { manifest } from '../src/manifest.js';
import { adviceFor } from './words.js';
import * as camera from './camera.js';
import { embedded } from './embedded.js';
import { heat } from './heat.js';

const byId = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
const video = byId<HTMLVideoElement>('video');
let classifier: Classifier | undefined;

async function main(): Promise<void> {
  facts();
  listen();
  const started = performance.now();
  try {
    classifier = await createClassifier({ assets: embedded() ?? 'assets/' });
    say(`Ready: ${classifier.model.id} loaded in ${Math.round(performance.now() - started)} ms.`);
  } catch (error) {
    complain(error);
  }
  if ('serviceWorker' in navigator && location.protocol !== 'file:' && !embedded()) {
    await navigator.serviceWorker.register('sw.js').catch(() => undefined); // without it the page is only not offline
  }
}

function listen(): void {
  byId<HTMLInputElement>('file').addEventListener('change', ({ target }) => {
    const [file] = (target as HTMLInputElement).files ?? [];
    if (file) void look(file);
  });
  const drop = byId('drop');
  for (const type of ['dragenter', 'dragover'] as const) {
    drop.addEventListener(type, (event) => {
      event.preventDefault();
      drop.classList.add('over');
    });
  }
  drop.addEventListener('dragleave', () => drop.classList.remove('over'));
  drop.addEventListener('drop', (event) => {
    event.preventDefault();
    drop.classList.remove('over');
    const file = event.dataTransfer?.files[0];
    if (file) void look(file);
  });
  byId('camera').addEventListener('click', () => void openCamera());
  byId('shoot').addEventListener('click', () => {
    const shot = camera.frame(video);
    closeCamera();
    void look(shot);
  });
  byId('stop').addEventListener('click', closeCamera);
  byId('self-test').addEventListener('click', () => void test());
  byId<HTMLInputElement>('show-map').addEventListener('change', ({ target }) => {
    byId('map').hidden = !(target as HTMLInputElement).checked;
  });
}

async function openCamera(): Promise<void> {
  try {
    await camera.start(video);
    byId('viewfinder').hidden = false;
    byId('shoot').focus();
  } catch (error) {
    complain(new Error(`The camera cannot be used (${error instanceof Error ? error.message : error}): choose a file.`));
  }
}

function closeCamera(): void {
  camera.stop(video);
  byId('viewfinder').hidden = true;
  byId('camera').focus();
}

async function look(input: ImageInput): Promise<void> {
  if (!classifier) return complain(new Error('The network is not loaded.'));
  byId('error').textContent = '';
  say('Looking.');
  try {
    const result = await classifier.classify(input);
    await show(input, result);
    say(`${result.tier.title}. Probability of melanoma by the network: ${percent(result.probability)}.`);
  } catch (error) {
    byId('result').hidden = true;
    complain(error);
  }
}

async function show(input: ImageInput, result: Classification): Promise<void> {
  const { rgb, side } = await centredSquare(input);
  const canvas = byId<HTMLCanvasElement>('image');
  canvas.width = canvas.height = side;
  const image = new ImageData(side, side);
  for (let i = 0; i < side * side; i++) image.data.set([rgb[3 * i]!, rgb[3 * i + 1]!, rgb[3 * i + 2]!, 255], 4 * i);
  canvas.getContext('2d')!.putImageData(image, 0, 0);
  byId('map-choice').hidden = !result.heatMap;
  if (result.heatMap) heat(byId<HTMLCanvasElement>('map'), result.heatMap);
  byId('map').hidden = !result.heatMap || !byId<HTMLInputElement>('show-map').checked;
  byId('tier').textContent = result.tier.title;
  byId('advice').textContent = result.tier.advice;
  byId('doubt').hidden = !result.uncertain;
  byId<HTMLMeterElement>('probability').value = result.probability;
  byId('percent').textContent = percent(result.probability);
  byId('capture').replaceChildren(...adviceFor(result.quality, classifier!.policy).map(item));
  const { decode, prepare, network, total } = result.timings;
  byId('timings').textContent =
    `${total.toFixed(0)} ms on this device: ${decode.toFixed(0)} to decode, ${prepare.toFixed(0)} to resize, ` +
    `${network.toFixed(1)} in the network.`;
  byId('result').hidden = false;
  byId('result').focus();
}

async function test(): Promise<void> {
  if (!classifier) return;
  const { passed, images } = await classifier.selfTest();
  const worst = Math.max(...images.map((image) => image.difference));
  byId('tested').textContent = passed
    ? `Passed: ${images.length} images, every pixel as in the build, logits within ${worst.toExponential(0)}.`
    : `Failed on ${images.filter((image) => !image.passed).length} of ${images.length}: do not trust this page here.`;
}

function facts(): void {
  const [model] = manifest.models;
  const rows = [
    ['Network', manifest.name],
    ['File', `${model!.file.split('/').pop()}, ${(model!.bytes / 1e6).toFixed(2)} MB`],
    ['Runtime', `${manifest.runtimes[model!.runtime].package} ${manifest.runtimes[model!.runtime].version}`],
    ['Made by', manifest.generator],
  ];
  byId('facts').replaceChildren(
    ...rows.flatMap(([name, value]) => [element('dt', name!), element('dd', value!)]),
  );
}

function say(text: string): void {
  byId('status').textContent = text;
}

function complain(error: unknown): void {
  say('');
  const code = error instanceof ClassifierError && error.code === 'integrity' ? 'This page is damaged: ' : '';
  byId('error').textContent = code + (error instanceof Error ? error.message : String(error));
}

function percent(probability: number): string {
  return `${(100 * probability).toFixed(1)} %`;
}

function item(text: string): HTMLElement {
  return element('li', text);
}

function element(name: string, text: string): HTMLElement {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

void main();

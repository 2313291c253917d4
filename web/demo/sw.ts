/** Keeps every file of the page, so that it works without a network after the first visit. */
declare const self: ServiceWorkerGlobalScope;

const CACHE = 'melanoma-edge-FINGERPRINT'; // replaced when the page is assembled: another build, another cache
const FILES: readonly string[] = ['FILES'];

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll([...FILES])));
});

self.addEventListener('activate', (event) => {
  event.waitUntil(
    caches.keys().then((names) =>
      Promise.all(names.filter((n) => n.startsWith('melanoma-edge-') && n !== CACHE).map((n) => caches.delete(n))),
    ),
  );
});

self.addEventListener('fetch', (event) => {
  event.respondWith(caches.match(event.request, { ignoreSearch: true }).then((kept) => kept ?? fetch(event.request)));
});

// demo/sw.ts
var e = "melanoma-edge-FINGERPRINT", t = ["FILES"];
self.addEventListener("install", (n) => {
	n.waitUntil(caches.open(e).then((e) => e.addAll([...t])));
}), self.addEventListener("activate", (t) => {
	t.waitUntil(caches.keys().then((t) => Promise.all(t.filter((t) => t.startsWith("melanoma-edge-") && t !== e).map((e) => caches.delete(e)))));
}), self.addEventListener("fetch", (e) => {
	e.respondWith(caches.match(e.request, { ignoreSearch: !0 }).then((t) => t ?? fetch(e.request)));
});

import { manifest as e } from "./manifest.js";
// \0rolldown/runtime.js
var t = Object.defineProperty, n = (e, t, n) => () => {
	if (n) throw n[0];
	try {
		return e && (t = e(e = 0)), t;
	} catch (e) {
		throw n = [e], e;
	}
}, r = (e, n) => {
	let r = {};
	for (var i in e) t(r, i, {
		get: e[i],
		enumerable: !0
	});
	return n || t(r, Symbol.toStringTag, { value: "Module" }), r;
}, i, a = n((() => {
	i = class extends Error {
		code;
		constructor(e, t, n) {
			super(t, n), this.name = "ClassifierError", this.code = e;
		}
	};
}));
// src/resize.ts
a();
var o = 22, s = 1 << 21;
function c(e, t, n) {
	if (t === n) return e.slice();
	let r = l(t, n);
	return f(d(e, t, n, r), n, r);
}
function l(e, t) {
	let n = e / t, r = Math.max(n, 1), i = Math.ceil(r) * 2 + 1, a = new Int32Array(t), s = new Int32Array(t), c = new Int32Array(t * i);
	for (let l = 0; l < t; l++) {
		let t = (l + .5) * n, d = Math.max(Math.trunc(t - r + .5), 0), f = Math.min(Math.trunc(t + r + .5), e), p = Array.from({ length: f - d }, (e, n) => u((n + d - t + .5) * (1 / r))), m = p.reduce((e, t) => e + t, 0);
		a[l] = d, s[l] = f - d, p.forEach((e, t) => c[l * i + t] = Math.trunc(.5 + e / m * (1 << o)));
	}
	return {
		first: a,
		count: s,
		values: c,
		widest: i
	};
}
function u(e) {
	return Math.max(1 - Math.abs(e), 0);
}
function d(e, t, n, r) {
	let { first: i, count: a, values: o, widest: c } = r, l = new Uint8Array(t * n * 3);
	for (let r = 0, u = 0; r < t; r++) for (let d = 0; d < n; d++) {
		let n = s, f = s, m = s, h = (r * t + i[d]) * 3;
		for (let t = d * c, r = t + a[d]; t < r; t++, h += 3) {
			let r = o[t];
			n += e[h] * r, f += e[h + 1] * r, m += e[h + 2] * r;
		}
		l[u++] = p(n), l[u++] = p(f), l[u++] = p(m);
	}
	return l;
}
function f(e, t, n) {
	let { first: r, count: i, values: a, widest: o } = n, c = t * 3, l = new Uint8Array(t * c);
	for (let n = 0; n < t; n++) for (let t = 0; t < c; t++) {
		let u = s, d = r[n] * c + t;
		for (let t = n * o, r = t + i[n]; t < r; t++, d += c) u += e[d] * a[t];
		l[n * c + t] = p(u);
	}
	return l;
}
function p(e) {
	return Math.min(Math.max(e >> o, 0), 255);
}
var m = 2e4, h = 89478485, ee = {
	colorSpaceConversion: "none",
	imageOrientation: "from-image",
	premultiplyAlpha: "none"
};
async function te(e) {
	if (e instanceof ImageData) return re(e, e.width, e.height);
	let t = await ne(e);
	try {
		let { side: e, left: n, top: r } = g(t.width, t.height), a = new OffscreenCanvas(e, e).getContext("2d", {
			willReadFrequently: !0,
			colorSpace: "srgb"
		});
		if (!a) throw new i("image", "the browser gives no 2d canvas to read pixels from");
		return a.drawImage(t, -n, -r), _(a.getImageData(0, 0, e, e).data, e);
	} finally {
		t !== e && t.close();
	}
}
async function ne(e) {
	if (e instanceof ImageBitmap) return e;
	e instanceof HTMLImageElement && !e.complete && await e.decode().catch(() => void 0);
	try {
		return await createImageBitmap(e, ee);
	} catch (t) {
		let n = e instanceof Blob ? `${e.size} bytes of type "${e.type}"` : "this element";
		throw new i("image", `${n} cannot be decoded: a whole JPEG, PNG or WebP image is accepted`, { cause: t });
	}
}
function g(e, t) {
	let n = Math.min(e, t);
	if (n < 8 || Math.max(e, t) > 2e4 || e * t > 89478485) throw new i("image", `the image has ${e} x ${t} pixels: sides from 8 to ${m} and at most ${h} pixels in all are accepted`);
	return {
		side: n,
		left: e - n >> 1,
		top: t - n >> 1
	};
}
function re(e, t, n) {
	let { side: r, left: i, top: a } = g(t, n), o = new Uint8ClampedArray(r * r * 4);
	for (let n = 0; n < r; n++) {
		let s = ((a + n) * t + i) * 4;
		o.set(e.data.subarray(s, s + r * 4), n * r * 4);
	}
	return _(o, r);
}
function _(e, t) {
	let n = new Uint8Array(t * t * 3), r = 255;
	for (let t = 0, i = 0; t < e.length; t += 4, i += 3) n[i] = e[t], n[i + 1] = e[t + 1], n[i + 2] = e[t + 2], r &= e[t + 3];
	if (r !== 255) throw new i("image", "the image has transparent pixels: an opaque one is accepted");
	return {
		rgb: n,
		side: t
	};
}
// src/integrity.ts
async function v(e, t, n) {
	let r = await (typeof e == "function" ? e(t) : oe(ae(e, t))), a = await ie(r);
	if (a !== n.sha256) throw new i("integrity", `${t} is not the file that was built: its sha256 is ${a}, the manifest says ${n.sha256}. Copy the assets of this very package version again, and let no server rewrite them.`);
	return new Uint8Array(r);
}
async function ie(e) {
	if (!globalThis.crypto?.subtle) throw new i("usage", "Web Crypto is missing: serve the page over https, from localhost, or from disk.");
	let t = new Uint8Array(await crypto.subtle.digest("SHA-256", e));
	return Array.from(t, (e) => e.toString(16).padStart(2, "0")).join("");
}
function ae(e, t) {
	let n = new URL(e, globalThis.document?.baseURI);
	return n.pathname.endsWith("/") || (n.pathname += "/"), new URL(t, n);
}
async function oe(e) {
	let t;
	try {
		t = await fetch(e);
	} catch (t) {
		throw new i("fetch", `${e} could not be fetched: is \`assets\` the folder that they were copied to?`, { cause: t });
	}
	if (!t.ok) throw new i("fetch", `${e} answered ${t.status}: is \`assets\` the folder they were copied to?`);
	return t.arrayBuffer();
}
var y = n((() => {
	a();
}));
y(), a();
function se(e) {
	let t = Array.from(e), n = Math.max(...t), r = t.map((e) => Math.exp(e - n)), i = r.reduce((e, t) => e + t, 0);
	return r.map((e) => e / i);
}
function ce(e) {
	let t = (e) => e === 0 ? 0 : -e * Math.log(e);
	return Math.min(t(e) + t(1 - e), Math.LN2);
}
function le(e, t, n) {
	let r = ue(n, t), i = ce(e), a = !(i <= r.rejection_threshold), o = n.tiers[Math.max(r.bounds.findLastIndex((t) => e >= t), 0)];
	return {
		decision: e >= r.threshold ? "melanoma" : "other",
		tier: a ? {
			...o,
			...n.uncertain
		} : o,
		uncertain: a,
		entropy: i
	};
}
function ue(e, t) {
	let n = t.file.split("/").at(-1), r = e.artifacts.find((e) => e.name === n);
	if (!r) throw new i("usage", `policy.json says nothing of ${n}: take the assets of one build`);
	return r;
}
// src/quality.ts
var de = 32, fe = 8, pe = 15, me = 250, he = {
	area: 0,
	contrast: 0,
	offset: 0,
	cut: 0
};
function ge(e, t, n) {
	let r = _e(e, t);
	return {
		measures: r,
		advice: n ? ve(r, n) : []
	};
}
function _e(e, t) {
	let n = t * t, r = new Int32Array(n), [i, a, o] = [
		0,
		0,
		0
	];
	for (let t = 0; t < n; t++) {
		let [n, s, c] = [
			e[3 * t],
			e[3 * t + 1],
			e[3 * t + 2]
		], l = 77 * n + 150 * s + 29 * c + 128 >> 8;
		r[t] = l, i += l, l <= pe && a++, Math.max(n, s, c) >= me && o++;
	}
	return {
		focus: ye(r, t),
		luminance: i / n,
		shadows: a / n,
		highlights: o / n,
		...xe(be(e, t))
	};
}
function ve(e, { limits: t, advice: n }) {
	let r = e.contrast < t.min_contrast || e.area < t.min_area, i = {
		blurred: e.focus < t.min_focus,
		too_dark: e.luminance < t.min_luminance || e.shadows > t.max_shadows,
		too_bright: e.luminance > t.max_luminance || e.highlights > t.max_highlights,
		no_lesion: r,
		lesion_cut: !r && e.cut > t.max_cut,
		off_centre: !r && e.offset > t.max_offset
	};
	return Object.keys(n).filter((e) => i[e]);
}
function ye(e, t) {
	let n = Math.max(1, Math.floor((t + 80) / 160)), [r, i] = [0, 0];
	for (let a = n; a < t - n; a++) for (let o = a * t + n, s = a * t + t - n; o < s; o++) {
		let a = 4 * e[o] - e[o - n * t] - e[o + n * t] - e[o - n] - e[o + n];
		r += a * a, i++;
	}
	return i ? r / i : 0;
}
function be(e, t) {
	let n = Math.min(de, t), r = Array.from({ length: n + 1 }, (e, r) => Math.floor(r * t / n)), i = new Int32Array(n * n);
	for (let a = 0; a < n; a++) for (let o = 0; o < n; o++) {
		let [s, c, l, u] = [
			r[a],
			r[a + 1],
			r[o],
			r[o + 1]
		], d = 0;
		for (let n = s; n < c; n++) for (let r = l; r < u; r++) d += e[(n * t + r) * 3 + 2];
		let f = (c - s) * (u - l);
		i[a * n + o] = Math.floor((2 * d + f) / (2 * f));
	}
	return {
		values: i,
		side: n
	};
}
function xe({ values: e, side: t }) {
	let { disc: n, ring: r, ringCells: i, discCells: a } = Se(t), o = we(e, n);
	if (o === null) return he;
	let s = Te(t, n, (t) => e[t] <= o), [c, l, u, d, f, p, m, h] = [
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		0
	];
	for (let i = 0; i < e.length; i++) if (n[i]) {
		if (s[i]) {
			let [n, a] = b(i, t);
			c++, u += e[i], f += a, p += n, r[i] && (m += a, h += n);
		} else e[i] > o && (l++, d += e[i]);
	}
	return {
		area: c / a,
		contrast: (d * c - u * l) / (c * l),
		offset: Math.sqrt(f * f + p * p) / (c * t),
		cut: Math.sqrt(m * m + h * h) / (i * t)
	};
}
function b(e, t) {
	return [2 * Math.floor(e / t) + 1 - t, e % t * 2 + 1 - t];
}
function Se(e) {
	let t = Uint8Array.from({ length: e * e }, (t, n) => {
		let [r, i] = b(n, e);
		return +(r * r + i * i <= e * e);
	}), n = t.map((n, r) => n && Ce(r, e).some((e) => e < 0 || !t[e]) ? 1 : 0), r = (e) => e.reduce((e, t) => e + t, 0);
	return {
		disc: t,
		ring: n,
		discCells: r(t),
		ringCells: r(n)
	};
}
function Ce(e, t) {
	let n = e % t;
	return [
		e >= t ? e - t : -1,
		e < t * (t - 1) ? e + t : -1,
		n ? e - 1 : -1,
		n < t - 1 ? e + 1 : -1
	];
}
function we(e, t) {
	let n = /* @__PURE__ */ new Int32Array(256), [r, i] = [0, 0];
	e.forEach((e, a) => {
		t[a] && (n[e]++, r++, i += e);
	});
	let [a, o] = [-1, -1];
	for (let e = 0, t = 0, s = 0; e < 255; e++) {
		t += n[e], s += n[e] * e;
		let c = r - t;
		if (!t || !c) continue;
		let l = s * c - (i - s) * t, u = l * l / (t * c);
		u > o && ([a, o] = [e, u]);
	}
	return a < 0 ? null : a;
}
function Te(e, t, n) {
	let r = new Uint8Array(e * e), [i, a] = [new Uint8Array(e * e), 0];
	for (let o = 0; o < r.length; o++) {
		if (r[o] || !t[o] || !n(o)) continue;
		let s = new Uint8Array(e * e), c = [o], l = 0;
		r[o] = 1;
		for (let i = c.pop(); i !== void 0; i = c.pop()) {
			let [a, o] = b(i, e);
			s[i] = 1, l += 4 * (a * a + o * o) <= e * e ? fe : 1;
			for (let a of Ce(i, e)) a < 0 || r[a] || !t[a] || !n(a) || (r[a] = 1, c.push(a));
		}
		l > a && ([i, a] = [s, l]);
	}
	return i;
}
// src/self-test.ts
async function Ee(e, t, n) {
	let r = [];
	for (let i of e.images) {
		let a = Uint8Array.from(atob(i.data), (e) => e.charCodeAt(0)), { pixels: o, logits: s } = await n(new Blob([a], { type: i.type })), c = await ie(o.slice()) === i.pixels_sha256, l = i.logits[t.id] ?? [], u = Math.max(...l.map((e, t) => Math.abs(e - (s[t] ?? NaN)))), d = c && l.length === s.length && u <= (e.tolerance[t.id] ?? 0);
		r.push({
			name: i.name,
			pixelsEqual: c,
			difference: u,
			passed: d
		});
	}
	return {
		passed: r.length > 0 && r.every((e) => e.passed),
		images: r
	};
}
// node_modules/@litertjs/wasm-utils/dist/index.js
async function x(e) {
	if (typeof importScripts == "function") importScripts(e.toString());
	else {
		let t = document.createElement("script");
		return t.src = e.toString(), t.crossOrigin = "anonymous", new Promise((e, n) => {
			t.addEventListener("load", () => {
				e();
			}, !1), t.addEventListener("error", (e) => {
				n(e);
			}, !1), document.body.appendChild(t);
		});
	}
}
var S, De = n((() => {
	S = async (e, t, n, r, i) => {
		if (t && await x(t), !self.ModuleFactory || n && (await x(n), !self.ModuleFactory)) throw Error("ModuleFactory not set.");
		if (self.Module && i) {
			let e = self.Module;
			e.locateFile = i.locateFile, i.mainScriptUrlOrBlob && (e.mainScriptUrlOrBlob = i.mainScriptUrlOrBlob);
		}
		let a = await self.ModuleFactory(self.Module || i);
		return self.ModuleFactory = self.Module = void 0, new e(a, r);
	};
}));
// node_modules/@litertjs/core/dist/index.js
function C(e) {
	for (let t of et) if (t.dtype === e || t.typedArrayConstructor === e || e instanceof t.typedArrayConstructor || t.elementType === e) return t;
	throw typeof e == "string" ? Error(`DType ${e} is not supported.`) : e instanceof Object ? Error(`Typed array ${"name" in e ? e.name : e.constructor.name} is not supported.`) : Error(`Element type ${I[e] ?? e} is not supported.`);
}
function w() {
	if (!z) throw new tt();
	return z;
}
function Oe(e) {
	z = e;
}
function ke() {
	return B;
}
function Ae() {
	return !!B;
}
function T(e) {
	B = e;
}
async function je() {
	let e = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
	if (!e) throw Error("No GPU adapter found.");
	let t = {
		maxBufferSize: e.limits.maxBufferSize,
		maxStorageBufferBindingSize: e.limits.maxStorageBufferBindingSize,
		maxStorageBuffersPerShaderStage: e.limits.maxStorageBuffersPerShaderStage,
		maxTextureDimension2D: e.limits.maxTextureDimension2D
	}, n = [];
	for (let t of it) e.features.has(t) && n.push(t);
	return await e.requestDevice({
		requiredFeatures: n,
		requiredLimits: t
	});
}
function E(e) {
	let t = Array(e.size());
	for (let n = 0; n < e.size(); ++n) t[n] = e.get(n);
	return e.delete(), t;
}
function D(e, t) {
	for (let n of e) t.push_back(n);
}
function Me(e) {
	let t = e.shift();
	if (t instanceof w().liteRtWasm.LiteRtTensorBuffer) return { liteRtTensorBuffer: t };
	if (ArrayBuffer.isView(t)) return { typedArray: t };
	if (t instanceof GPUBuffer) return { gpuBuffer: t };
	throw Error(`Unknown type (${t?.constructor.name ?? t}) provided to create a Tensor`);
}
function Ne(e) {
	return Array.isArray(e[0]) || e[0] instanceof Int32Array ? { shape: e.shift() } : {};
}
function O(e) {
	for (; e.length > 0 && e[0] === void 0;) e.shift();
}
function Pe(e) {
	return O(e), typeof e[0] == "string" ? { dataType: C(e.shift()).dtype } : {};
}
function Fe(e) {
	return O(e), e[0] instanceof V ? { environment: e.shift() } : {};
}
function Ie(e) {
	return O(e), e[0] instanceof Function ? { onDelete: e.shift() } : {};
}
function Le(e) {
	return {
		...Me(e),
		...Ne(e),
		...Pe(e),
		...Fe(e),
		...Ie(e)
	};
}
function Re(e) {
	let t = e.tensorType(), n = t.elementType(), r = t.layout(), i = r.dimensions();
	return r.delete(), t.delete(), {
		dtype: C(n.value).dtype,
		layout: { dimensions: E(i) }
	};
}
function ze(e, t, n, r) {
	let i = w().liteRtWasm, a = new i.VectorInt32();
	D(t, a);
	let o = i.LiteRtLayout.create(a);
	a.delete();
	let s = i.LiteRtRankedTensorType.create({ value: C(n).elementType }, o);
	o.delete();
	let c = i.WebGPU.importJsBuffer(e), l = i.LiteRtTensorBuffer.createFromWebGpuBuffer(r.liteRtEnvironment, s, i.LiteRtTensorBufferType.WEB_GPU_BUFFER_PACKED, c, e.size);
	return s.delete(), [l, c];
}
function Be(e, t, n) {
	let r = w(), i = r.liteRtWasm;
	n ??= r.getDefaultEnvironment();
	let a = C(e).elementType, o = new i.VectorInt32();
	D(t ?? [e.length], o);
	let s = i.LiteRtLayout.create(o);
	o.delete();
	let c = s.numElements();
	if (e.length !== c) throw s.delete(), Error(`Number of elements ${e.length} of the provided TypedArray does not match the expected number of elements ${c}.`);
	let l = i.LiteRtRankedTensorType.create({ value: a }, s);
	s.delete();
	let u = e.constructor.BYTES_PER_ELEMENT * e.length, d = l.bytes();
	if (u !== d) throw l.delete(), Error(`Byte length ${u} of the provided TypedArray does not match the expected buffer size ${d}.`);
	let f = i.LiteRtTensorBuffer.createManaged(n.liteRtEnvironment, i.LiteRtTensorBufferType.HOST_MEMORY, l, u);
	l.delete();
	let p = f.lock(i.LiteRtTensorBufferLockMode.WRITE);
	try {
		let t = new Uint8Array(e.buffer, e.byteOffset, e.byteLength);
		i.HEAPU8.set(t, p);
	} finally {
		f.unlock();
	}
	return f;
}
function k(e, t, n, r) {
	let i = n.layout(), a = E(i.dimensions());
	i.delete();
	let o = new Set(E(r.supportedTypes()).map(({ value: e }) => e)), s = {
		name: e,
		index: t,
		dtype: C(n.elementType().value).dtype,
		shape: new Int32Array(a),
		supportedBufferTypes: o
	};
	return n.delete(), r.delete(), s;
}
async function Ve(e) {
	let t = await fetch(e);
	return new Uint8Array(await t.arrayBuffer());
}
async function He(e) {
	let t = 0, n = /* @__PURE__ */ new Uint8Array(1024), r = 2e9;
	for (;;) {
		let { done: i, value: a } = await e.read();
		if (a) {
			if (n.byteLength < t + a.byteLength) {
				if (t + a.byteLength > r) throw Error(`Model is too large (> ${r} bytes).`);
				let e = new Uint8Array(Math.min(r, Math.max(n.byteLength, a.byteLength) * 2));
				e.set(n), n = e;
			}
			n.set(a, t), t += a.byteLength;
		}
		if (i) break;
	}
	return n.slice(0, t);
}
function Ue(e = {}, t, n) {
	return {
		environment: t,
		accelerator: e.accelerator ?? (t.webGpuDevice ? "webgpu" : "wasm"),
		cpuOptions: e.cpuOptions ?? { numThreads: n },
		gpuOptions: e.gpuOptions ?? {},
		webNNOptions: e.webNNOptions ?? {}
	};
}
function A() {
	return "Suspending" in WebAssembly;
}
function We() {
	return typeof navigator < "u" && !!navigator.ml;
}
async function j(e) {
	try {
		return await WebAssembly.instantiate(e), { supported: !0 };
	} catch (e) {
		return {
			supported: !1,
			error: e
		};
	}
}
async function M(e) {
	let t = W[e]?.();
	if (!t) throw Error(`Unknown feature: ${e}`);
	return (await t).supported;
}
async function Ge(e) {
	let t = W[e]?.();
	if (!t) throw Error(`Unknown feature: ${e}`);
	let n = await t;
	if (!n.supported) throw n.error;
}
function Ke(e, t) {
	return w().loadAndCompile(e, t);
}
function qe(e) {
	return e;
}
function Je(e, t) {
	return e ? t ? (e.endsWith("/") ? e : e + "/") + (t.startsWith("/") ? t.substring(1) : t) : e : t;
}
async function Ye(e, t) {
	let n = qe(e), r = n.endsWith(".wasm") || n.endsWith(".js"), i = await M("relaxedSimd");
	if (t?.threads) {
		if (t?.jspi) throw Error("The `threads` and `jspi` options are mutually exclusive.");
		if (r && console.warn(`The \`threads\` option was specified, but the wasm path ${n} is a full file path. Whether threads are available or not will depend on the loaded file. To allow LiteRT.js to load the threaded wasm file, use a directory path instead of a full file path.`), !i) throw Error("Threads are only supported with relaxed SIMD, and the current browser does not support relaxed SIMD.");
		await Ge("threads");
	}
	t?.jspi && (r && console.warn(`The \`jspi\` option was specified, but the wasm path ${n} is a full file path. Whether JSPI is available or not will depend on the loaded file. To allow LiteRT.js to load the JSPI wasm file, use a directory path instead of a full file path.`), await Ge("jspi"));
	let a = ft;
	i && (a = t?.threads ? pt : t?.jspi ? mt : dt);
	let o = e;
	if (n.endsWith(".wasm")) throw Error("Please load the `.js` file corresponding to the `.wasm` file, or load the directory containing it.");
	return n.endsWith(".js") || (o = Je(e, a)), S(ut, o);
}
function Xe(e, t) {
	if (Ae()) throw Error("LiteRT is already loading / loaded.");
	return T(Ye(e, t).then(async (e) => (Oe(e), e.setDefaultEnvironment(await V.create()), e)).catch((e) => {
		throw T(void 0), e;
	})), ke();
}
async function N(e, t = {}) {
	let n = t.environment ?? e.environment, r = w().liteRtWasm, i = e.liteRtTensorBuffer;
	if (i.bufferType().value !== L.HOST_MEMORY) throw Error("Source tensor is not in host memory. Cannot copy to host memory.");
	let a = i.lock(r.LiteRtTensorBufferLockMode.READ), o;
	try {
		o = r.LiteRtTensorBuffer.createManaged(n.liteRtEnvironment, r.LiteRtTensorBufferType.HOST_MEMORY, i.tensorType(), i.size());
		let e = o.lock(r.LiteRtTensorBufferLockMode.WRITE);
		try {
			let t = new Uint8Array(r.HEAPU8.buffer, a, i.size());
			r.HEAPU8.set(t, e);
		} finally {
			o.unlock();
		}
	} finally {
		i.unlock();
	}
	if (!o) throw Error("Failed to create destination tensor buffer.");
	return new H(o, n);
}
async function Ze(e, t = {}) {
	let n = t.environment ?? e.environment, r = n.webGpuDevice;
	if (!r) throw Error("No WebGPU device is available. Did you forget to pass a destination environment that has a WebGPU device?");
	let i = w().liteRtWasm, a = e.liteRtTensorBuffer.size() + 3 & -4, o = r.createBuffer({
		size: a,
		usage: GPUBufferUsage.MAP_WRITE | GPUBufferUsage.COPY_SRC,
		mappedAtCreation: !0
	}), s = await o.getMappedRange(), c = new Uint8Array(s), l = e.liteRtTensorBuffer.lock(i.LiteRtTensorBufferLockMode.READ);
	try {
		let t = new Uint8Array(i.HEAPU8.buffer, l, e.liteRtTensorBuffer.size());
		c.set(t);
	} finally {
		e.liteRtTensorBuffer.unlock();
	}
	o.unmap();
	let u = r.createBuffer({
		size: a,
		usage: GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST | GPUBufferUsage.STORAGE
	}), d = r.createCommandEncoder();
	return d.copyBufferToBuffer(o, 0, u, 0, a), r.queue.submit([d.finish()]), o.destroy(), new H(u, e.type.layout.dimensions, e.type.dtype, n, () => {
		u.destroy();
	});
}
async function Qe(e, t = {}) {
	let n = t.environment ?? e.environment, r = e.environment.webGpuDevice;
	if (!r) throw Error("No WebGPU device is available. Does the source tensor have a WebGPU device?");
	let i = w().liteRtWasm, a = e.liteRtTensorBuffer, o = a.bufferType();
	if (o !== i.LiteRtTensorBufferType.WEB_GPU_BUFFER_PACKED) throw Error(`Cannot convert a tensor with a non-WebGPU buffer type ${o} to a CPU tensor.`);
	let s = i.WebGPU.getJsObject(a.getWebGpuBuffer()), c = a.offset(), l = a.tensorType(), u = l.layout(), d = u.numElements(), f = C(l.elementType().value).typedArrayConstructor;
	u.delete(), l.delete();
	let p = s, m = () => {};
	if (!(s.usage & GPUBufferUsage.MAP_READ)) {
		p = r.createBuffer({
			size: s.size,
			usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ
		}), m = () => {
			p.destroy();
		};
		let e = r.createCommandEncoder();
		e.copyBufferToBuffer(s, 0, p, 0, s.size), r.queue.submit([e.finish()]);
	}
	await p.mapAsync(GPUMapMode.READ);
	let h = new H(new f(p.getMappedRange(), c, d), e.type.layout.dimensions, n);
	return p.unmap(), m(), h;
}
function P(e) {
	return async (t, n) => {
		let r = await e(t, n);
		return t.delete(), r;
	};
}
function $e() {
	H.copyFunctions.set(L.HOST_MEMORY, /* @__PURE__ */ new Map([[L.HOST_MEMORY, {
		copyTo: N,
		moveTo: P(N)
	}], [L.WEB_GPU_BUFFER_PACKED, {
		copyTo: Ze,
		moveTo: P(Ze)
	}]])), H.copyFunctions.set(L.WEB_GPU_BUFFER_PACKED, /* @__PURE__ */ new Map([[L.HOST_MEMORY, {
		copyTo: Qe,
		moveTo: P(Qe)
	}]]));
}
var F, I, L, R, et, tt, z, B, nt, rt, it, V, H, at, ot, st, ct, lt, U, W, ut, dt, ft, pt, mt, ht = n((() => {
	De(), F = {
		NONE: 0,
		FLOAT32: 1,
		INT32: 2,
		UINT8: 3,
		INT64: 4,
		STRING: 5,
		BOOL: 6,
		INT16: 7,
		COMPLEX64: 8,
		INT8: 9,
		FLOAT16: 10,
		FLOAT64: 11,
		COMPLEX128: 12,
		UINT64: 13,
		RESOURCE: 14,
		VARIANT: 15,
		UINT32: 16,
		UINT16: 17,
		INT4: 18,
		BFLOAT16: 19
	}, I = {
		[F.NONE]: "NONE",
		[F.FLOAT32]: "FLOAT32",
		[F.INT32]: "INT32",
		[F.UINT8]: "UINT8",
		[F.INT64]: "INT64",
		[F.STRING]: "STRING",
		[F.BOOL]: "BOOL",
		[F.INT16]: "INT16",
		[F.COMPLEX64]: "COMPLEX64",
		[F.INT8]: "INT8",
		[F.FLOAT16]: "FLOAT16",
		[F.FLOAT64]: "FLOAT64",
		[F.COMPLEX128]: "COMPLEX128",
		[F.UINT64]: "UINT64",
		[F.RESOURCE]: "RESOURCE",
		[F.VARIANT]: "VARIANT",
		[F.UINT32]: "UINT32",
		[F.UINT16]: "UINT16",
		[F.INT4]: "INT4",
		[F.BFLOAT16]: "BFLOAT16"
	}, L = {
		HOST_MEMORY: 1,
		WEB_GPU_BUFFER: 20,
		WEB_GPU_BUFFER_FP16: 21,
		WEB_GPU_BUFFER_PACKED: 26
	}, R = {
		[L.HOST_MEMORY]: "HOST_MEMORY",
		[L.WEB_GPU_BUFFER]: "WEB_GPU_BUFFER",
		[L.WEB_GPU_BUFFER_FP16]: "WEB_GPU_BUFFER_FP16",
		[L.WEB_GPU_BUFFER_PACKED]: "WEB_GPU_BUFFER_PACKED"
	}, et = Object.freeze([
		{
			dtype: "float32",
			typedArrayConstructor: Float32Array,
			elementType: F.FLOAT32
		},
		{
			dtype: "int32",
			typedArrayConstructor: Int32Array,
			elementType: F.INT32
		},
		{
			dtype: "uint8",
			typedArrayConstructor: Uint8Array,
			elementType: F.UINT8
		}
	]), tt = class extends Error {
		constructor() {
			super("LiteRT is not initialized yet. Please call loadLiteRt() and wait for its promise to resolve to load the LiteRT WASM module.");
		}
	}, z = void 0, B = void 0, nt = {
		webgpu: L.WEB_GPU_BUFFER_PACKED,
		wasm: L.HOST_MEMORY
	}, rt = {
		[L.HOST_MEMORY]: "wasm",
		[L.WEB_GPU_BUFFER]: "webgpu",
		[L.WEB_GPU_BUFFER_FP16]: "webgpu",
		[L.WEB_GPU_BUFFER_PACKED]: "webgpu"
	}, it = ["shader-f16", "subgroups"], V = class e {
		constructor(e) {
			this.options = e, this.liteRtEnvironment = w().liteRtWasm.LiteRtEnvironment.create(e.webGpuDevice);
		}
		liteRtEnvironment;
		static async create(t = {}) {
			let n = null;
			if ("webGpuDevice" in t) t.webGpuDevice && (n = t.webGpuDevice);
			else try {
				n = await je();
			} catch (e) {
				console.warn("Failed to create default WebGPU device:", e);
			}
			return new e({
				...t,
				webGpuDevice: n
			});
		}
		get webGpuDevice() {
			return this.options.webGpuDevice;
		}
		delete() {
			this.liteRtEnvironment.delete();
		}
	}, H = class e {
		liteRtTensorBuffer;
		type;
		environment;
		deletedInternal = !1;
		onDelete;
		static copyFunctions = /* @__PURE__ */ new Map();
		constructor(e, t, n, r, i) {
			let { typedArray: a, gpuBuffer: o, liteRtTensorBuffer: s, shape: c, dataType: l, environment: u, onDelete: d } = Le([
				e,
				t,
				n,
				r,
				i
			]);
			if (this.onDelete = d, this.environment = u ?? w().getDefaultEnvironment(), s) {
				if (c) throw Error("A LiteRtTensorBuffer cannot be provided with a shape.");
				if (l) throw Error("A LiteRtTensorBuffer cannot be provided with a data type.");
				this.liteRtTensorBuffer = s;
			} else if (o) {
				if (!c) throw Error("A GPUBuffer must be provided with a shape.");
				if (!l) throw Error("A GPUBuffer must be provided with a data type.");
				let [e, t] = ze(o, c, l, this.environment);
				this.liteRtTensorBuffer = e;
				let n = this.onDelete;
				this.onDelete = () => {
					w().liteRtWasm.wgpuBufferRelease(t), n?.();
				};
			} else if (a) this.liteRtTensorBuffer = Be(a, c, u);
			else throw Error("No data provided to create a Tensor.");
			this.type = Re(this.liteRtTensorBuffer);
		}
		static fromTypedArray(t, n, r) {
			return new e(t, n, r);
		}
		ensureNotDeleted() {
			if (this.deleted) throw Error("Tensor is deleted and cannot be used.");
		}
		async data() {
			if (this.ensureNotDeleted(), this.liteRtTensorBuffer.bufferType().value === L.HOST_MEMORY) return this.toTypedArray();
			let e = await this.copyTo("wasm"), t = await e.data();
			return e.delete(), t;
		}
		toTypedArray() {
			this.ensureNotDeleted();
			let e = w().liteRtWasm;
			if (this.liteRtTensorBuffer.isWebGpuMemory()) throw Error("Cannot convert a Tensor with WebGPU memory to a TypedArray.");
			if (this.liteRtTensorBuffer.bufferType().value !== e.LiteRtTensorBufferType.HOST_MEMORY.value) throw Error("Cannot convert a Tensor with non-host memory to a TypedArray.");
			if (this.liteRtTensorBuffer.size() !== this.liteRtTensorBuffer.packedSize() || this.liteRtTensorBuffer.offset() !== 0) throw Error("Tensors with strides or padding are not yet supported.");
			let t = this.liteRtTensorBuffer.tensorType(), n = t.elementType(), r = e.liteRtGetByteWidth(n);
			t.delete();
			let i = C(n.value).typedArrayConstructor;
			if (i.BYTES_PER_ELEMENT !== r) throw Error(`Byte width ${r} of the tensor's element type ${I[n.value]} does not match the expected byte width ${i.BYTES_PER_ELEMENT} of the ${i.name}.`);
			let a = this.liteRtTensorBuffer.lock(w().liteRtWasm.LiteRtTensorBufferLockMode.READ);
			try {
				let t = e.HEAPU8.slice(a, a + this.liteRtTensorBuffer.packedSize());
				return new i(t.buffer, t.byteOffset, t.byteLength / r);
			} finally {
				this.liteRtTensorBuffer.unlock();
			}
		}
		getBufferType() {
			return this.ensureNotDeleted(), this.liteRtTensorBuffer.bufferType().value;
		}
		toGpuBuffer() {
			this.ensureNotDeleted();
			let e = w().liteRtWasm;
			if (!this.liteRtTensorBuffer.isWebGpuMemory()) throw Error("Cannot convert a Tensor with non-WebGPU memory to a GPUBuffer.");
			let t = this.liteRtTensorBuffer.bufferType().value;
			if (t !== e.LiteRtTensorBufferType.WEB_GPU_BUFFER.value && t !== e.LiteRtTensorBufferType.WEB_GPU_BUFFER_FP16.value && t !== e.LiteRtTensorBufferType.WEB_GPU_BUFFER_PACKED.value) throw Error("Cannot convert a Tensor with host memory to a GPUBuffer.");
			if (this.liteRtTensorBuffer.size() !== this.liteRtTensorBuffer.packedSize() || this.liteRtTensorBuffer.offset() !== 0) throw Error("Tensors with strides or padding are not yet supported.");
			let n = this.liteRtTensorBuffer.getWebGpuBuffer();
			return e.WebGPU.getJsObject(n);
		}
		getCopyFunctionSet(t) {
			this.ensureNotDeleted();
			let n = this.getBufferType(), r = e.copyFunctions.get(n);
			if (!r) throw Error(`TensorBufferType ${R[n] ?? n} does not support copying or moving`);
			let i = typeof t == "string" ? nt[t] : t;
			if (i == null) throw Error(`Unknown destination '${t}' for copying or moving.`);
			let a = r.get(i);
			if (!a) {
				let e = [...r].map(([e]) => R[e] ?? e);
				throw Error(`TensorBufferType ${R[n]} does not support copying or moving to ${R[i]}. It supports the following TensorBufferTypes: [${e.join(", ")}].`);
			}
			return [a, i];
		}
		async copyTo(e, t) {
			let [n, r] = this.getCopyFunctionSet(e);
			if (!n.copyTo) throw Error(`Copying to ${R[r]} is not supported by this tensor.`);
			return n.copyTo(this, t);
		}
		async moveTo(e, t) {
			let [n, r] = this.getCopyFunctionSet(e);
			if (!n.moveTo) throw Error(`Moving to ${R[r]} is not supported by this tensor.`);
			return n.moveTo(this, t);
		}
		get bufferType() {
			return this.liteRtTensorBuffer.bufferType().value;
		}
		get accelerator() {
			let e = rt[this.bufferType];
			if (e === void 0) throw Error(`TensorBufferType ${R[this.bufferType]} has an unknown accelerator type.`);
			return e;
		}
		get deleted() {
			return this.deletedInternal;
		}
		delete() {
			this.deletedInternal || (this.deletedInternal = !0, this.liteRtTensorBuffer.delete(), this.onDelete?.());
		}
	}, at = class {
		constructor(e, t, n, r) {
			this.signatureIndex = e, this.liteRtModel = t, this.liteRtCompiledModel = n, this.options = r, this.liteRtSimpleSignature = t.getSignature(e);
			let i = E(this.liteRtSimpleSignature.inputNames()), a = [];
			for (let r = 0; r < i.length; r++) {
				let o = i[r], s = t.getInputTensorType(e, r), c = n.getInputBufferRequirements(e, r);
				a.push(k(o, r, s, c));
			}
			this.inputDetails = Object.freeze(a);
			let o = E(this.liteRtSimpleSignature.outputNames()), s = [];
			for (let r = 0; r < o.length; r++) {
				let i = o[r], a = t.getOutputTensorType(e, r), c = n.getOutputBufferRequirements(e, r);
				s.push(k(i, r, a, c));
			}
			this.outputDetails = Object.freeze(s);
		}
		inputDetails;
		outputDetails;
		liteRtSimpleSignature;
		deletedInternal = !1;
		get key() {
			return this.ensureNotDeleted(), this.liteRtSimpleSignature.key();
		}
		getInputDetails() {
			return this.ensureNotDeleted(), this.inputDetails;
		}
		getOutputDetails() {
			return this.ensureNotDeleted(), this.outputDetails;
		}
		async run(e) {
			this.ensureNotDeleted();
			let t = this.inputsToArray(e), { inputsOnAccelerator: n, cleanup: r } = await this.ensureInputsOnAccelerator(t), i;
			try {
				i = await this.runWithArray(n);
			} finally {
				r();
			}
			return Array.isArray(e) || e instanceof H ? i : this.outputsToRecord(i);
		}
		inputsToArray(e) {
			if (Array.isArray(e)) {
				if (e.length !== this.inputDetails.length) throw Error(`run() called with ${e.length} inputs, but signature expects ${this.inputDetails.length} inputs`);
				return e;
			}
			if (e instanceof H) {
				if (this.inputDetails.length !== 1) throw Error(`run() called with a single tensor, but signature expects ${this.inputDetails.length} inputs`);
				return [e];
			}
			let t = [];
			for (let n of this.inputDetails) {
				if (!(n.name in e)) throw Error(`run() called with input record that is missing input ${n.name} with index ${n.index}`);
				t.push(e[n.name]);
			}
			return t;
		}
		outputsToRecord(e) {
			let t = {};
			for (let n = 0; n < this.outputDetails.length; n++) t[this.outputDetails[n].name] = e[n];
			return t;
		}
		async ensureInputsOnAccelerator(e) {
			let t = [], n = [], r = this.getInputDetails();
			if (e.length !== r.length) throw Error(`ensureInputsOnAccelerator() called with ${e.length} inputs, but signature expects ${r.length} inputs`);
			for (let i = 0; i < e.length; i++) {
				let a = e[i], o = a.getBufferType(), s = r[i].supportedBufferTypes;
				if (s.size === 0) throw Error(`Tensor ${r[i].name} with index ${r[i].index} has no supported buffer types.`);
				if (s.has(o)) n.push(a);
				else {
					let e = s.values().next().value, r = await a.copyTo(e);
					t.push(r), n.push(r);
				}
			}
			return {
				inputsOnAccelerator: n,
				cleanup: () => {
					for (let e of t) e.delete();
				}
			};
		}
		async runWithArray(e) {
			for (let t = 0; t < e.length; t++) {
				let n = e[t], r = this.liteRtModel.getInputTensorType(this.signatureIndex, t), i = this.liteRtCompiledModel.getInputBufferRequirements(this.signatureIndex, t);
				w().liteRtWasm.checkTensorBufferCompatible(n.liteRtTensorBuffer, r, i), r.delete(), i.delete();
			}
			return (await this.liteRtCompiledModel.run(this.signatureIndex, e.map((e) => e.liteRtTensorBuffer))).map((e) => new H(e, this.options.environment));
		}
		get deleted() {
			return this.deletedInternal;
		}
		ensureNotDeleted() {
			if (this.deleted) throw Error("CompiledModelSignatureRunner is deleted and cannot be used.");
		}
		delete() {
			this.deletedInternal || (this.deletedInternal = !0, this.liteRtSimpleSignature.delete());
		}
	}, ot = class {
		constructor(e, t, n, r) {
			this.model = e, this.liteRtCompiledModel = t, this.options = n, this.onDelete = r;
			let i = e.liteRtModel.getNumSignatures(), a = {};
			for (let r = 0; r < i; r++) {
				let i = new at(r, e.liteRtModel, t, n);
				a[i.key] = i;
			}
			this.compiledModelSignatureRunners = Object.freeze(a), this.defaultSignature = Object.values(this.signatures)[0], this.key = this.defaultSignature.key;
		}
		defaultSignature;
		compiledModelSignatureRunners;
		key;
		deletedInternal = !1;
		get signatures() {
			return this.ensureNotDeleted(), this.compiledModelSignatureRunners;
		}
		getInputDetails() {
			return this.ensureNotDeleted(), this.defaultSignature.getInputDetails();
		}
		getOutputDetails() {
			return this.ensureNotDeleted(), this.defaultSignature.getOutputDetails();
		}
		async run(e, t) {
			this.ensureNotDeleted();
			let [n, r] = this.parseRunInputs(e, t);
			return await n.run(r);
		}
		parseRunInputs(e, t) {
			let n, r;
			if (typeof e == "string") {
				if (n = this.signatures[e], !n) throw Error(`No signature named ${e} found in model.`);
				if (!t) throw Error(`No input provided for signature ${e}`);
				r = t;
			} else n = this.defaultSignature, r = e;
			return [n, r];
		}
		get deleted() {
			return this.deletedInternal;
		}
		ensureNotDeleted() {
			if (this.deleted) throw Error("CompiledModel is deleted and cannot be used.");
		}
		get isFullyAccelerated() {
			return this.ensureNotDeleted(), this.liteRtCompiledModel.isFullyAccelerated();
		}
		delete() {
			if (!this.deletedInternal) {
				this.deletedInternal = !0, this.liteRtCompiledModel.delete(), this.model.delete();
				for (let e of Object.values(this.compiledModelSignatureRunners)) e.delete();
				this.onDelete();
			}
		}
	}, st = class {
		constructor(e, t) {
			this.liteRtModel = e, this.onDelete = t;
		}
		delete() {
			this.liteRtModel.delete(), this.onDelete();
		}
	}, ct = new Uint8Array([
		0,
		97,
		115,
		109,
		1,
		0,
		0,
		0,
		1,
		5,
		1,
		96,
		0,
		1,
		123,
		3,
		2,
		1,
		0,
		10,
		15,
		1,
		13,
		0,
		65,
		1,
		253,
		15,
		65,
		2,
		253,
		15,
		253,
		128,
		2,
		11
	]), lt = new Uint8Array([
		0,
		97,
		115,
		109,
		1,
		0,
		0,
		0,
		1,
		4,
		1,
		96,
		0,
		0,
		3,
		2,
		1,
		0,
		5,
		4,
		1,
		3,
		1,
		1,
		10,
		11,
		1,
		9,
		0,
		65,
		0,
		254,
		16,
		2,
		0,
		26,
		11
	]), U = {
		relaxedSimd: void 0,
		threads: void 0,
		jspi: void 0,
		webnn: void 0
	}, W = {
		relaxedSimd: () => (U.relaxedSimd === void 0 && (U.relaxedSimd = j(ct)), U.relaxedSimd),
		threads: () => {
			if (U.threads === void 0) try {
				typeof MessageChannel < "u" && new MessageChannel().port1.postMessage(new SharedArrayBuffer(1)), U.threads = j(lt);
			} catch (e) {
				U.threads = Promise.resolve({
					supported: !1,
					error: e
				});
			}
			return U.threads;
		},
		jspi: () => {
			if (U.jspi === void 0) {
				let e = A();
				U.jspi = Promise.resolve({
					supported: e,
					error: e ? void 0 : /* @__PURE__ */ Error("JSPI is not supported")
				});
			}
			return U.jspi;
		},
		webnn: () => {
			if (U.webnn === void 0) {
				let e = We();
				U.webnn = Promise.resolve({
					supported: e,
					error: e ? void 0 : /* @__PURE__ */ Error("WebNN is not supported")
				});
			}
			return U.webnn;
		}
	}, ut = class {
		liteRtWasm;
		defaultEnvironment;
		objectsToDelete = /* @__PURE__ */ new Set();
		constructor(e) {
			this.liteRtWasm = e, this.liteRtWasm.setupLogging();
		}
		setDefaultEnvironment(e) {
			this.defaultEnvironment = e;
		}
		getDefaultEnvironment() {
			if (!this.defaultEnvironment) throw Error("Default environment is not set.");
			return this.defaultEnvironment;
		}
		setWebGpuDevice(e) {
			let t = this.getDefaultEnvironment();
			this.setDefaultEnvironment(new V({
				...t.options,
				webGpuDevice: e
			}));
		}
		getWebGpuDevice() {
			return this.getDefaultEnvironment().webGpuDevice;
		}
		_registerObjectForDeletion(e) {
			this.objectsToDelete.add(e);
		}
		_unregisterObjectForDeletion(e) {
			this.objectsToDelete.delete(e);
		}
		async loadAndCompile(e, t = {}) {
			let n;
			if (typeof e == "string" || e instanceof URL) n = await Ve(e);
			else if (e instanceof Uint8Array) n = e;
			else if (e instanceof ReadableStreamDefaultReader) n = await He(e);
			else throw Error("Unsupported model type.");
			let r = t.environment ?? this.getDefaultEnvironment(), i = t.accelerator ?? (r.webGpuDevice ? "webgpu" : "wasm"), a = i === "webgpu";
			if (a && !r.webGpuDevice) throw Error("WebGPU was requested but no WebGPU device is set in the environment.");
			let o = Ue(t, r, this.liteRtWasm.getThreadCount()), s = this.liteRtWasm._malloc(n.byteLength);
			this.liteRtWasm.HEAPU8.set(n, s);
			let c = this.liteRtWasm.loadModel(o.environment.liteRtEnvironment, s, n.byteLength), l = await this.liteRtWasm.compileModel(o.environment.liteRtEnvironment, c, o), u = new ot(new st(c, () => {
				this.liteRtWasm._free(s);
			}), l, o, () => {
				this.objectsToDelete.delete(u);
			});
			if (this.objectsToDelete.add(u), (a || i === "webnn") && !u.isFullyAccelerated) {
				if (A()) console.warn(`%c[LiteRT]%c Model not fully compiled for ${i}. Partially delegating to WASM execution.`, "background: #FFA000; color: black; font-weight: bold; padding: 2px 5px; border-radius: 3px;", "font-weight: bold;");
				else {
					console.warn(`%c[LiteRT]%c Model not fully compiled for ${i} on non-JSPI browser. Falling back to WASM execution.`, "background: #D32F2F; color: white; font-weight: bold; padding: 2px 5px; border-radius: 3px;", "color: #D32F2F; font-weight: bold;"), u.delete();
					let e = {
						...t,
						accelerator: "wasm"
					};
					return this.loadAndCompile(n, e);
				}
			}
			return u;
		}
		delete() {
			for (let e of this.objectsToDelete) e.delete();
		}
	}, dt = "litert_wasm_internal.js", ft = "litert_wasm_compat_internal.js", pt = "litert_wasm_threaded_internal.js", mt = "litert_wasm_jspi_internal.js", Promise.resolve(), $e();
}));
// src/runtimes/runtime.ts
async function G(e, t) {
	try {
		return await t();
	} catch (t) {
		throw t instanceof i ? t : new i("runtime", `${e}: ${t instanceof Error ? t.message : String(t)}`, { cause: t });
	}
}
function gt(e, [t = 0, n = 0]) {
	return {
		width: n,
		height: t,
		values: e
	};
}
var _t = n((() => {
	a();
})), vt = /* @__PURE__ */ r({ open: () => yt });
async function yt({ model: e, entry: t, size: n, runtime: r, wasm: i }) {
	K ??= G("LiteRT.js could not be loaded", () => bt({
		runtime: r,
		wasm: i
	})).catch((e) => {
		throw K = void 0, e;
	}), await K;
	let a = await G(`${t.file} could not be compiled`, () => Ke(e, { accelerator: "wasm" }));
	return {
		run: (e) => G("the network could not be run", () => St(a, e, n, t.heatMap)),
		dispose: () => a.delete()
	};
}
async function bt({ runtime: e, wasm: t }) {
	let n = await M("relaxedSimd") ? "litert_wasm_internal" : "litert_wasm_compat_internal", [r, i] = await Promise.all([`${n}.js`, `${n}.wasm`].map((n) => v(t, n, e.files[n]))), a = URL.createObjectURL(new Blob([r], { type: "text/javascript" }));
	globalThis.Module = {
		wasmBinary: i,
		printErr: xt
	};
	try {
		await Xe(`${a}#.js`);
	} finally {
		URL.revokeObjectURL(a);
	}
}
function xt(e) {
	/^(ERROR|FATAL)/.test(e) && console.error(e);
}
async function St(e, t, n, r) {
	let i = new H(t, [
		1,
		n,
		n,
		3
	]);
	try {
		let t = await e.run(i);
		try {
			let [n, i] = t.map((e) => e.toTypedArray().slice()), a = e.getOutputDetails()[1]?.shape;
			return {
				logits: n,
				heatMap: r && i && a ? gt(i, Array.from(a).slice(1, 3)) : null
			};
		} finally {
			t.forEach((e) => e.delete());
		}
	} finally {
		i.delete();
	}
}
var K, Ct = n((() => {
	ht(), y(), _t();
})), wt = /* @__PURE__ */ r({ open: () => Tt });
function Tt() {
	return Promise.reject(new i("usage", "this page runs models of LiteRT.js only"));
}
var Et = n((() => {
	a();
}));
a(), y();
var Dt = {
	litert: () => Promise.resolve().then(() => (Ct(), vt)),
	onnxruntime: () => Promise.resolve().then(() => (Et(), wt))
}, Ot = e.models;
async function kt(t) {
	let n = jt(t), { assets: r } = t, [i, a] = await Promise.all([v(r, n.file, n), v(r, "policy.json", e.files["policy.json"]).then((e) => Pt(e))]), { open: o } = await Dt[n.runtime](), s = t.wasm ?? Nt(r, "wasm/"), c = e.preprocessing.size;
	return new At(n, a, await o({
		model: i,
		entry: n,
		size: c,
		runtime: e.runtimes[n.runtime],
		wasm: s
	}), r);
}
var At = class {
	model;
	policy;
	#e;
	#t;
	#n = Promise.resolve();
	constructor(e, t, n, r) {
		this.model = e, this.policy = t, this.#t = n, this.#e = r;
	}
	classify(e) {
		return this.#r((t) => this.#i(t, e));
	}
	async selfTest() {
		return Ee(Pt(await v(this.#e, "golden.json", e.files["golden.json"])), this.model, (e) => this.#r((t) => this.#a(t, e)));
	}
	async dispose() {
		let e = this.#t;
		this.#t = null, await this.#n.catch(() => void 0), await e?.dispose();
	}
	#r(e) {
		let t = this.#n.catch(() => void 0).then(() => {
			if (!this.#t) throw new i("usage", "this classifier was disposed: create another one");
			return e(this.#t);
		});
		return this.#n = t, t;
	}
	async #i(t, n) {
		let { pixels: r, logits: i, heatMap: a, timings: o } = await this.#a(t, n), s = se(i)[e.melanoma], c = ge(r, e.preprocessing.size, this.policy.capture);
		return {
			probability: s,
			...le(s, this.model, this.policy),
			quality: c,
			heatMap: a,
			logits: i,
			timings: o
		};
	}
	async #a(t, n) {
		let { size: r } = e.preprocessing, i = performance.now(), a = await te(n), o = performance.now(), s = c(a.rgb, a.side, r), l = Mt(s), u = performance.now(), { logits: d, heatMap: f } = await t.run(l), p = performance.now();
		return {
			pixels: s,
			logits: d,
			heatMap: f,
			timings: {
				decode: o - i,
				prepare: u - o,
				network: p - u,
				total: p - i
			}
		};
	}
};
function jt({ runtime: e, model: t }) {
	let n = Ot.filter((n) => (!e || n.runtime === e) && (!t || n.id === t));
	if (n[0]) return n[0];
	let r = Ot.map((e) => `${e.id} (${e.runtime})`).join(", ");
	throw new i("usage", `no model ${t ?? ""} for runtime ${e ?? "of any name"}: known are ${r}`);
}
function Mt(t) {
	let { mean: n, std: r } = e.preprocessing, i = new Float32Array(t.length);
	for (let e = 0; e < t.length; e++) {
		let a = e % 3;
		i[e] = Math.fround(Math.fround(t[e] - Math.fround(n[a])) / Math.fround(r[a]));
	}
	return i;
}
function Nt(e, t) {
	if (typeof e == "function") return (n) => e(t + n);
	let n = String(e);
	return new URL(t, new URL(n.endsWith("/") ? n : `${n}/`, globalThis.document?.baseURI));
}
function Pt(e) {
	return JSON.parse(new TextDecoder().decode(e));
}
// src/index.ts
a();
// demo/words.ts
function Ft(e, t) {
	if (!t.capture) return ["Not judged."];
	let n = e.advice.map((e) => t.capture.advice[e] ?? e);
	return n.length ? n : ["Sharp, well lit, and the lesion is in the frame."];
}
// demo/camera.ts
var It = { video: {
	facingMode: "environment",
	width: { ideal: 1920 },
	height: { ideal: 1440 }
} };
async function Lt(e) {
	e.srcObject = await navigator.mediaDevices.getUserMedia(It), await e.play();
}
function Rt(e) {
	let t = document.createElement("canvas");
	return [t.width, t.height] = [e.videoWidth, e.videoHeight], t.getContext("2d").drawImage(e, 0, 0), t;
}
function zt(e) {
	for (let t of e.srcObject?.getTracks() ?? []) t.stop();
	e.srcObject = null;
}
// demo/embedded.ts
function Bt() {
	let e = new Map([...document.querySelectorAll("script[data-asset]")].map((e) => [e.dataset.asset, e]));
	return e.size ? async (t) => {
		let n = e.get(t)?.textContent;
		if (!n) throw Error(`this page does not hold ${t}`);
		let r = Uint8Array.from(atob(n.trim()), (e) => e.charCodeAt(0));
		return new Response(new Blob([r]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
	} : null;
}
// demo/heat.ts
function Vt(e, t) {
	[e.width, e.height] = [t.width, t.height];
	let n = new ImageData(t.width, t.height), r = Math.max(...t.values, 1e-12);
	t.values.forEach((e, t) => {
		let i = Math.max(e / r, 0);
		n.data.set([
			220,
			Math.round(160 * (1 - i)),
			0,
			Math.round(255 * i)
		], 4 * t);
	}), e.getContext("2d").putImageData(n, 0, 0);
}
// demo/app.ts
var q = (e) => document.getElementById(e), J = q("video"), Y;
async function Ht() {
	Jt(), Ut();
	let e = performance.now();
	try {
		Y = await kt({ assets: Bt() ?? "assets/" }), Z(`Ready: ${Y.model.id} loaded in ${Math.round(performance.now() - e)} ms.`);
	} catch (e) {
		Q(e);
	}
	"serviceWorker" in navigator && location.protocol !== "file:" && !Bt() && await navigator.serviceWorker.register("sw.js").catch(() => void 0);
}
function Ut() {
	q("file").addEventListener("change", ({ target: e }) => {
		let [t] = e.files ?? [];
		t && X(t);
	});
	let e = q("drop");
	for (let t of ["dragenter", "dragover"]) e.addEventListener(t, (t) => {
		t.preventDefault(), e.classList.add("over");
	});
	e.addEventListener("dragleave", () => e.classList.remove("over")), e.addEventListener("drop", (t) => {
		t.preventDefault(), e.classList.remove("over");
		let n = t.dataTransfer?.files[0];
		n && X(n);
	}), q("camera").addEventListener("click", () => void Wt()), q("shoot").addEventListener("click", () => {
		let e = Rt(J);
		Gt(), X(e);
	}), q("stop").addEventListener("click", Gt), q("self-test").addEventListener("click", () => void qt()), q("show-map").addEventListener("change", ({ target: e }) => {
		q("map").hidden = !e.checked;
	});
}
async function Wt() {
	try {
		await Lt(J), q("viewfinder").hidden = !1, q("shoot").focus();
	} catch (e) {
		Q(/* @__PURE__ */ Error(`The camera cannot be used (${e instanceof Error ? e.message : e}): choose a file.`));
	}
}
function Gt() {
	zt(J), q("viewfinder").hidden = !0, q("camera").focus();
}
async function X(e) {
	if (!Y) return Q(/* @__PURE__ */ Error("The network is not loaded."));
	q("error").textContent = "", Z("Looking.");
	try {
		let t = await Y.classify(e);
		await Kt(e, t), Z(`${t.tier.title}. Probability of melanoma by the network: ${Yt(t.probability)}.`);
	} catch (e) {
		q("result").hidden = !0, Q(e);
	}
}
async function Kt(e, t) {
	let { rgb: n, side: r } = await te(e), i = q("image");
	i.width = i.height = r;
	let a = new ImageData(r, r);
	for (let e = 0; e < r * r; e++) a.data.set([
		n[3 * e],
		n[3 * e + 1],
		n[3 * e + 2],
		255
	], 4 * e);
	i.getContext("2d").putImageData(a, 0, 0), q("map-choice").hidden = !t.heatMap, t.heatMap && Vt(q("map"), t.heatMap), q("map").hidden = !t.heatMap || !q("show-map").checked, q("tier").textContent = t.tier.title, q("advice").textContent = t.tier.advice, q("doubt").hidden = !t.uncertain, q("probability").value = t.probability, q("percent").textContent = Yt(t.probability), q("capture").replaceChildren(...Ft(t.quality, Y.policy).map(Xt));
	let { decode: o, prepare: s, network: c, total: l } = t.timings;
	q("timings").textContent = `${l.toFixed(0)} ms on this device: ${o.toFixed(0)} to decode, ${s.toFixed(0)} to resize, ${c.toFixed(1)} in the network.`, q("result").hidden = !1, q("result").focus();
}
async function qt() {
	if (!Y) return;
	let { passed: e, images: t } = await Y.selfTest(), n = Math.max(...t.map((e) => e.difference));
	q("tested").textContent = e ? `Passed: ${t.length} images, every pixel as in the build, logits within ${n.toExponential(0)}.` : `Failed on ${t.filter((e) => !e.passed).length} of ${t.length}: do not trust this page here.`;
}
function Jt() {
	let [t] = e.models, n = [
		["Network", e.name],
		["File", `${t.file.split("/").pop()}, ${(t.bytes / 1e6).toFixed(2)} MB`],
		["Runtime", `${e.runtimes[t.runtime].package} ${e.runtimes[t.runtime].version}`],
		["Made by", e.generator]
	];
	q("facts").replaceChildren(...n.flatMap(([e, t]) => [$("dt", e), $("dd", t)]));
}
function Z(e) {
	q("status").textContent = e;
}
function Q(e) {
	Z("");
	let t = e instanceof i && e.code === "integrity" ? "This page is damaged: " : "";
	q("error").textContent = t + (e instanceof Error ? e.message : String(e));
}
function Yt(e) {
	return `${(100 * e).toFixed(1)} %`;
}
function Xt(e) {
	return $("li", e);
}
function $(e, t) {
	let n = document.createElement(e);
	return n.textContent = t, n;
}
Ht();
